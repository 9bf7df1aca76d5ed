"""Forgotten and changed passwords, and one's own account."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.factories import make_operator, make_user
from tests.support.client import PASSWORD
from timebank import clock
from timebank.auth import service
from timebank.auth.models import LoginAttempt, PasswordReset, User, UserSession
from timebank.notifications.models import OutboxMessage

NEW = "een heel nieuw wachtwoord"


@pytest.fixture
def ann(session):
    user = make_operator(session, email="ann@example.test", language="fr")
    session.commit()
    return user


def mails(session, kind):
    return session.scalars(
        select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)
    ).all()


def link(session):
    return re.search(r"/reset/\S+", mails(session, "password_reset")[-1].body)[0]


def ask(client, email="ann@example.test"):
    return client.post_form("/reset", {"email": email})


def choose(client, where, password=NEW, again=None):
    return client.post_form(where, {"password": password, "again": again or password})


# --- by a mailed link -----------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_mailed_link_sets_a_new_password_once_and_signs_out_everywhere(session, client, client_as, ann):
    elsewhere = client_as(ann)
    assert ask(client).status_code == 200
    mail = mails(session, "password_reset")[0]
    assert (mail.email, mail.language, mail.user_id) == ("ann@example.test", "fr", ann.id)
    where = link(session)
    assert client.get(where).status_code == 200
    assert choose(client, where).location == "/sign-in"
    assert elsewhere.get("/account").status_code == 303
    client.sign_in("ann@example.test", NEW)
    assert client.get(where).status_code == 410
    assert choose(client, where, "yet another password").status_code == 410
    assert len(mails(session, "password_changed")) == 1


def test_the_answer_does_not_tell_who_has_an_account(session, client, ann):
    known, unknown = ask(client).text, ask(client, "bob@example.test").text
    strip = re.compile(r"(ann|bob)@example\.test|[\w.-]{40,}")
    assert strip.sub("", known) == strip.sub("", unknown)
    assert len(mails(session, "password_reset")) == 1


def test_a_link_works_for_an_hour(session, client, ann, held_clock):
    ask(client)
    where = link(session)
    held_clock.move(minutes=61)
    assert client.get(where).status_code == 410
    assert choose(client, where).status_code == 410


def test_using_one_link_ends_the_others(session, client, ann):
    ask(client)
    first = link(session)
    ask(client)
    choose(client, link(session))
    assert choose(client, first).status_code == 410


def test_the_database_holds_no_link(session, client, ann):
    ask(client)
    token = link(session).rsplit("/", 1)[1]
    assert session.scalars(select(PasswordReset)).one().token_hash != token


@pytest.mark.parametrize(
    "password", ["short", "a" * 12, "ann@example.test", "password1234", "1234567890", "x\x00" * 9]
)
def test_a_weak_password_is_refused_and_the_link_still_works(session, client, ann, password):
    ask(client)
    where = link(session)
    assert choose(client, where, password).status_code == 422
    assert choose(client, where).status_code == 303


def test_two_different_passwords_are_refused(session, client, ann):
    ask(client)
    assert choose(client, link(session), NEW, NEW + "!").status_code == 422


def test_a_made_up_link_does_not_work(client, ann):
    assert client.get("/reset/made-up").status_code == 410
    assert client.get("/invitations/made-up").status_code == 410
    assert choose(client, "/reset/made-up").status_code == 410


def test_links_cannot_be_asked_for_without_end(session, client, ann):
    statuses = [ask(client).status_code for _n in range(6)]
    assert statuses == [200] * 5 + [429]
    assert len(mails(session, "password_reset")) == 5


def test_a_disabled_account_gets_no_link(session, client, ann):
    session.get_one(User, ann.id).disabled_at = clock.now()
    session.commit()
    assert ask(client).status_code == 200
    assert mails(session, "password_reset") == []


# --- one's own account ----------------------------------------------------------------------------------------------


def test_a_changed_password_keeps_this_browser_and_ends_the_others(session, client_as, sign_in, ann):
    here, elsewhere = client_as(ann), sign_in("ann@example.test")
    form = {"current": PASSWORD, "new": NEW, "again": NEW}
    assert here.post_form("/account/password", form).status_code == 303
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    sign_in("ann@example.test", NEW)


@pytest.mark.parametrize(
    "form",
    [
        {"current": "wrong", "new": NEW, "again": NEW},
        {"current": PASSWORD, "new": "short", "again": "short"},
        {"current": PASSWORD, "new": NEW, "again": "different"},
        {"current": PASSWORD, "new": "", "again": ""},
    ],
)
def test_a_password_that_cannot_be_changed_stays(session, client_as, sign_in, ann, form):
    answer = client_as(ann).post_form("/account/password", form)
    assert answer.status_code == 422
    assert "tb-errors" in answer.text
    sign_in("ann@example.test", PASSWORD)


def test_the_current_password_cannot_be_guessed_without_end(client_as, ann):
    here = client_as(ann)
    form = {"current": "wrong guess", "new": NEW, "again": NEW}
    statuses = [here.post_form("/account/password", form).status_code for _n in range(9)]
    assert statuses == [422] * 8 + [429]


def test_details_are_kept(session, client_as, ann):
    here = client_as(ann)
    form = {"first_name": "Ann", "last_name": "O’Neill", "language": "en", "theme": "dark"}
    assert here.post_form("/account/profile", form).status_code == 303
    user = session.get_one(User, ann.id)
    assert (user.name, user.language, user.theme) == ("Ann O’Neill", "en", "dark")
    page = here.get("/account").text
    assert 'lang="en"' in page
    assert 'data-bs-theme="dark"' in page


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("first_name", ""),
        ("first_name", "x" * 100_000),
        ("last_name", "a\x07"),
        ("language", "de"),
        ("theme", "pink"),
    ],
)
def test_details_that_are_wrong_are_shown_again(session, client_as, ann, field, typed):
    form = {"first_name": "Ann", "last_name": "Other", "language": "en", "theme": "dark", field: typed}
    answer = client_as(ann).post_form("/account/profile", form)
    assert answer.status_code == 422
    assert session.get_one(User, ann.id).first_name == "Oda"


def test_the_language_that_is_picked_follows_to_another_browser(session, client_as, sign_in, ann):
    assert client_as(ann).post_form("/language/en").status_code == 303
    assert session.get_one(User, ann.id).language == "en"
    assert 'lang="en"' in sign_in("ann@example.test").get("/account").text


@pytest.mark.both
def test_one_session_or_all_others_are_ended(session, client_as, sign_in, ann):
    here = client_as(ann)
    others = [sign_in("ann@example.test") for _n in range(3)]
    page = here.get("/account").text
    first = re.search(r"/account/sessions/[0-9a-f-]+/end", page)[0]
    assert here.post_form(first).status_code == 303
    assert [o.get("/account").status_code for o in others].count(303) == 1
    assert here.post_form(first).status_code == 303  # again: nothing changes
    here.post_form("/account/sessions/end-others")
    assert [o.get("/account").status_code for o in others] == [303] * 3
    assert here.get("/account").status_code == 200


def test_nobody_ends_the_session_of_another(session, client_as, ann):
    victim = client_as(ann)
    public_id = session.scalars(select(UserSession.public_id)).one()
    stranger = client_as(make_user(session))
    assert stranger.post_form(f"/account/sessions/{public_id}/end").status_code == 404
    assert victim.get("/account").status_code == 200


def test_old_attempts_are_forgotten(session, app, ann):
    with app.test_request_context():
        long_ago = clock.now() - timedelta(days=2)
        service.throttle(session, "account", "x", most=9, within=timedelta(minutes=1), now=long_ago)
        service.open_session(session, ann, user_agent="", address="", now=clock.now())
    assert session.scalars(select(LoginAttempt)).all() == []
