"""`timebank user …`"""

from __future__ import annotations

import re
import sys

import click
from flask_babel import gettext as _
from sqlalchemy import column, or_, select, table
from sqlalchemy.orm import Session

from timebank import clock, db
from timebank.auth import service
from timebank.auth.actor import COMMAND_LINE
from timebank.auth.models import Role
from timebank.commands import app_context
from timebank.errors import NotFound
from timebank.notifications.service import in_language

# By name: this room stands below the one that owns these tables, and only needs an id.
ORGANISATIONS = table("organisations", column("id"), column("slug"), column("enterprise_number"))
INITIATIVES = table("initiatives", column("id"), column("slug"))


@click.group()
def group() -> None:
    """Make and change users."""


@group.command()
@click.option("--email", required=True, help="The address to sign in with.")
@click.option(
    "--role", required=True, type=click.Choice([r.value for r in Role]), help="What the user may do."
)
@click.option(
    "--organisation", help="The company of an employee, manager, hr or auditor: KBO number or slug."
)
@click.option("--initiative", help="The initiative of a coordinator: its slug.")
@click.option("--first-name", default="", help="By default the part of the address before the @.")
@click.option("--last-name", default="")
@click.option("--language", type=click.Choice(["nl", "fr", "en"]), default="nl", show_default=True)
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking."
)
@click.option("--as", "as_email", metavar="EMAIL", help="Who does this, for the audit log.")
def create(
    email: str,
    role: str,
    organisation: str | None,
    initiative: str | None,
    first_name: str,
    last_name: str,
    language: str,
    password_stdin: bool,
    as_email: str | None,
) -> None:
    """Make a user, or give one who exists another role."""
    wanted = Role(role)
    if (wanted == Role.COORDINATOR) != bool(initiative):
        raise click.UsageError("--initiative goes with the role coordinator, and that role with it.")
    if (wanted not in (Role.COORDINATOR, Role.OPERATOR)) != bool(organisation):
        raise click.UsageError("--organisation goes with the roles employee, manager, hr and auditor.")
    if not re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", email):
        raise click.UsageError("--email is no e-mail address.")
    with app_context(), in_language("en"):
        with db.read_session() as session:
            known = service.user_by_email(session, email) is not None
        password = None if known else _password(password_stdin)
        with db.unit_of_work() as session:
            actor = service.actor_by_email(session, as_email) if as_email else COMMAND_LINE
            user = service.user_by_email(session, email) or service.create_user(
                session,
                email=email,
                password=password,
                first_name=first_name or email.partition("@")[0],
                last_name=last_name,
                language=language,
                now=clock.now(),
                actor=actor,
            )
            service.grant_role(
                session,
                user,
                wanted,
                organisation_id=_organisation_id(session, organisation),
                initiative_id=_initiative_id(session, initiative),
                actor=actor,
                now=clock.now(),
            )
    click.echo(f"{email} is {role} now.")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _organisation_id(session: Session, name: str | None) -> int | None:
    if name is None:
        return None
    number = re.sub(r"[^0-9]", "", name)
    found: int | None = session.scalar(
        select(ORGANISATIONS.c.id).where(
            or_(ORGANISATIONS.c.slug == name, ORGANISATIONS.c.enterprise_number == number)
        )
    )
    if found is None:
        raise NotFound(_("There is no organisation %(name)s.", name=name))
    return found


def _initiative_id(session: Session, name: str | None) -> int | None:
    if name is None:
        return None
    found: int | None = session.scalar(select(INITIATIVES.c.id).where(INITIATIVES.c.slug == name))
    if found is None:
        raise NotFound(_("There is no initiative %(name)s.", name=name))
    return found
