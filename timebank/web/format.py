"""How hours, dates and numbers are written, in the reader's language and as the clocks in Brussels say.

Hours that somebody gives are said in hours and minutes: `hours` in a sentence, `hours_short` in a narrow place. Figures
that people compare or add up are numbers: `hours_number` alone, `hours_exact` for all of a column or a row of figures.

Hours are given in minutes; a day is a `date`, or the date in Brussels of an aware `datetime`. Most of these are filters
in templates, too (see FILTERS at the end).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal
from flask_babel import gettext as _
from flask_babel import ngettext

from timebank import clock
from timebank.web.locale import formats

NO_BREAK = "\u00a0"
MINUS = "\u2212"
NOTHING = "\u2013"

# How a clock is read aloud differs more than Babel's short time does.
_CLOCK = {"nl": "H.mm", "fr": "H 'h' mm", "en": "HH:mm"}


# --- hours ----------------------------------------------------------------------------------------------------------


def hours(minutes: int) -> str:
    """Minutes as a sentence says them: 6 hours, 1 hour 30, 30 minutes."""
    if minutes < 0:
        return MINUS + hours(-minutes)
    whole, rest = divmod(minutes, 60)
    if rest and not whole:
        return str(ngettext("%(num)s minute", "%(num)s minutes", rest))
    said = str(ngettext("%(hours)s hour", "%(hours)s hours", whole, hours=number(whole)))
    return str(_("%(hours)s %(minutes)s", hours=said, minutes=f"{rest:02d}")) if rest else said


def hours_short(minutes: int) -> str:
    """Minutes for a narrow place: 6 h, 1 h 30."""
    if minutes < 0:
        return MINUS + hours_short(-minutes)
    whole, rest = divmod(minutes, 60)
    if rest:
        return str(_("%(hours)s h %(minutes)s", hours=number(whole), minutes=f"{rest:02d}"))
    return str(_("%(hours)s h", hours=number(whole)))


def hours_number(minutes: int) -> str:
    """Minutes as a number of hours that stands alone, with the decimals it needs: 1.188, 10,4 or 2,25."""
    return hours_exact(minutes, hours_digits([minutes]))


def hours_digits(amounts: Iterable[int | None]) -> int:
    """How many decimals a column of minutes needs to be written as hours: the same for all of it, two at most."""
    known = [minutes for minutes in amounts if minutes is not None]
    if all(minutes % 60 == 0 for minutes in known):
        return 0
    return 1 if all(minutes % 6 == 0 for minutes in known) else 2


def hours_exact(minutes: int, digits: int) -> str:
    """Minutes as a number of hours with exactly so many decimals: 93,0 below 49,5."""
    return number(Decimal(minutes) / 60, digits)


# --- days and moments ------------------------------------------------------------------------------------------------


def day(value: date | datetime) -> str:
    """Thursday 3 December 2026."""
    return _date(value, "EEEE d MMMM y")


def day_short(value: date | datetime) -> str:
    """3 December 2026."""
    return _date(value, "d MMMM y")


def day_near(value: date | datetime) -> str:
    """Thu 3 December; with the year when it is not this one."""
    return _date(value, "EEE d MMMM" if _local(value).year == clock.today().year else "EEE d MMMM y")


def moment(value: datetime) -> str:
    """Thu 3 December 2026, 13.30 hours."""
    return str(_("%(day)s, %(time)s", day=_date(value, "EEE d MMMM y"), time=wall_time(value)))


def wall_time(value: datetime) -> str:
    """13.30 hours, as the clock in Brussels shows it."""
    return str(_("%(time)s o’clock", time=_clock(value)))


def days(first: date | datetime, last: date | datetime | None) -> str:
    """1 December 2026 to 31 March 2027; month and year stand once where they are the same."""
    first = _local(first)
    if last is None:
        return str(_("from %(day)s", day=day_short(first)))
    last = _local(last)
    if first == last:
        return day_short(first)
    if first.year != last.year:
        start = day_short(first)
    else:
        start = _date(first, "d MMMM" if first.month != last.month else "d")
    return str(_("%(first)s to %(last)s", first=start, last=day_short(last)))


def hours_between(start: datetime, end: datetime) -> str:
    """Thu 3 December, 13.30 to 15.30 hours."""
    return str(_("%(day)s, %(time)s", day=day_near(start), time=clock_between(start, end)))


def clock_between(start: datetime, end: datetime) -> str:
    """13.30 to 15.30 hours; with the day where it ends on another one."""
    until = wall_time(end) if _local(start) == _local(end) else moment(end)
    return str(_("%(start)s to %(end)s", start=_clock(start), end=until))


def month(value: date | datetime) -> str:
    """December 2026."""
    return _date(value, "LLLL y")


def month_short(value: date | datetime) -> str:
    """Dec."""
    return _date(value, "LLL")


def ago(value: date | datetime) -> str:
    """How many days back a day lies."""
    past = (clock.today() - _local(value)).days
    if past <= 0:
        return str(_("today"))
    return str(ngettext("%(num)s day ago", "%(num)s days ago", past))


def _local(value: date | datetime) -> date:
    return clock.local_date(value) if isinstance(value, datetime) else value


def _date(value: date | datetime, pattern: str) -> str:
    # Babel ends short names with a full stop, which reads badly within a sentence.
    return format_date(_local(value), pattern, locale=formats()).replace(".", "")


def _clock(value: datetime) -> str:
    locale = formats()
    return format_time(value, _CLOCK[locale.language], tzinfo=clock.BRUSSELS, locale=locale)


# --- numbers ---------------------------------------------------------------------------------------------------------


def number(value: float | Decimal, digits: int = 0) -> str:
    """1.188 in Dutch, 1 188 in French, 1,188 in English; exactly `digits` decimals."""
    return format_decimal(value, format=_shape(digits), locale=formats()).replace("-", MINUS)


def percent(share: float | Decimal | None, digits: int = 1) -> str:
    """A share of one as 18,4 %; a dash where there was nothing to divide by."""
    if share is None:
        return NOTHING
    said = number(Decimal(str(share)) * 100, digits)
    return f"{said}%" if formats().language == "en" else f"{said}{NO_BREAK}%"


def euro(amount: float | Decimal, digits: int = 0) -> str:
    """An amount of euros."""
    shape = _shape(digits)
    patterns = {"nl": f"¤{NO_BREAK}{shape}", "fr": f"{shape}{NO_BREAK}¤", "en": f"¤{shape}"}
    locale = formats()
    said = format_currency(
        amount, "EUR", format=patterns[locale.language], locale=locale, currency_digits=False
    )
    return said.replace("-", MINUS)


def km(metres: float) -> str:
    """Metres as whole kilometres."""
    return str(_("%(number)s km", number=number(round(metres / 1000))))


def seconds(amount: float) -> str:
    """How long something took, as exactly as one can feel: 0,3 s, 12 s."""
    if 0 < amount < 0.05:
        return f"< {number(0.1, 1)}{NO_BREAK}s"
    return f"{number(amount, 1 if amount < 9.95 else 0)}{NO_BREAK}s"


def _shape(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


FILTERS: dict[str, Any] = {
    "hours": hours,
    "hours_short": hours_short,
    "hours_number": hours_number,
    "hours_exact": hours_exact,
    "weekday": day,
    "date": day_short,
    "day": day_near,
    "datetime": moment,
    "time": wall_time,
    "daterange": days,
    "month": month,
    "month_short": month_short,
    "ago": ago,
    "number": number,
    "percent": percent,
    "euro": euro,
    "km": km,
    "seconds": seconds,
}
GLOBALS: dict[str, Any] = {
    "date_range": days,
    "time_range": hours_between,
    "clock_range": clock_between,
    "today": clock.today,
    "hours_digits": hours_digits,
}
