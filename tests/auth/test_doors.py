"""Every page asks who comes in, unless it is meant for all; who has no business there finds nothing."""

from __future__ import annotations

import uuid

import pytest
from werkzeug.routing import Rule

from tests.factories import make_user
from timebank.auth.models import Role
from timebank.auth.permissions import RULES
from timebank.web.access import is_public

# Whoever makes a view public says so here, too. A prefix ends with a point.
PUBLIC_BLUEPRINTS = ("web.", "hub.", "static", "bootstrap.")
PUBLIC = {
    "favicon",
    "scheduler.healthz",
    "auth.invitation",
    "auth.reset",
    "auth.reset_with",
    "auth.sign_in",
    "auth.sign_out",
    "certificates.check",
    "certificates.checked",
    "notifications.mail",
    "notifications.one_mail",
    "organisations.join",
    "organisations.join_initiative",
    "organisations.joined",
    "organisations.place_of_postcode",
    "proof.keys",
    "proof.verify_file",
    "proof.verify_page",
    "reports.report_schema",
}


def address(rule: Rule) -> str:
    """A path that fits the rule, to things that do not exist."""
    values = {}
    for name, converter in rule._converters.items():
        kind = type(converter).__name__
        values[name] = {
            "UUIDConverter": uuid.UUID(int=1),
            "IntegerConverter": 1,
            "AnyConverter": next(iter(getattr(converter, "items", ["x"])), "x"),
        }.get(kind, "x")
    return rule.build(values, append_unknown=False)[1]


def test_every_view_is_public_by_name_or_wants_a_sign_in(app, client):
    open_doors = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if is_public(view):
            if rule.endpoint not in PUBLIC and not rule.endpoint.startswith(PUBLIC_BLUEPRINTS):
                open_doors.append(f"{rule.endpoint} is public, but not on the list")
            continue
        for method in sorted(rule.methods & {"GET", "POST"}):
            path = address(rule)
            answer = client.get(path) if method == "GET" else client.post_form(path)
            if answer.status_code != 303 or not answer.location.startswith("/sign-in"):
                open_doors.append(f"{method} {path} ({rule.endpoint}): {answer.status_code}")
    assert open_doors == []


def test_every_post_wants_a_token(app, client):
    for rule in app.url_map.iter_rules():
        if "POST" in rule.methods:
            assert client.post(address(rule)).status_code == 400, rule.endpoint


def test_somebody_without_a_role_finds_no_desk(client_as, session):
    nobody = client_as(make_user(session))
    for path in ("/operator", "/operator/admissions", "/hr/staff", "/hr/policy", "/initiative/profile"):
        assert nobody.get(path).status_code == 404
    assert nobody.get("/account").status_code == 200


def test_each_action_names_roles_that_exist():
    assert all(roles and roles <= set(Role) for roles in RULES.values())


@pytest.mark.parametrize("path", ["/nowhere", "/hr/nowhere", "/account/nowhere"])
def test_a_page_that_does_not_exist_is_not_found(client, path):
    assert client.get(path).status_code == 404
