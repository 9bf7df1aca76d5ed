"""`timebank import KIND FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from timebank.imports.registry import SPECS


@click.command("import")
@click.argument("kind", type=click.Choice(list(SPECS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--company", metavar="NUMBER|SLUG", help="Whose staff or pledges the file holds.")
@click.option("--dry-run", is_flag=True, help="Judge every row and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdicts as one JSON object.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the refused rows to this CSV file.",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day from which changed terms hold; today by default.",
)
@click.option("--close-missing", is_flag=True, help="Close the employments that a staff file lacks.")
@click.option("--as", "email", metavar="EMAIL", help="Act as this user.")
def command(
    kind: str,
    file: Path,
    company: str | None,
    dry_run: bool,
    as_json: bool,
    rejects: Path | None,
    as_of: datetime | None,
    close_missing: bool,
    email: str | None,
) -> None:
    """Read a file of KIND, judge each row and apply the good ones.

    FILE is CSV (UTF-8 or Windows-1252; comma, semicolon or tab) or the first sheet of an .xlsx workbook. Refused rows
    do not keep the others from being applied. Exits 0 then too, and 2 when the file as a whole is refused.
    """
    from flask_babel import force_locale

    from timebank.commands import app_context
    from timebank.imports.errors import FileRefused
    from timebank.imports.registry import spec as find

    spec = find(kind)
    if spec.of_company != (company is not None):
        needs = "needs --company NUMBER|SLUG" if spec.of_company else "takes no --company"
        raise click.UsageError(f"a file of {kind} {needs}")
    if close_missing and kind != "staff":
        raise click.UsageError("--close-missing is for staff files")
    with app_context(), force_locale("en"):
        try:
            summary = _run(spec, file, company, dry_run, rejects, as_of, close_missing, email)
        except FileRefused as refused:
            click.echo(f"timebank: {file.name}: {refused}", err=True)
            sys.exit(2)
        _print(summary, as_json=as_json, dry_run=dry_run)


def _run(
    spec: Any,
    file: Path,
    company: str | None,
    dry_run: bool,
    rejects: Path | None,
    as_of: datetime | None,
    close_missing: bool,
    email: str | None,
) -> dict[str, Any]:
    from timebank import clock, db
    from timebank.auth.actor import COMMAND_LINE
    from timebank.auth.service import actor_by_email
    from timebank.imports import service
    from timebank.imports.registry import Act, Scope
    from timebank.imports.rejects import rejects_csv

    with db.read_session() as session:
        actor = actor_by_email(session, email) if email else COMMAND_LINE
        organisation_id = service.company_id(session, company) if company else None
    day: date = as_of.date() if as_of else clock.today()
    scope = Scope(organisation_id, day, close_missing, actor.user_id)
    found = service.preview(
        spec, service.read_file(file), scope, progress=_progress("judged"), keep_cells=False
    )
    service.require_whole(found, scope)
    summary: dict[str, Any] = found.judgement.summary(found.missing)
    if not dry_run:
        act = Act(actor, clock.now(), file.name)
        summary = service.apply(spec, found, scope, act, progress=_progress("applied"))
    if rejects is not None:
        rejects.write_bytes(rejects_csv(found.judgement))
    return summary


def _progress(word: str) -> Callable[[int, int], None] | None:
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        click.echo(f"\r{done} of {total} rows {word}", err=True, nl=done >= total)

    return show


def _print(summary: dict[str, Any], *, as_json: bool, dry_run: bool) -> None:
    from timebank.imports import messages

    if as_json:
        click.echo(json.dumps(summary))
        return
    figures = ", ".join(f"{summary[name]} {name}" for name in ("new", "changed", "same", "missing"))
    click.echo(f"{summary['rows']} rows: {figures}, {len(summary['refused'])} refused.")
    for name, text in (("refused", messages.reason), ("warnings", messages.warning)):
        for entry in summary[name]:
            click.echo(
                f"  row {entry['row']}, {entry['column']} ({entry['reason']}): {text(entry['reason'])}"
            )
    if dry_run:
        click.echo("Nothing was changed.")
