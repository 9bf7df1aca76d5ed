"""Signing in and out, throttled by the database, ended everywhere."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event, select

from tests.conftest import make_client
from tests.factories import make_operator, make_user
from tests.support.client import PASSWORD
from timebank import clock, db, marks
from timebank.auth import service
from timebank.auth.models import LoginAttempt, User, UserSession
from timebank.errors import TooMany


@pytest.fixture
def ann(session):
    user = make_operator(session, email="ann@example.test")
    session.commit()
    return user


def enter(client, email, password=PASSWORD, **more):
    return client.post_form("/sign-in", {"email": email, "password": password, **more})


@pytest.mark.both
def test_the_right_password_leads_to_the_desk_and_the_wrong_one_does_not(client, ann):
    wrong = enter(client, "ann@example.test", "not it at all")
    assert wrong.status_code == 422
    assert "sign-out" not in wrong.text
    assert 'value="ann@example.test"' in wrong.text  # what was typed stays
    right = enter(client, "ANN@example.test ")
    assert (right.status_code, right.location) == (303, "/operator")
    assert "sign-out" in client.get("/account").text


def test_an_unknown_account_gets_the_same_answer_as_a_wrong_password(client, ann):
    known = enter(client, "ann@example.test", "not it at all").text
    unknown = enter(client, "bob@example.test", "not it at all").text

    def without_what_differs(page):
        return re.sub(r"(ann|bob)@example\.test|[\w.-]{40,}|reference.*", "", page)

    assert without_what_differs(known) == without_what_differs(unknown)


def test_an_unknown_account_takes_a_password_check_too(app, ann, monkeypatch):
    checks = []
    real = PasswordHasher.verify

    def counted(self, hashed, password):
        checks.append(password)
        return real(self, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    with app.app_context(), db.read_session() as session:
        assert service.verified_user(session, "nobody@example.test", "x") is None
        assert service.verified_user(session, "ann@example.test", "x") is None
    assert len(checks) == 2


def test_a_disabled_account_cannot_sign_in_and_is_out_at_once(client, client_as, session, ann):
    inside = client_as(ann)
    session.get_one(User, ann.id).disabled_at = clock.now()
    session.commit()
    assert inside.get("/account").status_code == 303
    assert enter(client, "ann@example.test").status_code == 422


def test_the_database_holds_no_token(client_as, session, ann):
    client = client_as(ann)
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    row = session.scalars(select(UserSession)).one()
    assert token not in (row.token_hash, str(row.public_id))
    assert len(row.token_hash) == 64


def test_signing_out_ends_the_session_even_for_a_copy_of_the_cookie(app, client_as, ann):
    client = client_as(ann)
    with client.session_transaction() as cookie:
        stolen = dict(cookie)
    assert client.post_form("/sign-out").status_code == 303
    thief = make_client(app)
    with thief.session_transaction() as cookie:
        cookie.update(stolen)
    assert thief.get("/account").status_code == 303


def test_sign_out_wants_a_post_with_a_token(client_as, ann):
    client = client_as(ann)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 400
    assert client.get("/account").status_code == 200


def test_signing_in_wants_a_token(client, ann):
    answer = client.post("/sign-in", data={"email": "ann@example.test", "password": PASSWORD})
    assert answer.status_code == 400


def test_a_session_is_over_after_thirty_days(held_clock, client_as, ann):
    client = client_as(ann)
    held_clock.move(days=29)
    assert client.get("/account").status_code == 200
    held_clock.move(days=2)
    assert client.get("/account").status_code == 303


def test_signing_in_makes_a_new_session_of_the_browser(client, ann):
    client.get("/sign-in")
    with client.session_transaction() as cookie:
        cookie["planted"] = "by somebody"
    enter(client, "ann@example.test")
    with client.session_transaction() as cookie:
        assert "planted" not in cookie


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ("/account", "/account"),
        ("/account?x=1", "/account?x=1"),
        ("//evil.example/", "/operator"),
        ("https://evil.example/", "/operator"),
        ("/\\evil.example", "/operator"),
        ("javascript:alert(1)", "/operator"),
    ],
)
def test_after_signing_in_people_stay_on_this_site(client, ann, target, goes):
    assert enter(client, "ann@example.test", next=target).location == goes


def test_a_page_asks_to_sign_in_and_then_comes_back(client, ann):
    away = client.get("/account?tab=2")
    assert (away.status_code, away.location) == (303, "/sign-in?next=%2Faccount%3Ftab%3D2")
    page = client.get(away.location)
    assert 'name="next" value="/account?tab=2"' in page.text


def test_htmx_is_told_to_go_to_the_sign_in_page(client):
    answer = client.get("/account", headers={"HX-Request": "true", "Referer": "http://localhost/account"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=%2Faccount"


# --- throttling -----------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_after_eight_wrong_passwords_even_the_right_one_waits(held_clock, client, ann):
    for _n in range(8):
        assert enter(client, "ann@example.test", "not it at all").status_code == 422
    blocked = enter(client, "ann@example.test")
    assert blocked.status_code == 429
    assert "10:15" in blocked.text  # it says when; the clock stands at 10:00
    assert 'value="ann@example.test"' in blocked.text
    held_clock.move(minutes=14)
    assert enter(client, "ann@example.test").status_code == 429
    held_clock.move(minutes=2)
    assert enter(client, "ann@example.test").status_code == 303


def test_an_account_that_does_not_exist_is_throttled_alike(held_clock, client, app):
    statuses = [enter(client, "nobody@example.test", "x" * 12).status_code for _n in range(9)]
    assert statuses == [422] * 8 + [429]


def test_one_address_cannot_try_many_accounts(held_clock, client, ann):
    for n in range(30):
        assert enter(client, f"person{n}@example.test", "x" * 12).status_code == 422
    assert enter(client, "ann@example.test").status_code == 429


def test_the_right_password_forgets_the_slips(held_clock, client, ann, session):
    for _n in range(7):
        enter(client, "ann@example.test", "not it at all")
    assert enter(client, "ann@example.test").status_code == 303
    assert len(session.scalars(select(LoginAttempt)).all()) == 7  # those of the address
    client.post_form("/sign-out")
    for _n in range(7):
        assert enter(client, "ann@example.test", "not it at all").status_code == 422


@pytest.mark.both
def test_attempts_of_all_workers_count_together(app, database_kind):
    def attempt(_n):
        with app.test_request_context():
            try:
                with db.unit_of_work() as unit:
                    service.throttle(
                        unit,
                        "account",
                        "ann@example.test",
                        most=8,
                        within=timedelta(minutes=15),
                        now=clock.now(),
                    )
            except TooMany:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(24))) == 8


def test_what_was_typed_as_an_address_is_not_kept(client, session):
    enter(client, "my secret password", "x" * 12)
    assert not [a for a in session.scalars(select(LoginAttempt)) if "secret" in a.key]


@pytest.mark.parametrize(
    "typed", ["x" * 100_000, "a\x00b@example.test", "\u202eann@example.test", "' OR 1=1 --"]
)
def test_nonsense_as_an_address_is_a_wrong_address(client, ann, typed):
    assert enter(client, typed).status_code in (303, 422)
    assert enter(client, "ann@example.test", typed).status_code == 422


# --- the demo -------------------------------------------------------------------------------------------------------


def test_only_a_demo_offers_its_people(client, session):
    from timebank.auth.web import DEMO_PASSWORD

    service.create_user(
        session, email="hr@demo.example", password=DEMO_PASSWORD, first_name="Hanne", last_name="P",
        language="nl", now=clock.now(),
    )  # fmt: skip
    session.commit()
    assert "hr@demo.example" not in client.get("/sign-in").text
    marks.mark_demo(session)
    session.commit()
    page = client.get("/sign-in").text
    assert 'value="hr@demo.example"' in page
    answer = enter(client, "hr@demo.example", DEMO_PASSWORD)
    assert answer.status_code == 303


def test_a_request_reads_who_is_signed_in_with_one_statement(client_as, ann, app):
    client = client_as(ann)
    statements = []
    listener = lambda *a: statements.append(a[2])  # noqa: E731
    event.listen(db.engine(), "before_cursor_execute", listener)
    client.get("/account")
    event.remove(db.engine(), "before_cursor_execute", listener)
    assert len([s for s in statements if "role_grants" in s]) == 1


def test_a_password_hash_with_old_settings_is_made_anew(app, client, session, ann):
    before = ann.password_hash
    app.config["ARGON2_MEMORY_COST"] = 16
    assert enter(client, "ann@example.test").status_code == 303
    after = session.get_one(User, ann.id).password_hash
    assert after != before
    assert "m=16" in after


def test_somebody_without_any_role_can_sign_in(client, session):
    make_user(session, email="new@example.test")
    session.commit()
    assert enter(client, "new@example.test").location == "/"
