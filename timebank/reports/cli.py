"""`timebank report`: reports as files, and whether such a file is genuine."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click

from timebank.commands import WrongUse

FORMATS = ("csv", "xlsx", "json", "pdf", "zip")
DAY = click.DateTime(["%Y-%m-%d"])


@click.group("report")
def group() -> None:
    """Export CSR reports, and verify them."""


@group.command("export")
@click.option("--company", required=True, metavar="NUMBER|SLUG", help="Whose report.")
@click.option(
    "--from", "from_date", required=True, type=DAY, metavar="DATE", help="The first day (2026-01-01)."
)
@click.option(
    "--until", "until_date", required=True, type=DAY, metavar="DATE", help="The last day, included."
)
@click.option("--format", "kind", required=True, metavar="|".join(FORMATS), help="The kind of file.")
@click.option("--auditor", is_flag=True, help="With evidence, sample, rights and tie-out (zip only).")
@click.option("--seed", default="", metavar="TEXT", help="What the auditor's sample is drawn with.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where it is written."
)
def export_command(
    company: str,
    from_date: datetime,
    until_date: datetime,
    kind: str,
    auditor: bool,
    seed: str,
    out: Path,
) -> None:
    """Write a company's report of a period, in the company's language."""
    from timebank.commands import app_context

    if kind not in FORMATS:
        raise WrongUse(f"a report cannot be made as {kind}; choose {', '.join(FORMATS)}")
    if auditor and kind != "zip":
        raise WrongUse("the auditor's package is a zip: say --format zip")
    try:
        with app_context(), _beside(out) as file:
            _export(file, company, from_date, until_date, kind, auditor, seed)
            size = file.tell()
    except OSError as error:
        raise WrongUse(f"{out} cannot be written: {error.strerror}") from None
    click.echo(f"{out}: {size} bytes")


def _export(
    file: IO[bytes],
    company: str,
    from_date: datetime,
    until_date: datetime,
    kind: str,
    auditor: bool,
    seed: str,
) -> None:
    from timebank import clock, db
    from timebank.auth.actor import COMMAND_LINE
    from timebank.reports.exports import making

    with db.read_session() as session:
        organisation_id, language = _company(session, company)
    order = making.Order(
        organisation_id=organisation_id,
        from_date=from_date.date(),
        until_date=until_date.date(),
        format=kind,
        language=language,
        auditor=auditor,
        seed=seed,
    )
    making.make(file, order, actor=COMMAND_LINE, now=clock.now())
    file.seek(0, os.SEEK_END)


def _company(session: Any, company: str) -> tuple[int, str]:
    from sqlalchemy import or_, select

    from timebank.organisations.models import Organisation

    digits = "".join(c for c in company if c.isdigit()).rjust(10, "0")
    found = session.scalar(
        select(Organisation).where(
            Organisation.is_company,
            or_(Organisation.slug == company, Organisation.enterprise_number == digits),
        )
    )
    if found is None:
        raise WrongUse(f"there is no company {company}")
    return found.id, found.language


@contextmanager
def _beside(out: Path) -> Iterator[IO[bytes]]:
    """Write beside and rename, so that no half file ever stands there."""
    descriptor, beside = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(beside).chmod(0o644)
        Path(beside).replace(out)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


@group.command("verify")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The issuer's keys, as /.well-known/timebank-keys.json gives them.",
)
def verify_command(file: Path, keys: Path | None) -> None:
    """Check a report.zip: signature, hashes, chain, and its totals where it holds the evidence.

    Needs no database. The keys are those given, else this installation's own where it has any.
    """
    from timebank.reports.proof.verification import Unreadable, verify

    known = _own_keys() if keys is None else _read_keys(keys)
    try:
        with file.open("rb") as content:
            result = verify(content, keys=known)
    except Unreadable as error:
        raise WrongUse(f"{file}: {error}") from None
    except OSError as error:
        raise WrongUse(f"{file} cannot be read: {error.strerror}") from None
    click.echo(f"{result.company}, {result.from_date} to {result.until_date}, made {result.made_at}")
    for line in result.held:
        click.echo(f"  {line}")
    for line in result.breaks:
        click.echo(f"timebank: {line}", err=True)
    if result.breaks:
        click.echo("It does not hold.")
        sys.exit(1)
    if result.authentic:
        click.echo(f"consistent and authentic: signed by {result.issuer}")
    else:
        click.echo(
            f"consistent; whether {result.issuer} signed it was not checked: give its keys with --keys"
        )


def _read_keys(path: Path) -> set[bytes]:
    from timebank.reports.proof.signing import keys_of

    try:
        return keys_of(json.loads(path.read_bytes()))
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise WrongUse(f"{path}: {error}") from None


def _own_keys() -> set[bytes] | None:
    """The keys of this installation; none where there is no database, or none that ever signed."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    import config
    from timebank import db
    from timebank.reports.proof.signing import published

    try:
        settings = config.load()
    except config.ConfigError:
        return None
    if settings.is_sqlite and not Path(make_url(settings.database_url).database or "").is_file():
        return None
    try:
        db.init_engine(settings.database_url)
        with db.read_session() as session:
            return {key.public_key for key in published(session)} or None
    except SQLAlchemyError:
        return None


@group.command("rotate-key")
def rotate_command() -> None:
    """Sign with a new key from now on. What the old one signed stays authentic."""
    from flask import current_app

    from timebank import clock, db
    from timebank.auth.actor import COMMAND_LINE
    from timebank.commands import app_context
    from timebank.reports.proof import signing

    with app_context(), db.unit_of_work() as session:
        signer = signing.rotate(session, current_app.config["SETTINGS"], actor=COMMAND_LINE, now=clock.now())
    click.echo(f"new key {signer.key_id}, published at /.well-known/timebank-keys.json")
