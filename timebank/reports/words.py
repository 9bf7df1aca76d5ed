"""What codes of reports are called."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from timebank.reports.models import HeadcountMethod, RateBasis, TargetKind
from timebank.reports.rows import Closing

BASES: dict[RateBasis, Any] = {
    RateBasis.OWN_COST: _l("Own cost: total employment cost divided by productive hours"),
    RateBasis.PUBLIC_AVERAGE: _l("Average of a public source, not the company's own cost"),
    RateBasis.MARKET_PRICE: _l("Market price of such work, not the company's own cost"),
}
METHODS: dict[HeadcountMethod, Any] = {
    HeadcountMethod.END: _l("Headcount on the last day of the period"),
    HeadcountMethod.MEAN: _l("Mean headcount of the last day of each month"),
}
TARGETS: dict[TargetKind, Any] = {
    TargetKind.HOURS: _l("Hours delivered"),
    TargetKind.PARTICIPATION: _l("Participation rate"),
}
CLOSINGS: dict[Closing, Any] = {
    Closing.OPEN: _l("Draft: the period is still open"),
    Closing.PARTLY: _l("Draft: a part of the period is closed"),
    Closing.CLOSED: _l("Final: the period is closed"),
}
REASONS: dict[str, Any] = {
    "correction": _l("Correction"),
    "late": _l("Confirmed after the closing"),
    "": _l("Not given"),
}


def reason(code: str) -> str:
    return str(REASONS.get(code, code))
