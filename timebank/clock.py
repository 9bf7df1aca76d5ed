"""The only place that reads the time, so that tests and ``--as-of`` can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")

_held: ContextVar[datetime | None] = ContextVar("held_time", default=None)


def now() -> datetime:
    """The current moment, timezone-aware in UTC."""
    return _held.get() or datetime.now(UTC)


def today() -> date:
    """The current date as people in Brussels see it."""
    return local_date(now())


def local_date(moment: datetime) -> date:
    """The date on a Brussels calendar at `moment`."""
    return moment.astimezone(BRUSSELS).date()


def local_moment(day: date, at: time) -> datetime:
    """The UTC moment of a wall-clock time in Brussels."""
    return datetime.combine(day, at, BRUSSELS).astimezone(UTC)


@contextmanager
def hold(moment: datetime | date) -> Iterator[None]:
    """Let `now` answer `moment` inside the block; a date stands for noon in Brussels of that day."""
    if not isinstance(moment, datetime):
        moment = local_moment(moment, time(12))
    token = _held.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _held.reset(token)
