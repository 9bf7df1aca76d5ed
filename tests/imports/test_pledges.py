"""Pledges on paper: what happened since a first file decides what a second one may change."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from tests import factories as make
from tests.imports.sending import figures, send
from timebank import clock, db
from timebank.auth.actor import COMMAND_LINE
from timebank.errors import NotFound, NotPermitted
from timebank.imports import service
from timebank.imports.judge import Verdict
from timebank.imports.registry import Act, Scope, spec
from timebank.ledger import service as ledger
from timebank.ledger.verify import verify
from timebank.notifications.models import OutboxMessage
from timebank.organisations.models import Employment
from timebank.pledges.models import EndReason, Pledge, PledgeState
from timebank.taxonomy.bits import language_bits

PERIOD = "2026-04-01;2026-09-30"


@pytest.fixture(autouse=True)
def _march(held_clock):
    return held_clock


PLEDGES = "email;hours;from;until;skills;languages;postcode\n"


@pytest.fixture
def company(session):
    made = make.make_company(session, minutes_per_year=20 * 60)
    make.make_employment(session, made, with_user=False, email="an@x.example", language="fr", postcode="1000")
    return made


def pledge_row(hours: str = "8", period: str = PERIOD, rest: str = "bookkeeping:3;;") -> str:
    return f"an@x.example;{hours};{period};{rest}\n"


def test_a_pledge_on_paper_is_approved_booked_and_its_person_told(session, company):
    assert figures(send(session, "pledges", PLEDGES + pledge_row(), company=company)) == (1, 0, 0)
    pledge = session.scalars(select(Pledge)).one()
    assert (pledge.state, pledge.postcode, pledge.language_bits, pledge.radius_km) == (
        "approved",
        "1000",
        2,
        30,
    )
    tranche = pledge.tranches[0].public_id
    assert ledger.balances(session, tranches=[tranche])[tranche].available == 480
    told = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "pledge.notice")).one()
    assert (told.email, told.language, pledge.notice_at) == ("an@x.example", "fr", clock.now())
    assert company.name in told.body
    assert verify(session).first_break is None


def test_a_pledge_for_a_year_above_the_cap_is_refused_on_hours(session, company):
    later = "2026-10-01;2026-12-31"
    text = PLEDGES + pledge_row("12") + pledge_row("9", later) + pledge_row("8", later)
    found = send(session, "pledges", text, company=company)
    assert (figures(found), found["refused"]) == ((2, 0, 0), [(3, "hours", "cap")])
    assert send(session, "pledges", PLEDGES + pledge_row("13"), company=company)["refused"] == [
        (2, "hours", "cap")
    ]
    assert figures(
        send(session, "pledges", PLEDGES + pledge_row("1", "2027-01-01;2027-02-01"), company=company)
    ) == (1, 0, 0)


def test_a_pledge_that_overlaps_a_live_one_is_refused_on_its_first_day(session, company):
    text = (
        PLEDGES
        + pledge_row("4")
        + pledge_row("4", "2026-09-30;2026-12-31")
        + pledge_row("4", "2026-10-01;2026-12-31")
    )
    found = send(session, "pledges", text, company=company)
    assert (figures(found), found["refused"]) == ((2, 0, 0), [(3, "from", "overlap")])


def test_changed_hours_are_granted_or_lapse_and_never_go_below_what_is_given(session, company):
    send(session, "pledges", PLEDGES + pledge_row("8"), company=company)
    pledge = session.scalars(select(Pledge)).one()
    tranche = pledge.tranches[0].public_id
    for hours, available in (("10", 600), ("6", 360)):
        assert figures(send(session, "pledges", PLEDGES + pledge_row(hours), company=company)) == (0, 1, 0)
        assert ledger.balances(session, tranches=[tranche])[tranche].available == available
    ledger.reserve(
        session,
        organisation_id=company.id,
        match=pledge.public_id,
        parts=[(tranche, 300)],
        activity_date=clock.today(),
        facts=ledger.Facts(),
        actor_label="system",
        now=clock.now(),
        key="test:reserve",
    )
    assert send(session, "pledges", PLEDGES + pledge_row("4"), company=company)["refused"] == [
        (2, "hours", "conflict")
    ]
    assert figures(send(session, "pledges", PLEDGES + pledge_row("5"), company=company)) == (0, 1, 0)
    assert verify(session).first_break is None


def test_an_empty_language_or_postcode_of_a_pledge_is_the_persons_and_no_column_changes_nothing(
    session, company
):
    own = PLEDGES + f"an@x.example;8;{PERIOD};bookkeeping:2;nl|en;9000\n"
    assert figures(send(session, "pledges", own, company=company)) == (1, 0, 0)
    short = own.replace(";languages;postcode", "").replace(";nl|en;9000", "")
    assert figures(send(session, "pledges", short, company=company)) == (0, 0, 1)
    for expected in ((0, 1, 0), (0, 0, 1)):
        assert figures(send(session, "pledges", own.replace("nl|en;9000", ";"), company=company)) == expected
    pledge = session.scalars(select(Pledge)).one()
    assert (pledge.language_bits, pledge.postcode) == (language_bits(["fr"]), "1000")


def test_a_withdrawn_pledge_is_not_brought_back_by_the_same_file(session, company):
    send(session, "pledges", PLEDGES + pledge_row(), company=company)
    session.execute(
        update(Pledge).values(state=PledgeState.ENDED, end_reason=EndReason.WITHDRAWN, ended_at=clock.now())
    )
    assert figures(send(session, "pledges", PLEDGES + pledge_row(), company=company)) == (0, 0, 1)
    assert send(session, "pledges", PLEDGES + pledge_row("9"), company=company)["refused"] == [
        (2, "hours", "conflict")
    ]


def test_nobody_approves_their_own_pledge_by_sending_the_file(session, company):
    hr = make.make_hr(session, company)
    session.execute(update(Employment).values(user_id=hr.id))
    actor = make.actor(session, hr)
    for expected in ((1, 0, 0), (0, 0, 1)):
        assert (
            figures(send(session, "pledges", PLEDGES + pledge_row(), company=company, actor=actor))
            == expected
        )
        assert session.scalars(select(Pledge.state)).one() == PledgeState.SUBMITTED


def test_a_row_that_no_longer_fits_at_apply_costs_that_row_alone(session, company):
    make.make_employment(session, company, with_user=False, email="bo@x.example")
    session.commit()
    where = Scope(company.id, clock.today())
    text = PLEDGES + pledge_row() + pledge_row().replace("an@", "bo@")
    found = service.preview(spec("pledges"), text.encode(), where)
    assert found.judgement.count(Verdict.NEW) == 2
    send(session, "pledges", PLEDGES + pledge_row("4", "2026-05-01;2026-05-31"), company=company)
    summary = service.apply(spec("pledges"), found, where, Act(COMMAND_LINE, clock.now(), "pledges.csv"))
    assert (summary["new"], summary["refused"]) == (1, [{"row": 2, "column": "from", "reason": "overlap"}])


def test_pledges_are_applied_in_chunks_and_go_on_where_they_stopped(session, company, monkeypatch):
    for i in range(5):
        make.make_employment(session, company, with_user=False, email=f"p{i}@x.example")
    session.commit()
    text = PLEDGES + "".join(pledge_row().replace("an@", f"p{i}@") for i in range(5))
    kind = spec("pledges")
    small = type(kind)(**{**vars(kind), "chunk": 2})
    where = Scope(company.id, clock.today())
    act = Act(COMMAND_LINE, clock.now(), "pledges.csv")

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.apply(small, service.preview(small, text.encode(), where), where, act, progress=stop)
    with db.read_session() as look:
        assert look.scalar(select(func.count()).select_from(Pledge)) == 4
    summary = service.apply(small, service.preview(small, text.encode(), where), where, act)
    assert figures(summary) == (1, 0, 4)


def test_only_the_companys_hr_and_the_operator_may_import_for_it(session, company):
    other = make.make_hr(session, make.make_company(session))
    colleague = make.make_employment(session, company)
    for user, refusal in ((other, NotFound), (session.get_one(type(other), colleague.user_id), NotPermitted)):
        with pytest.raises(refusal):
            send(session, "pledges", PLEDGES + pledge_row(), company=company, actor=make.actor(session, user))
    operator = make.actor(session, make.make_operator(session))
    assert figures(send(session, "pledges", PLEDGES + pledge_row(), company=company, actor=operator)) == (
        1,
        0,
        0,
    )
