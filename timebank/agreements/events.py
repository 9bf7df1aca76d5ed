"""Facts about agreements."""

from __future__ import annotations

from dataclasses import dataclass

from timebank.events import Event


@dataclass(frozen=True, kw_only=True)
class AgreementEvent(Event):
    """`match_id` is None for a standing agreement: all coachings of the company with the initiative."""

    agreement_id: int
    company_id: int
    initiative_id: int
    match_id: int | None


@dataclass(frozen=True, kw_only=True)
class AgreementDrafted(AgreementEvent):
    """A text lies ready for both sides."""


@dataclass(frozen=True, kw_only=True)
class AgreementAccepted(AgreementEvent):
    """One side said yes: `side` is company or initiative."""

    side: str


@dataclass(frozen=True, kw_only=True)
class AgreementInForce(AgreementEvent):
    """Both sides said yes."""


@dataclass(frozen=True, kw_only=True)
class AgreementEnded(AgreementEvent):
    """It holds no longer, or another one took its place."""
