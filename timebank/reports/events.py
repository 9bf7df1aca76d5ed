"""What happened to reports and to what HR enters for them. A company reads these in its audit log; `subject` is the
company, or the row that was entered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from timebank.events import Event
from timebank.reports.models import RateBasis


@dataclass(frozen=True, kw_only=True)
class ReportChoicesChanged(Event):
    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RateEvent(Event):
    basis: RateBasis
    valid_from: date
    cents: int


@dataclass(frozen=True, kw_only=True)
class HourlyRateEntered(RateEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class HourlyRateRemoved(RateEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class FeeEvent(Event):
    paid_on: date
    cents: int


@dataclass(frozen=True, kw_only=True)
class ProgrammeFeeEntered(FeeEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class ProgrammeFeeRemoved(FeeEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class ReportTargetsSet(Event):
    """The targets of a year; none where there is none any more. Participation in hundredths of a percent."""

    year: int
    minutes: int | None
    participation: int | None


@dataclass(frozen=True, kw_only=True)
class ReportExported(Event):
    """Somebody took a report of a period out of the system; the subject is the company."""

    format: str
    from_date: date
    until_date: date
    auditor: bool = False


@dataclass(frozen=True, kw_only=True)
class ReportDownloaded(ReportExported):
    """Somebody fetched the file of a report that was made before."""


@dataclass(frozen=True, kw_only=True)
class ReportScheduled(Event):
    """Somebody has a report of each period made."""

    every: str
    format: str


@dataclass(frozen=True, kw_only=True)
class ReportScheduleEnded(ReportScheduled):
    """Somebody wants no more of them."""


@dataclass(frozen=True, kw_only=True)
class SigningKeyRotated(Event):
    """The installation signs with another key from now on."""

    key_id: str


@dataclass(frozen=True, kw_only=True)
class CertificateIssued(Event):
    """A coach made a certificate of a coaching, or chose what of it others see; the subject is the match."""


@dataclass(frozen=True, kw_only=True)
class CertificateWithdrawn(CertificateIssued):
    """A coach lets nobody check it any more."""
