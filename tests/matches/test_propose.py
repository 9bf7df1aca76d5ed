"""Writing proposals: one that no longer fits costs only itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests import factories as make
from timebank import clock, db, events
from timebank.auth.actor import SYSTEM
from timebank.coaching import service as coaching
from timebank.coaching.models import CoachingRequest
from timebank.matches import queries, service
from timebank.matches.models import Match
from timebank.matches.service import Lost, ProposalInput
from timebank.organisations.models import Admission, ConflictOfInterest
from timebank.pledges.models import Pledge

pytestmark = pytest.mark.usefixtures("held_clock")


def pair(pledge: Pledge, request: CoachingRequest, seat: int = 0) -> ProposalInput:
    return ProposalInput(request.seats[seat].id, pledge.id, 1, [], None)


def test_one_lost_proposal_costs_only_itself(session: Session) -> None:
    pledge, other = make.make_pledge(session), make.make_pledge(session)
    request = make.make_request(session, seats=2)
    result = service.propose(
        session,
        [pair(pledge, request), pair(other, request), pair(other, request, 1)],
        now=clock.now(),
        days=7,
    )
    session.commit()
    assert [m.pledge_id for m in result.created] == [pledge.id, other.id]
    assert [why for _item, why in result.lost] == [Lost.SEAT]


def _unapproved(session: Session, pledge: Pledge, request: CoachingRequest) -> None:
    from timebank.pledges import service as pledges

    user = make.make_hr(session, pledge.employment.organisation)
    pledges.withdraw_approval(
        session, pledge.public_id, "x", actor=make.actor(session, user), now=clock.now()
    )


def _closed(session: Session, pledge: Pledge, request: CoachingRequest) -> None:
    coaching.cancel_request(session, request.public_id, "x", actor=SYSTEM, now=clock.now())


def _paused(session: Session, pledge: Pledge, request: CoachingRequest) -> None:
    coaching.pause_request(session, request.public_id, actor=SYSTEM, now=clock.now())


def _suspended(session: Session, pledge: Pledge, request: CoachingRequest) -> None:
    request.initiative.admission = Admission.SUSPENDED


def _conflict(session: Session, pledge: Pledge, request: CoachingRequest) -> None:
    session.add(
        ConflictOfInterest(
            employment_id=pledge.employment_id,
            initiative_id=request.initiative_id,
            declared_at=clock.now(),
        )
    )


def _spent(session: Session, pledge: Pledge, request: CoachingRequest) -> None:
    make.make_match(session, pledge, make.make_request(session, minutes_per_coach=300))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_unapproved, Lost.PLEDGE),
        (_closed, Lost.REQUEST),
        (_paused, Lost.REQUEST),
        (_suspended, Lost.REQUEST),
        (_conflict, Lost.CONFLICT),
        (_spent, Lost.HOURS),
    ],
)
def test_what_changed_since_the_snapshot_loses_the_proposal(
    session: Session, change: Callable[[Session, Pledge, CoachingRequest], None], why: Lost
) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    wanted = pair(pledge, request)
    change(session, pledge, request)
    session.commit()
    result = service.propose(session, [wanted], now=clock.now(), days=7)
    assert (result.created, [w for _item, w in result.lost]) == ([], [why])


def test_earliest_tranches_are_held_first(session: Session) -> None:
    pledge = make.make_pledge(session, minutes=240, monthly=True)
    match = make.make_match(session, pledge, make.make_request(session, minutes_per_coach=360))
    months = [t.id for t in pledge.tranches]
    assert [(r.tranche_id, r.minutes) for r in match.reservations] == [(months[0], 240), (months[1], 120)]


def test_statements_do_not_grow_with_the_proposals(session: Session) -> None:
    def statements(proposals: int) -> int:
        pledges = [make.make_pledge(session) for _ in range(proposals)]
        request = make.make_request(session, seats=proposals)
        wanted = [pair(p, request, i) for i, p in enumerate(pledges)]
        session.commit()
        session.expire_all()
        seen: list[str] = []
        listener = lambda _c, _k, statement, *_rest: seen.append(statement)  # noqa: E731
        event.listen(db.engine(), "before_cursor_execute", listener)
        try:
            result = service.propose(session, wanted, now=clock.now(), days=7)
        finally:
            event.remove(db.engine(), "before_cursor_execute", listener)
        assert len(result.created) == proposals
        events.discard(session)
        session.rollback()
        # Each mail asks the outbox whether its key is there already.
        return sum(s.startswith("SELECT") and "outbox_messages" not in s for s in seen)

    assert statements(8) == statements(2)


def test_free_minutes_of_a_pledge_without_anything_is_nothing(session: Session) -> None:
    pledge = make.make_pledge(session, approved=False)
    assert queries.free_minutes(session, [pledge.id]) == {pledge.id: 0}
    assert session.query(Match).count() == 0
