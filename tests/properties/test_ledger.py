"""Random acts of many people against one book: after each act the ledger says what a plain model says."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from tests.ledger.conftest import Booker, add_company
from timebank import db
from timebank.errors import InsufficientHours, WrongState
from timebank.ledger import service as ledger
from timebank.ledger.models import (
    AccountKind,
    Category,
    LedgerAccount,
    LedgerBook,
    LedgerFact,
    LedgerLine,
    LedgerTransaction,
    TransactionKind,
)
from timebank.ledger.service import MatchBalance, TrancheBalance
from timebank.ledger.verify import verify

GRANTS = st.integers(min_value=60, max_value=600)
MINUTES = st.integers(min_value=1, max_value=150)
Account = tuple[str, uuid.UUID | None, uuid.UUID | None]
SOURCES = ("granted", "support")


class Ledger(RuleBasedStateMachine):
    """Each rule books through the service and in the model; what the model cannot give, the service must refuse."""

    # Few of each, so that acts meet.
    tranches = st.sampled_from([uuid.UUID(int=i) for i in range(1, 4)])
    matches = st.sampled_from([uuid.UUID(int=i) for i in range(11, 13)])
    booked = Bundle("booked")

    def __init__(self) -> None:
        super().__init__()
        self.balance: Counter[Account] = Counter()
        self.figures: Counter[str] = Counter()
        self.known: set[uuid.UUID] = set()
        self.pairs: set[tuple[uuid.UUID, uuid.UUID]] = set()
        self.moves: dict[str, tuple[list[tuple[Account, int]], str, int]] = {}
        self.reversed: set[str] = set()
        with db.unit_of_work() as session:
            self.company = add_company(session, f"Company {uuid.uuid4()}")

    def own(self, drawn: uuid.UUID) -> uuid.UUID:
        """An id of this example's own, since all examples share the database."""
        return uuid.uuid5(drawn, str(self.company))

    @initialize()
    def begin(self) -> None:
        """Somebody pledged, so that there is something to move from the first act on."""
        for number in range(1, 4):
            self.grant(uuid.UUID(int=number), 300)

    # --- how an act is booked on both sides -------------------------------------------------------------------------

    def _act(self, act: str, moves: list[tuple[Account, int]], measure: str, figure: int, **over: Any) -> str:
        key = str(uuid.uuid4())
        possible = all(
            self.balance[account] + minutes >= 0 or account[0] in SOURCES for account, minutes in moves
        )
        try:
            with db.unit_of_work() as session:
                getattr(Booker(session, self.company), act)(key=key, **over)
        except InsufficientHours:
            assert not possible, f"{act} was refused"
            return ""
        assert possible, f"{act} took what is not there"
        self._moved(key, moves, measure, figure)
        return key

    def _moved(self, key: str, moves: list[tuple[Account, int]], measure: str, figure: int) -> None:
        for account, minutes in moves:
            self.balance[account] += minutes
        self.figures[measure] += figure
        self.moves[key] = (moves, measure, figure)

    def _between(
        self, source: str, target: str, match: uuid.UUID, parts: list[tuple[uuid.UUID, int]]
    ) -> list[tuple[Account, int]]:
        moves: list[tuple[Account, int]] = []
        for tranche, minutes in parts:
            self.pairs.add((match, tranche))
            for kind, sign in ((source, -1), (target, 1)):
                moves.append(((kind, tranche, None if kind == "available" else match), sign * minutes))
        return moves

    # --- acts -------------------------------------------------------------------------------------------------------

    @rule(target=booked, tranche=tranches, minutes=GRANTS)
    def grant(self, tranche: uuid.UUID, minutes: int) -> str:
        tranche = self.own(tranche)
        self.known.add(tranche)
        moves: list[tuple[Account, int]] = [
            (("granted", tranche, None), -minutes),
            (("available", tranche, None), minutes),
        ]
        return self._act("grant", moves, "granted", minutes, tranche=tranche, minutes=minutes)

    @rule(target=booked, tranche=tranches, minutes=MINUTES)
    def lapse(self, tranche: uuid.UUID, minutes: int) -> str:
        tranche = self.own(tranche)
        moves: list[tuple[Account, int]] = [
            (("available", tranche, None), -minutes),
            (("lapsed", tranche, None), minutes),
        ]
        return self._act("lapse", moves, "lapsed", minutes, tranche=tranche, minutes=minutes)

    @rule(
        target=booked,
        act=st.sampled_from(["reserve", "reserve", "confirm", "confirm", "release"]),
        match=matches,
        parts=st.lists(st.tuples(tranches, MINUTES), min_size=1, max_size=2, unique_by=lambda p: p[0]),
    )
    def move(self, act: str, match: uuid.UUID, parts: list[tuple[uuid.UUID, int]]) -> str:
        return self._book_move(act, self.own(match), [(self.own(t), minutes) for t, minutes in parts])

    def held(self) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """Matches and tranches with something reserved."""
        return sorted(p for p in self.pairs if self.balance["reserved", p[1], p[0]] > 0)

    @precondition(lambda self: bool(self.held()))
    @rule(
        target=booked,
        act=st.sampled_from(["confirm", "confirm", "release"]),
        which=st.integers(0, 20),
        minutes=st.one_of(st.just(10**6), MINUTES),
    )
    def move_what_is_held(self, act: str, which: int, minutes: int) -> str:
        """Some or all of what a match holds."""
        match, tranche = self.held()[which % len(self.held())]
        return self._book_move(
            act, match, [(tranche, min(minutes, self.balance["reserved", tranche, match]))]
        )

    def _book_move(self, act: str, match: uuid.UUID, parts: list[tuple[uuid.UUID, int]]) -> str:
        source, target, measure, sign = {
            "reserve": ("available", "reserved", "reserved", 1),
            "release": ("reserved", "available", "reserved", -1),
            "confirm": ("reserved", "received", "confirmed", 1),
        }[act]
        moves = self._between(source, target, match, parts)
        figure = sign * sum(minutes for _, minutes in parts)
        key = str(uuid.uuid4())
        possible = all(self.balance[a] + m >= 0 for a, m in moves)
        try:
            with db.unit_of_work() as session:
                getattr(Booker(session, self.company), act)(match, *parts, key=key)
        except InsufficientHours:
            assert not possible
            return ""
        assert possible
        self._moved(key, moves, measure, figure)
        return key

    @rule(
        target=booked,
        match=matches,
        minutes=MINUTES,
        category=st.sampled_from([Category.TRAVEL, Category.PREPARATION, Category.MANAGEMENT]),
    )
    def support(self, match: uuid.UUID, minutes: int, category: Category) -> str:
        match = self.own(match)
        of = None if category == Category.MANAGEMENT else match
        moves: list[tuple[Account, int]] = [
            (("support", None, None), -minutes),
            ((str(category), None, of), minutes),
        ]
        return self._act(
            "support", moves, "confirmed", minutes, match=match, minutes=minutes, category=category
        )

    @rule(key=booked)
    def reverse(self, key: str) -> None:
        if not key:
            return
        moves, measure, figure = self.moves[key]
        turned = [(account, -minutes) for account, minutes in moves]
        possible = all(self.balance[a] + m >= 0 or a[0] in SOURCES for a, m in turned)
        own = str(uuid.uuid4())
        try:
            with db.unit_of_work() as session:
                original = session.scalars(
                    select(LedgerTransaction).where(LedgerTransaction.idempotency_key == key)
                ).one()
                Booker(session, self.company).reverse(original, key=own)
        except WrongState:
            assert key in self.reversed
            return
        except InsufficientHours:
            assert not possible
            return
        assert possible
        assert key not in self.reversed
        self.reversed.add(key)
        self._moved(own, turned, measure, -figure)

    @rule(key=booked, tranche=tranches, minutes=MINUTES)
    def repeat(self, key: str, tranche: uuid.UUID, minutes: int) -> None:
        """The same key again, whatever it now asks for, books nothing."""
        if key:
            with db.unit_of_work() as session:
                Booker(session, self.company).grant(self.own(tranche), minutes, key=key)

    # --- what always holds ------------------------------------------------------------------------------------------

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        with db.read_session() as session:
            found = ledger.balances(session, tranches=list(self.known))
            for tranche in self.known:
                b = found[tranche]
                assert b == TrancheBalance(
                    granted=-self.balance["granted", tranche, None],
                    available=self.balance["available", tranche, None],
                    lapsed=self.balance["lapsed", tranche, None],
                    reserved=sum(self.balance["reserved", t, m] for m, t in self.pairs if t == tranche),
                    received=sum(self.balance["received", t, m] for m, t in self.pairs if t == tranche),
                )
                assert b.granted == b.available + b.reserved + b.received + b.lapsed
            for match in {m for m, _ in self.pairs}:
                for tranche, held in ledger.match_balance(session, match).items():
                    assert held == MatchBalance(
                        self.balance["reserved", tranche, match], self.balance["received", tranche, match]
                    )

    @invariant()
    def the_database_agrees_with_itself(self) -> None:
        with db.read_session() as session:
            book = select(LedgerBook.id).where(LedgerBook.organisation_id == self.company).scalar_subquery()
            sums = session.scalars(
                select(func.sum(LedgerLine.minutes))
                .join(LedgerTransaction, LedgerTransaction.id == LedgerLine.transaction_id)
                .where(LedgerTransaction.book_id == book)
                .group_by(LedgerLine.transaction_id)
            ).all()
            assert set(sums) <= {0}
            below = session.scalars(
                select(LedgerAccount.kind).where(LedgerAccount.book_id == book, LedgerAccount.balance < 0)
            ).all()
            assert set(below) <= {AccountKind.GRANTED, AccountKind.SUPPORT}
            figures = session.execute(
                select(LedgerFact.measure, func.sum(LedgerFact.minutes))
                .where(LedgerFact.book_id == book)
                .group_by(LedgerFact.measure)
            ).all()
            assert {m: f for m, f in figures if f} == {m: f for m, f in self.figures.items() if f}
            result = verify(session, organisation_id=self.company)
            assert result.first_break is None
            assert result.transactions == len(self.moves)
            reversals = session.scalar(
                select(func.count())
                .select_from(LedgerTransaction)
                .where(LedgerTransaction.book_id == book, LedgerTransaction.kind == TransactionKind.REVERSAL)
            )
            assert reversals == len(self.reversed)


@pytest.fixture
def database(database_url: str) -> Iterator[None]:
    db.init_engine(database_url)
    yield
    db.engine().dispose()


@pytest.mark.both
@pytest.mark.usefixtures("database")
def test_random_acts_keep_every_invariant() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Ledger,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with db.read_session() as session:
        assert set(session.scalars(select(LedgerTransaction.kind).distinct())) == set(TransactionKind)
