"""What people and the operator say before a run: stars, pinned and forbidden pairs, and who comes next."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories as make
from tests.matches.test_races import at_once
from timebank import clock
from timebank.audit.models import AuditEntry
from timebank.auth.actor import COMMAND_LINE, Actor
from timebank.auth.models import Role, User
from timebank.coaching.models import CoachingRequest
from timebank.errors import Conflict, DomainError, Invalid, NotFound, NotPermitted
from timebank.matches.models import Match, MatchState
from timebank.matching import kernel, pairs, queries, runs, snapshot, stars
from timebank.matching.models import (
    CoachStar,
    Mode,
    Outcome,
    PairKind,
    PairRule,
    RequestStar,
    Run,
    RunSeat,
    RunTrigger,
)
from timebank.organisations.models import ConflictOfInterest
from timebank.pledges.models import Pledge

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database_kind")]


def a_run(session: Session, **more: Any) -> Run:
    session.commit()
    run = runs.run_now(actor=COMMAND_LINE, trigger=RunTrigger.COMMAND, as_of=None, proposal_days=7, **more)
    session.expire_all()
    return run


def proposed(session: Session) -> set[tuple[int, int]]:
    return {(m.pledge_id, m.request_id) for m in session.scalars(select(Match))}


@pytest.fixture
def operator(session: Session) -> Actor:
    return make.actor(session, make.make_operator(session))


def coach_of(session: Session, pledge: Pledge) -> Actor:
    return make.actor(session, session.get_one(User, pledge.employment.user_id))


def rule(
    session: Session, kind: PairKind, pledge: Pledge, request: CoachingRequest, actor: Actor
) -> PairRule:
    return pairs.rule_pair(
        session,
        kind=kind,
        pseudonym=pledge.employment.pseudonym,
        request_id=request.public_id,
        reason="Ze kennen elkaar van de proeftuin",
        actor=actor,
        now=clock.now(),
    )


# --- stars ----------------------------------------------------------------------------------------------------------


def test_the_request_that_an_employee_starred_comes_first(session: Session) -> None:
    pledge = make.make_pledge(session, minutes=360)
    make.make_request(session)
    wished = make.make_request(session)
    coach = coach_of(session, pledge)
    for _time in range(2):
        assert stars.star_request(session, wished.public_id, True, actor=coach, now=clock.now())
    run = a_run(session)
    assert proposed(session) == {(pledge.id, wished.id)}
    match = session.scalars(select(Match)).one()
    assert sum(r["points"] for r in match.reasons) == match.weight == run.value
    star = [r for r in match.reasons if r["term"] == "star"]
    assert star == [{"term": "star", "points": 150, "by": "coach"}]
    files = runs.run_files(session, run.public_id)
    import io

    found = kernel.verify_files(io.BytesIO(files["problem.npz"]), io.BytesIO(files["solution.npz"]))
    assert found.value == run.value


def test_the_coach_whom_an_initiative_starred_comes_first(session: Session) -> None:
    make.make_pledge(session)
    wished = make.make_pledge(session)
    request = make.make_request(session)
    coordinator = make.actor(session, make.make_coordinator(session, request.initiative))
    session.commit()
    for _time in range(2):
        assert stars.star_coach(
            session,
            request.public_id,
            wished.public_id,
            True,
            actor=coordinator,
            now=clock.now(),
            as_of=clock.today(),
        )
    a_run(session)
    assert proposed(session) == {(wished.id, request.id)}


def test_a_star_that_was_taken_away_counts_no_more(session: Session) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    coach = coach_of(session, pledge)
    for wanted in (True, False, False):
        stars.star_request(session, request.public_id, wanted, actor=coach, now=clock.now())
    run = a_run(session)
    assert "star" not in {r["term"] for r in session.scalars(select(Match)).one().reasons}
    assert run.parameters["w_star"] == 150


def test_who_is_no_employee_stars_no_request(session: Session) -> None:
    request = make.make_request(session)
    coordinator = make.actor(session, make.make_coordinator(session, request.initiative))
    with pytest.raises(NotPermitted):
        stars.star_request(session, request.public_id, True, actor=coordinator, now=clock.now())


def test_another_initiative_neither_sees_profiles_nor_stars_them(session: Session) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    stranger = make.actor(session, make.make_coordinator(session, make.make_initiative(session)))
    session.commit()
    with pytest.raises(NotFound):
        stars.own_request(session, request.public_id, actor=stranger)
    with pytest.raises(NotFound):
        stars.star_coach(
            session,
            request.public_id,
            pledge.public_id,
            True,
            actor=stranger,
            now=clock.now(),
            as_of=clock.today(),
        )


def test_a_pledge_that_does_not_fit_cannot_be_starred(session: Session) -> None:
    far = make.make_pledge(session, postcode="8400", radius_km=5)
    request = make.make_request(session, postcode="3500")
    coordinator = make.actor(session, make.make_coordinator(session, request.initiative))
    session.commit()
    with pytest.raises(NotFound):
        stars.star_coach(
            session,
            request.public_id,
            far.public_id,
            True,
            actor=coordinator,
            now=clock.now(),
            as_of=clock.today(),
        )


@pytest.mark.parametrize("people", [4, 5])
def test_a_profile_names_the_company_only_where_enough_people_pledge(session: Session, people: int) -> None:
    company = make.make_company(session, name="Delta Staal")
    for _each in range(people):
        make.make_pledge(session, make.make_employment(session, company))
    request = make.make_request(session)
    session.commit()
    found = stars.profiles(session, request, clock.today())
    assert len(found) == people
    assert {p.company for p in found} == {"Delta Staal" if people >= 5 else None}
    assert {p.band for p in found} == {5}


def test_two_clicks_at_once_leave_one_star(app: Flask, session: Session) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    coach, public_id = coach_of(session, pledge), request.public_id
    session.commit()
    at_once(
        app,
        *(
            lambda unit: stars.star_request(unit, public_id, True, actor=coach, now=clock.now())
            for _each in range(2)
        ),
    )
    assert session.scalar(select(func.count()).select_from(RequestStar)) == 1


# --- pins and forbidden pairs ---------------------------------------------------------------------------------------


def test_a_pinned_pair_is_proposed_first_and_the_best_is_sought_for_the_rest(
    session: Session, operator: Actor
) -> None:
    far = make.make_pledge(session, postcode="8400", radius_km=5)
    near = make.make_pledge(session)
    pinned, other = make.make_request(session), make.make_request(session)
    rule(session, PairKind.PIN, far, pinned, operator)
    run = a_run(session)
    assert proposed(session) == {(far.id, pinned.id), (near.id, other.id)}
    assert (run.proposals, run.pledges, run.seats, queries.pinned(session, run)) == (2, 1, 1, 1)
    match = session.scalars(select(Match).where(Match.pledge_id == far.id)).one()
    assert sum(r["points"] for r in match.reasons) == match.weight


def test_a_pin_is_kept_once(session: Session, operator: Actor, held_clock: Any) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    rule(session, PairKind.PIN, pledge, request, operator)
    a_run(session)
    match = session.scalars(select(Match)).one()
    match.state, match.ended_at = MatchState.EXPIRED, clock.now()
    run = a_run(session)
    assert queries.pinned(session, run) == 0


def test_a_pin_without_enough_hours_waits(session: Session, operator: Actor) -> None:
    pledge, request = make.make_pledge(session, minutes=120), make.make_request(session)
    rule(session, PairKind.PIN, pledge, request, operator)
    assert a_run(session).proposals == 0


def test_with_several_seats_a_pinned_coach_takes_part_with_the_hours_that_are_left(
    session: Session, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pledge = make.make_pledge(session, minutes=900)
    rule(session, PairKind.PIN, pledge, make.make_request(session), operator)
    make.make_request(session)
    session.commit()
    assert snapshot.take(session, clock.today()).pool == []
    left = snapshot.take(session, clock.today(), several=True)
    assert [entry.free for entry in left.pool] == [540]
    assert Mode.BUNDLE == "bundle"


def test_a_forbidden_pair_is_never_proposed_until_it_is_undone(session: Session, operator: Actor) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    kept = rule(session, PairKind.FORBID, pledge, request, operator)
    run = a_run(session)
    assert run.proposals == 0
    assert session.scalars(select(RunSeat.rule)).all() == ["excluded_pair"]
    for _time in range(2):
        pairs.undo_rule(session, kept.public_id, actor=operator, now=clock.now())
    assert a_run(session).proposals == 1
    said = session.scalars(
        select(AuditEntry.action).where(AuditEntry.action.like("pair%")).order_by(AuditEntry.id)
    ).all()
    assert said == ["pair_ruled", "pair_rule_undone"]
    assert "proeftuin" not in str(session.scalars(select(AuditEntry.detail)).all())


def test_a_pair_that_is_forbidden_after_the_look_is_not_sent(session: Session, operator: Actor) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    session.commit()
    asked = runs.request_run(
        session, actor=operator, now=clock.now(), trigger=RunTrigger.OPERATOR, preview=True
    )
    session.commit()
    runs.execute(asked.public_id, proposal_days=7)
    rule(session, PairKind.FORBID, pledge, request, operator)
    run = runs.apply_run(session, asked.public_id, actor=operator, now=clock.now(), days=7)
    assert run.proposals == 0
    assert session.scalars(select(RunSeat.outcome)).all() == [Outcome.CHANGED]


def test_who_may_not_meet_cannot_be_pinned(session: Session, operator: Actor) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    session.add(
        ConflictOfInterest(
            employment_id=pledge.employment_id, initiative_id=request.initiative_id, declared_at=clock.now()
        )
    )
    session.flush()
    with pytest.raises(Conflict):
        rule(session, PairKind.PIN, pledge, request, operator)


def test_a_conflict_that_is_declared_later_wins_over_a_pin(session: Session, operator: Actor) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    rule(session, PairKind.PIN, pledge, request, operator)
    make.grant(
        session,
        session.get_one(User, pledge.employment.user_id),
        Role.COORDINATOR,
        initiative_id=request.initiative_id,
    )
    other = make.make_pledge(session)
    a_run(session)
    assert proposed(session) == {(other.id, request.id)}


def test_a_pair_has_one_rule(app: Flask, session: Session, operator: Actor) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    pseudonym, public_id = pledge.employment.pseudonym, request.public_id
    session.commit()
    told = at_once(
        app,
        *(
            lambda unit, kind=kind: (
                pairs.rule_pair(
                    unit,
                    kind=kind,
                    pseudonym=pseudonym,
                    request_id=public_id,
                    reason="Daarom",
                    actor=operator,
                    now=clock.now(),
                ).id
            )
            for kind in PairKind
        ),
    )
    assert sum(isinstance(each, DomainError) for each in told) == 1
    assert session.scalar(select(func.count()).select_from(PairRule)) == 1


def test_only_the_operator_rules_pairs_and_says_why(session: Session, operator: Actor) -> None:
    pledge, request = make.make_pledge(session), make.make_request(session)
    hr = make.actor(session, make.make_hr(session, make.make_company(session)))
    with pytest.raises(NotPermitted):
        rule(session, PairKind.FORBID, pledge, request, hr)
    with pytest.raises(Invalid) as refusal:
        pairs.rule_pair(
            session,
            kind=PairKind.PIN,
            pseudonym="nobody",
            request_id=pledge.public_id,
            reason=" ",
            actor=operator,
            now=clock.now(),
        )
    assert set(refusal.value.fields) == {"pseudonym", "request", "reason"}


# --- who comes next, and who would rather ---------------------------------------------------------------------------


def test_a_run_keeps_who_comes_next_for_each_seat(session: Session) -> None:
    causes = [make.make_pledge(session) for _each in range(5)]
    request = make.make_request(session)
    run = a_run(session)
    shown, _more = queries.proposals(session, run)
    assert len(shown[0].reserve) == 3
    assert shown[0].pledge.id not in {each.pledge.id for each in shown[0].reserve}
    assert {each.less for each in shown[0].reserve} == {0}
    assert {each.pledge.id for each in shown[0].reserve} < {p.id for p in causes}
    assert (run.blocking_pairs, request.id) == (0, shown[0].request.id)


def test_a_run_counts_pairs_that_would_both_rather_be_together(session: Session) -> None:
    """One seat for two coaches. The nearer has no wish; the other is wanted and wants, but lives further: by weight the
    near one wins as long as a star weighs little, and both would rather be with each other by more than that."""
    near = make.make_pledge(session, minutes=360)
    old = make.make_request(session)
    young = make.make_request(session)
    from datetime import timedelta

    session.get_one(CoachingRequest, old.id).opened_at = clock.now() - timedelta(days=90)
    coordinator = make.actor(session, make.make_coordinator(session, young.initiative))
    session.commit()
    stars.star_request(session, young.public_id, True, actor=coach_of(session, near), now=clock.now())
    stars.star_coach(
        session,
        young.public_id,
        near.public_id,
        True,
        actor=coordinator,
        now=clock.now(),
        as_of=clock.today(),
    )
    run = a_run(session)
    assert proposed(session) == {(near.id, old.id)}, "90 days of waiting weigh more than two stars"
    assert run.blocking_pairs == 1
    assert session.scalar(select(func.count()).select_from(CoachStar)) == 1
