"""The coaching agreement: nothing counts before both accepted it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import Story, balance, mails_to, story
from timebank import clock
from timebank.agreements import queries, service, texts
from timebank.agreements.facts import AgreementFacts
from timebank.agreements.models import Agreement, AgreementState, AgreementTemplate
from timebank.errors import NotFound, NotPermitted, WrongState
from timebank.matches import service as matches
from timebank.matches.models import MatchState


@pytest.fixture
def told(session: Session, held_clock: Any) -> Story:
    told = story(session)
    told.accept()
    return told


def drafted(told: Story) -> Agreement:
    found = queries.for_match(
        told.session,
        organisation_id=told.employment.organisation_id,
        initiative_id=told.initiative.id,
        match_id=told.match.id,
    )
    assert found is not None
    return found


def test_a_confirmed_match_waits_for_both_signatures(told: Story, session: Session) -> None:
    agreement = drafted(told)
    assert (agreement.state, told.match.state) == (AgreementState.DRAFTED, MatchState.CONFIRMED)
    service.accept_as_initiative(
        session, agreement.public_id, actor=told.act_as(told.coordinator), now=clock.now()
    )
    session.commit()
    assert (agreement.state, told.match.state) == (AgreementState.HALF, MatchState.CONFIRMED)
    for _twice in range(2):
        service.accept_as_company(
            session, agreement.public_id, standing=False, actor=told.act_as(told.hr), now=clock.now()
        )
    session.commit()
    session.refresh(told.match)
    assert (agreement.state, told.match.state) == (AgreementState.IN_FORCE, MatchState.ACTIVE)


def test_hr_hears_that_a_text_waits_without_a_name(told: Story, session: Session) -> None:
    mail = mails_to(session, told.hr.email)[-1]
    assert told.initiative.name in mail.subject
    assert told.coach.last_name not in mail.subject + mail.body


def test_the_text_names_the_coach_only_where_it_is_shared(told: Story, session: Session) -> None:
    assert told.coach.last_name not in drafted(told).body
    assert told.employment.pseudonym in drafted(told).body
    other = story(session)
    assert other.employment.organisation.policy is not None
    other.employment.organisation.policy.names_visible = True
    other.pledge.shares_choice = True
    other.accept()
    assert other.coach.name in drafted(other).body


def test_only_hr_and_coordinator_accept(told: Story, session: Session) -> None:
    agreement = drafted(told)
    stranger = story(session)
    for actor in (told.coach, stranger.hr, told.coordinator):
        with pytest.raises((NotFound, NotPermitted)):
            service.accept_as_company(
                session, agreement.public_id, standing=False, actor=told.act_as(actor), now=clock.now()
            )
    for actor in (told.coach, told.hr, stranger.coordinator):
        with pytest.raises((NotFound, NotPermitted)):
            service.accept_as_initiative(
                session, agreement.public_id, actor=told.act_as(actor), now=clock.now()
            )


def test_nobody_accepts_for_both_sides(told: Story, session: Session) -> None:
    from timebank.auth.models import Role

    make.grant(session, told.hr, Role.COORDINATOR, initiative_id=told.initiative.id)
    agreement = drafted(told)
    actor = told.act_as(told.hr)
    service.accept_as_company(session, agreement.public_id, standing=False, actor=actor, now=clock.now())
    with pytest.raises(NotPermitted):
        service.accept_as_initiative(session, agreement.public_id, actor=actor, now=clock.now())


def test_a_standing_yes_covers_later_coachings(told: Story, session: Session) -> None:
    first = drafted(told)
    standing = service.accept_as_company(
        session, first.public_id, standing=True, actor=told.act_as(told.hr), now=clock.now()
    )
    session.commit()
    assert (first.state, standing.match_id, standing.state) == (
        AgreementState.ENDED,
        None,
        AgreementState.HALF,
    )
    assert told.employment.pseudonym not in standing.body
    service.accept_as_initiative(
        session, standing.public_id, actor=told.act_as(told.coordinator), now=clock.now()
    )
    session.commit()
    session.refresh(told.match)
    assert told.match.state is MatchState.ACTIVE
    later = make.make_match(
        session, told.pledge, make.make_request(session, told.initiative, minutes_per_coach=60)
    )
    matches.accept_as_coach(session, later.public_id, actor=told.act_as(told.coach), now=clock.now())
    matches.accept_as_initiative(
        session, later.public_id, actor=told.act_as(told.coordinator), now=clock.now()
    )
    session.commit()
    assert later.state is MatchState.ACTIVE


def test_a_standing_yes_after_the_initiative_s_does_not_make_the_match_wait(
    told: Story, session: Session
) -> None:
    first = drafted(told)
    service.accept_as_initiative(
        session, first.public_id, actor=told.act_as(told.coordinator), now=clock.now()
    )
    service.accept_as_company(
        session, first.public_id, standing=True, actor=told.act_as(told.hr), now=clock.now()
    )
    session.commit()
    session.refresh(told.match)
    assert told.match.state is MatchState.ACTIVE
    assert {a.state for a in session.scalars(select(Agreement))} == {
        AgreementState.IN_FORCE,
        AgreementState.HALF,
    }


def test_an_ended_text_can_no_longer_be_accepted(told: Story, session: Session) -> None:
    agreement = drafted(told)
    for _twice in range(2):
        service.end(session, agreement.public_id, actor=told.act_as(told.hr), now=clock.now())
    session.commit()
    with pytest.raises(WrongState):
        service.accept_as_initiative(
            session, agreement.public_id, actor=told.act_as(told.coordinator), now=clock.now()
        )


def test_a_coaching_stops_when_its_agreement_ends(told: Story, session: Session) -> None:
    told.agree()
    session.refresh(told.match)
    assert told.match.state is MatchState.ACTIVE
    service.end(session, drafted(told).public_id, actor=told.act_as(told.coordinator), now=clock.now())
    session.commit()
    session.refresh(told.match)
    assert told.match.state is MatchState.CANCELLED
    assert balance(session, told.pledge) == (600, 0, 0, 0)


@pytest.mark.parametrize(
    ("postcode", "own", "language"),
    [("9000", "fr", "nl"), ("5000", "nl", "fr"), ("1000", "fr", "fr"), ("1000", "nl", "nl")],
)
@pytest.mark.usefixtures("held_clock")
def test_the_language_follows_the_site(session: Session, postcode: str, own: str, language: str) -> None:
    from timebank.matches.service.agreeing import agreement_language

    employment = make.make_employment(session, postcode=postcode, language=own)
    match = make.make_match(session, make.make_pledge(session, employment))
    assert agreement_language(match, clock.today()) == language


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
@pytest.mark.parametrize("standing", [True, False])
def test_every_blank_is_filled_and_names_are_left_as_they_are(language: str, standing: bool) -> None:
    facts = AgreementFacts(
        employment_id=1,
        company="Delta {Staal}",
        company_number="0566988259",
        initiative="De Schroef",
        host="De Schroef vzw",
        host_number=None,
        coach="E-1",
        title="{host} & co",
        skills=("Boekhouding",),
        minutes=390,
        from_date=date(2026, 4, 1),
        until_date=date(2026, 6, 30),
        place="Gent",
        remote=True,
        contact="Fatima El Amrani",
    )
    text = texts.fill(texts.body(language), facts, language, standing=standing)
    assert "Delta {Staal} (0566.988.259)" in text
    assert "1987" in text
    assert ("Gent" in text) is not standing, "where it may be on site, the agreement names the place"
    assert ("{host} & co" in text) is not standing
    assert text.replace("{Staal}", "").replace("{host}", "").count("{") == 0
    assert [line.split(".")[0] for line in text.split("\n") if line[:2].strip(". ").isdigit()] == [
        str(n) for n in range(1, 11)
    ]


def test_templates_are_seeded_once(session: Session) -> None:
    for _twice in range(2):
        service.seed_templates(session, now=clock.now())
    session.commit()
    templates = session.scalars(select(AgreementTemplate)).all()
    assert sorted(t.language for t in templates) == ["en", "fr", "nl"]
