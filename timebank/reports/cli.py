"""`timebank report`: reports as files."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path

import click

from timebank.commands import WrongUse

FORMATS = ("csv", "xlsx", "json")
DAY = click.DateTime(["%Y-%m-%d"])


@click.group("report")
def group() -> None:
    """Export CSR reports."""


@group.command("export")
@click.option("--company", required=True, metavar="NUMBER|SLUG", help="Whose report.")
@click.option(
    "--from", "from_date", required=True, type=DAY, metavar="DATE", help="The first day (2026-01-01)."
)
@click.option(
    "--until", "until_date", required=True, type=DAY, metavar="DATE", help="The last day, included."
)
@click.option("--format", "kind", required=True, metavar="|".join(FORMATS), help="The kind of file.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where it is written."
)
def export_command(company: str, from_date: datetime, until_date: datetime, kind: str, out: Path) -> None:
    """Write a company's report of a period, in the company's language."""
    from timebank.commands import app_context

    if kind not in FORMATS:
        raise WrongUse(f"a report cannot be made as {kind}; choose {', '.join(FORMATS)}")
    with app_context():
        content = _render(company, from_date, until_date, kind)
    try:
        _write(out, content)
    except OSError as error:
        raise WrongUse(f"{out} cannot be written: {error.strerror}") from None
    click.echo(f"{out}: {len(content)} bytes")


def _render(company: str, from_date: datetime, until_date: datetime, kind: str) -> bytes:
    from flask_babel import force_locale
    from sqlalchemy import or_, select

    from timebank import clock, db
    from timebank.auth.actor import COMMAND_LINE
    from timebank.organisations.models import Organisation
    from timebank.reports import renderings, service

    digits = "".join(c for c in company if c.isdigit()).rjust(10, "0")
    with db.read_session() as session:
        found = session.scalar(
            select(Organisation).where(
                Organisation.is_company,
                or_(Organisation.slug == company, Organisation.enterprise_number == digits),
            )
        )
        if found is None:
            raise WrongUse(f"there is no company {company}")
        with force_locale(found.language):
            report = service.build_report(
                session,
                found.id,
                from_date.date(),
                until_date.date(),
                actor=COMMAND_LINE,
                now=clock.now(),
            )
            return renderings.FORMATS[kind].render(report)


def _write(out: Path, content: bytes) -> None:
    """Write beside and rename, so that no half file ever stands there."""
    descriptor, beside = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(beside).chmod(0o644)
        Path(beside).replace(out)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
