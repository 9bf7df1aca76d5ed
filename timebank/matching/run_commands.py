"""`timebank match run` and `timebank match export`: the commands that need the database."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path

import click

from timebank import db
from timebank.auth.actor import COMMAND_LINE
from timebank.commands import app_context
from timebank.errors import DomainError
from timebank.matching import runs
from timebank.matching.models import Mode, Run, RunTrigger


def run(mode: str, time_limit: int | None, as_of: datetime | None) -> Run:
    """Make a run now, over what is free on a day (today by default), and write its proposals.

    `time_limit` is the seconds that bundles get. Only what the run looks at is of that day: proposals are sent, and
    expire, by the real time.
    """
    from flask import current_app

    with app_context():
        settings = current_app.config["SETTINGS"]
        return runs.run_now(
            actor=COMMAND_LINE,
            trigger=RunTrigger.COMMAND,
            as_of=as_of.date() if as_of else None,
            mode=Mode(mode),
            time_limit=time_limit,
            proposal_days=settings.proposal_days,
            executor=settings.executor,
        )


def print_run(done: Run, as_json: bool) -> None:
    summary = runs.summary(done)
    click.echo(json.dumps(summary) if as_json else "  ".join(f"{k} {v}" for k, v in summary.items()))


def export(run_id: str, out: Path) -> list[Path]:
    """Write a run's files into a folder.

    Raises click.UsageError for what is no run's id, DomainError for a run that is not there.
    """
    try:
        public_id = uuid.UUID(run_id)
    except ValueError:
        raise click.UsageError(f"{run_id} is no run's id") from None
    with app_context(), db.read_session() as session:
        try:
            return runs.export(session, public_id, out)
        except DomainError as error:
            raise click.UsageError(str(error)) from None
        except OSError as error:
            raise click.UsageError(f"{out} cannot be written: {error.strerror}") from None
