"""`timebank user create`"""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from tests.factories import make_company, make_initiative, make_operator
from timebank.audit.models import AuditEntry
from timebank.auth.cli import group
from timebank.auth.models import Role, User
from timebank.errors import DomainError


@pytest.fixture
def command(app, monkeypatch, session):
    """Run the command on the test's database."""
    from contextlib import contextmanager

    @contextmanager
    def here():
        with app.app_context():
            yield

    monkeypatch.setattr("timebank.auth.cli.app_context", here)

    def run(*arguments, password="een lang wachtwoord"):
        session.commit()
        result = CliRunner().invoke(group, ["create", *arguments], input=password + "\n")
        session.expire_all()
        if isinstance(result.exception, DomainError):
            raise result.exception
        return result

    return run


def user(session, email):
    return session.scalars(select(User).where(User.email == email)).one()


def test_an_operator_is_made_with_a_password_from_standard_input(command, session, sign_in):
    result = command("--email", "Ops@example.test", "--role", "operator", "--password-stdin")
    assert result.exit_code == 0
    assert "een lang wachtwoord" not in result.output
    made = user(session, "ops@example.test")
    assert [g.role for g in made.grants] == [Role.OPERATOR]
    session.commit()
    assert sign_in("ops@example.test", "een lang wachtwoord").get("/operator").status_code == 200
    line = session.scalars(select(AuditEntry).where(AuditEntry.action == "user_created")).one()
    assert line.actor_label == "system:cli"


def test_roles_hold_in_a_company_or_an_initiative(command, session):
    company = make_company(session, enterprise_number="0566988259", slug="delta")
    initiative = make_initiative(session)
    operator = make_operator(session, email="boss@example.test")
    email = ["--email", "hr@example.test"]
    assert (
        command(*email, "--role", "hr", "--organisation", "0566.988.259", "--password-stdin").exit_code == 0
    )
    # Who exists keeps the password and gets another role.
    more = ["--role", "coordinator", "--initiative", initiative.slug, "--as", "boss@example.test"]
    assert command(*email, *more).exit_code == 0
    grants = {(g.role, g.organisation_id, g.initiative_id) for g in user(session, "hr@example.test").grants}
    assert grants == {(Role.HR, company.id, None), (Role.COORDINATOR, None, initiative.id)}
    lines = session.scalars(select(AuditEntry).where(AuditEntry.action == "role_granted")).all()
    assert lines[-1].actor_user_id == operator.id


@pytest.mark.parametrize(
    "arguments",
    [
        ["--email", "x@example.test", "--role", "hr"],
        ["--email", "x@example.test", "--role", "operator", "--organisation", "delta"],
        ["--email", "x@example.test", "--role", "coordinator"],
        ["--email", "x", "--role", "operator"],
        ["--email", "x@example.test", "--role", "queen"],
    ],
)
def test_wrong_use_exits_with_two(command, session, arguments):
    assert command(*arguments, "--password-stdin").exit_code == 2
    assert session.scalars(select(User)).all() == []


@pytest.mark.parametrize(
    ("arguments", "password"),
    [
        (["--role", "operator"], "short"),
        (["--role", "hr", "--organisation", "nowhere"], "een lang wachtwoord"),
        (["--role", "operator", "--as", "nobody@example.test"], "een lang wachtwoord"),
    ],
)
def test_a_refusal_leaves_nothing_behind(command, session, arguments, password):
    with pytest.raises(DomainError):
        command("--email", "x@example.test", *arguments, "--password-stdin", password=password)
    assert session.scalars(select(User)).all() == []
