"""An employee says anew what they can do, where and when; hours and days stay as they were approved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.auth.models import User
from timebank.errors import Invalid, NotFound, WrongState
from timebank.pledges import service
from timebank.pledges.models import Pledge
from timebank.pledges.rules import Description
from timebank.taxonomy import queries as taxonomy

Enter = Callable[[User], Any]


def described(session: Session, **over: Any) -> Description:
    values: dict[str, Any] = {
        "skills": [(make.skill_id(session, "bookkeeping"), 2), (make.skill_id(session, "spreadsheets"), 1)],
        "language_bits": 3,
        "postcode": "3500",
        "radius_km": 60,
        "remote": True,
        "week_bits": 7,
        "wanted_cause_ids": [taxonomy.cause_ids(session)["circular"]],
        "excluded_cause_ids": [],
        "shares_choice": True,
        **over,
    }
    return Description(**values)


def coach_of(session: Session, pledge: Pledge) -> User:
    return session.get_one(User, pledge.employment.user_id)


@pytest.mark.both
@pytest.mark.usefixtures("database_kind")
def test_what_a_pledge_says_changes_and_its_hours_stay(session: Session) -> None:
    pledge = make.make_pledge(session)
    before = (pledge.minutes, pledge.from_date, pledge.until_date, pledge.state)
    actor = make.actor(session, coach_of(session, pledge))
    for _again in range(2):
        service.describe_pledge(session, pledge.public_id, described(session), actor=actor, now=clock.now())
        session.commit()
        session.expire_all()
    changed = session.get_one(Pledge, pledge.id)
    assert (changed.minutes, changed.from_date, changed.until_date, changed.state) == before
    assert {(s.skill.code, s.level) for s in changed.skills} == {("bookkeeping", 2), ("spreadsheets", 1)}
    assert (changed.language_bits, changed.week_bits, changed.radius_km, changed.remote) == (3, 7, 60, True)
    assert (changed.place.code, changed.shares_choice) == ("3500", True)
    assert [(c.cause.code, c.excluded) for c in changed.causes] == [("circular", False)]
    lines = session.scalars(select(AuditEntry).where(AuditEntry.action == "pledge_described")).all()
    assert [set(line.detail) for line in lines] == [{"pledge_id", "employment_id"}] * 2, "no cause is noted"


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"skills": []}, "skills"),
        ({"language_bits": 0}, "languages"),
        ({"week_bits": 0}, "week"),
        ({"radius_km": 301}, "radius_km"),
        ({"postcode": "0000"}, "postcode"),
    ],
)
def test_nonsense_changes_nothing(session: Session, over: dict[str, Any], field: str) -> None:
    pledge = make.make_pledge(session)
    actor = make.actor(session, coach_of(session, pledge))
    with pytest.raises(Invalid) as refused:
        service.describe_pledge(
            session, pledge.public_id, described(session, **over), actor=actor, now=clock.now()
        )
    assert list(refused.value.fields) == [field]
    assert (pledge.radius_km, pledge.language_bits) == (30, 1)


def test_an_ended_pledge_says_nothing_new(session: Session) -> None:
    pledge = make.make_pledge(session)
    actor = make.actor(session, coach_of(session, pledge))
    service.withdraw_pledge(session, pledge.public_id, actor=actor, now=clock.now())
    with pytest.raises(WrongState):
        service.describe_pledge(session, pledge.public_id, described(session), actor=actor, now=clock.now())


def test_nobody_else_changes_it(session: Session, client_as: Enter) -> None:
    pledge = make.make_pledge(session)
    company = pledge.employment.organisation
    others = [
        make.make_hr(session, company),
        session.get_one(User, make.make_employment(session, company).user_id),
        make.make_operator(session),
    ]
    for user in others:
        with pytest.raises(NotFound):
            service.describe_pledge(
                session,
                pledge.public_id,
                described(session),
                actor=make.actor(session, user),
                now=clock.now(),
            )
    for user in others:
        assert client_as(user).get(f"/pledges/{pledge.public_id}/edit").status_code == 404


def test_the_page_shows_what_was_said_and_keeps_what_is_changed(session: Session, client_as: Enter) -> None:
    pledge = make.make_pledge(session)
    client = client_as(coach_of(session, pledge))
    address = f"/pledges/{pledge.public_id}/edit"
    assert address in client.get(f"/pledges/{pledge.public_id}").text
    page = client.get(address).text
    assert 'value="30"' in page
    assert 'name="hours"' not in page
    form = {
        "skills": str(make.skill_id(session, "bookkeeping")),
        f"skills-level-{make.skill_id(session, 'bookkeeping')}": "3",
        "languages": ["nl", "fr"],
        "week": ["mon-am"],
        "postcode": "9000",
        "radius_km": "45",
        "remote": "y",
    }
    assert client.post_form(address, {**form, "radius_km": "400"}).status_code == 422
    assert client.post_form(address, form).status_code == 303
    session.expire_all()
    changed = session.get_one(Pledge, pledge.id)
    assert (changed.radius_km, changed.remote, changed.language_bits, changed.week_bits) == (45, True, 3, 1)
