"""`timebank scheduler`."""

from __future__ import annotations

import click


@click.command("scheduler")
def command() -> None:
    """Run the scheduler: the nightly matching, runs on request, jobs, mail, and what expires."""
    from timebank import create_app
    from timebank.scheduler.process import Process

    Process(create_app()).run()
