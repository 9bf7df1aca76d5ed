"""Yes and no to a proposal."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.arrange import Story, balance, mails_to, story
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.coaching.models import RequestState
from timebank.errors import Expired, NotFound, NotPermitted, WrongState
from timebank.ledger.models import LedgerTransaction, TransactionKind
from timebank.ledger.verify import verify
from timebank.matches import queries, service
from timebank.matches.models import DeclineReason, MatchState, Side
from timebank.pledges import service as pledges

pytestmark = pytest.mark.usefixtures("held_clock")


@pytest.fixture
def told(session: Session) -> Story:
    return story(session)


def test_a_proposal_holds_hours_without_booking_them(told: Story, session: Session) -> None:
    assert balance(session, told.pledge) == (600, 0, 0, 0)
    assert queries.free_minutes(session, [told.pledge.id]) == {told.pledge.id: 240}
    assert [r.minutes for r in told.match.reservations] == [360]


@pytest.mark.parametrize("coach_first", [True, False])
def test_the_second_yes_books_whichever_side_comes_first(
    told: Story, session: Session, coach_first: bool
) -> None:
    now = clock.now()
    coach, coordinator = told.act_as(told.coach), told.act_as(told.coordinator)
    acts = [(service.accept_as_coach, coach), (service.accept_as_initiative, coordinator)]
    (first, first_actor), (second, second_actor) = acts if coach_first else reversed(acts)
    first(session, told.match.public_id, actor=first_actor, now=now)
    session.commit()
    assert balance(session, told.pledge) == (600, 0, 0, 0)
    second(session, told.match.public_id, actor=second_actor, now=now)
    session.commit()
    assert told.match.state is MatchState.CONFIRMED
    assert balance(session, told.pledge) == (240, 360, 0, 0)
    assert queries.free_minutes(session, [told.pledge.id]) == {told.pledge.id: 240}
    assert verify(session).first_break is None


def test_the_same_yes_twice_gives_the_same_answer(told: Story, session: Session) -> None:
    actor, now = told.act_as(told.coach), clock.now()
    first = service.accept_as_coach(session, told.match.public_id, actor=actor, now=now)
    again = service.accept_as_coach(session, told.match.public_id, actor=actor, now=now + timedelta(hours=1))
    assert again is first
    assert again.coach_accepted_at == now
    told.accept()
    service.accept_as_coach(session, told.match.public_id, actor=actor, now=now)
    session.commit()
    booked = session.scalars(
        select(LedgerTransaction).where(LedgerTransaction.kind == TransactionKind.RESERVE)
    ).all()
    assert len(booked) == 1


def test_a_yes_after_expiry_is_refused_and_leaves_nothing(told: Story, session: Session) -> None:
    late = told.match.expires_at
    with pytest.raises(Expired):
        service.accept_as_coach(session, told.match.public_id, actor=told.act_as(told.coach), now=late)
    session.rollback()
    session.refresh(told.match)
    assert told.match.coach_accepted_at is None
    assert service.expire_open(session, now=late) == 1
    session.commit()
    assert told.match.state is MatchState.EXPIRED
    assert queries.free_minutes(session, [told.pledge.id]) == {told.pledge.id: 600}
    with pytest.raises(WrongState):
        service.accept_as_coach(session, told.match.public_id, actor=told.act_as(told.coach), now=late)
    assert service.expire_open(session, now=late) == 0


def test_a_pair_that_expired_may_be_proposed_again(told: Story, session: Session) -> None:
    service.expire_open(session, now=told.match.expires_at)
    session.commit()
    assert make.make_match(session, told.pledge, told.request).state is MatchState.PROPOSED


@pytest.mark.parametrize("side", list(Side))
def test_a_no_frees_both_and_parts_them_for_good(told: Story, session: Session, side: Side) -> None:
    actor = told.act_as(told.coach if side is Side.COACH else told.coordinator)
    for _twice in range(2):
        service.decline(
            session,
            told.match.public_id,
            side=side,
            reason=DeclineReason.TIME,
            note="Liever in het najaar",
            actor=actor,
            now=clock.now(),
        )
        session.commit()
    assert told.match.state is MatchState.DECLINED
    assert told.match.declined_by is side
    assert queries.free_minutes(session, [told.pledge.id]) == {told.pledge.id: 600}
    assert (told.employment.id, told.request.id) in queries.separated_pairs(session)
    result = service.propose(session, [proposal(told)], now=clock.now(), days=7)
    assert [why for _item, why in result.lost] == [service.Lost.PAIR]


def test_a_conflict_of_interest_keeps_them_apart_for_every_request(told: Story, session: Session) -> None:
    service.decline(
        session,
        told.match.public_id,
        side=Side.COACH,
        reason=DeclineReason.CONFLICT_OF_INTEREST,
        note="",
        actor=told.act_as(told.coach),
        now=clock.now(),
    )
    session.commit()
    other = make.make_request(session, told.initiative, title="Een andere vraag")
    wanted = service.ProposalInput(other.seats[0].id, told.pledge.id, 1, [], None)
    result = service.propose(session, [wanted], now=clock.now(), days=7)
    assert [why for _item, why in result.lost] == [service.Lost.CONFLICT]


def proposal(told: Story) -> service.ProposalInput:
    return service.ProposalInput(told.request.seats[0].id, told.pledge.id, 1, [], None)


def test_strangers_learn_nothing(told: Story, session: Session) -> None:
    other = story(session)
    for stranger in (told.hr, other.coach, other.coordinator):
        with pytest.raises(NotFound):
            service.accept_as_coach(
                session, told.match.public_id, actor=told.act_as(stranger), now=clock.now()
            )
        with pytest.raises((NotFound, NotPermitted)):
            service.accept_as_initiative(
                session, told.match.public_id, actor=told.act_as(stranger), now=clock.now()
            )


def test_nobody_says_yes_on_both_sides(told: Story, session: Session) -> None:
    from timebank.auth.models import Role

    make.grant(session, told.coach, Role.COORDINATOR, initiative_id=told.initiative.id)
    with pytest.raises(NotPermitted):
        service.accept_as_initiative(
            session, told.match.public_id, actor=told.act_as(told.coach), now=clock.now()
        )


def test_withdrawn_approval_takes_open_proposals_back(told: Story, session: Session) -> None:
    pledges.withdraw_approval(
        session, told.pledge.public_id, "Te druk", actor=told.act_as(told.hr), now=clock.now()
    )
    session.commit()
    assert told.match.state is MatchState.CANCELLED
    with pytest.raises(WrongState):
        service.accept_as_coach(session, told.match.public_id, actor=told.act_as(told.coach), now=clock.now())
    result = service.propose(session, [proposal(told)], now=clock.now(), days=7)
    assert [why for _item, why in result.lost] == [service.Lost.PLEDGE]


def test_withdrawn_approval_leaves_what_both_agreed(told: Story, session: Session) -> None:
    told.accept()
    pledges.withdraw_approval(
        session, told.pledge.public_id, "Te druk", actor=told.act_as(told.hr), now=clock.now()
    )
    session.commit()
    session.refresh(told.match)
    assert told.match.state is MatchState.CONFIRMED
    assert balance(session, told.pledge) == (0, 360, 0, 240)


def test_the_last_seat_closes_the_request_and_a_stop_opens_it_again(told: Story, session: Session) -> None:
    told.accept()
    session.refresh(told.request)
    assert told.request.state is RequestState.CLOSED
    service.cancel(
        session, told.match.public_id, "Ziek", actor=told.act_as(told.coordinator), now=clock.now()
    )
    session.commit()
    session.refresh(told.request)
    assert told.request.state is RequestState.OPEN
    assert balance(session, told.pledge) == (600, 0, 0, 0)
    assert verify(session).first_break is None


def test_each_side_hears_what_concerns_it_without_the_other_s_name(told: Story, session: Session) -> None:
    before = "\n".join(m.subject + m.body for m in mails_to(session, told.coordinator.email))
    assert told.coach.last_name not in before
    own = "\n".join(m.subject + m.body for m in mails_to(session, told.coach.email))
    assert told.initiative.contact_email not in own
    told.accept()
    assert told.coach.email in mails_to(session, told.coordinator.email)[-1].body
    assert told.initiative.contact_email in mails_to(session, told.coach.email)[-1].body


def test_mails_speak_the_receiver_s_language(session: Session) -> None:
    told = story(session)
    told.coach.language = "fr"
    told.accept()
    languages = {m.language for m in mails_to(session, told.coach.email)}
    assert languages == {"nl", "fr"}  # the proposal came before the choice


def test_every_act_leaves_an_audit_line(told: Story, session: Session) -> None:
    told.accept()
    actions = session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == told.match.public_id).order_by(AuditEntry.id)
    ).all()
    assert actions == ["match_proposed", "match_accepted", "match_accepted", "match_confirmed"]
