"""`timebank …`: a third door to the same services. Commands load only what they need, since the kernel's own commands
must work without a database and start fast."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from config import Settings

# name → (module:attribute, the line that --help shows)
COMMANDS = {
    "db": ("timebank.cli:database", "Bring the database up to date."),
    "demo": ("timebank.demo:command", "Fill an empty database with a lively demo."),
    "import": (
        "timebank.imports.cli:command",
        "Read a file of companies, staff, initiatives, requests or pledges.",
    ),
    "ledger": ("timebank.ledger.cli:group", "Check the hours ledger."),
    "match": ("timebank.matching.cli:match", "Solve, verify and run the matching."),
    "report": ("timebank.reports.cli:group", "Export CSR reports."),
    "run": ("timebank.processes:command", "Start everything on this machine."),
    "scheduler": ("timebank.scheduler.cli:command", "Run the scheduler's process."),
    "simulate": ("timebank.simulation.cli:command", "Try out policies of the matching on invented months."),
    "user": ("timebank.auth.cli:group", "Make and change users."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="timebank")
def root() -> None:
    """Hours of working time, pledged, matched, confirmed and reported."""


def upgrade_database(settings: Settings) -> None:
    """Migrate to the newest schema and put the reference data (skills, causes, places, templates) in place."""
    from timebank import clock, db
    from timebank.agreements import service as agreements
    from timebank.taxonomy import service as taxonomy

    db.upgrade(settings.database_url)
    db.init_engine(settings.database_url)
    with db.unit_of_work() as session:
        taxonomy.seed(session)
        agreements.seed_templates(session, now=clock.now())


@click.group("db")
def database() -> None:
    """The database's schema and reference data."""


@database.command()
def upgrade() -> None:
    """Bring the schema and the reference data up to date."""
    import config

    upgrade_database(config.load())


def main() -> None:
    """Run a command: exit 0, 1 (it found something wrong) or 2 (wrong use), errors in one line on stderr."""
    from config import ConfigError
    from timebank.errors import DomainError

    try:
        sys.exit(root(prog_name="timebank", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"timebank: {' '.join(error.format_message().split())}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(1)
    except (ConfigError, DomainError) as error:
        click.echo(f"timebank: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"timebank: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        sys.exit(2)
    except Exception as error:
        reason = _database_trouble(error)
        if reason is None:
            raise
        click.echo(f"timebank: {reason}", err=True)
        sys.exit(2)


def _database_trouble(error: Exception) -> str | None:
    """What to do about a database that can't be used, in one line; None for any other error."""
    from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

    if not isinstance(error, DBAPIError):
        return None
    said = " ".join(str(error.orig).split())
    if isinstance(error, OperationalError | ProgrammingError) and (
        "no such table" in said or "does not exist" in said
    ):
        return f"the database is not up to date: run 'timebank db upgrade' ({said})"
    if isinstance(error, OperationalError):
        return f"the database can't be used: {said}"
    return None
