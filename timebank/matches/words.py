"""What states, reasons and categories are called, and why a match was found, in whole words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from timebank.ledger.models import Category
from timebank.matches.models import (
    DeclineReason,
    HourEntry,
    HoursState,
    Match,
    MatchState,
    SessionState,
    Side,
)
from timebank.web.format import day_short, hours, number

# Kind of shape (see the component `state`) and words.
MATCH_STATES: dict[MatchState, tuple[str, Any]] = {
    MatchState.PROPOSED: ("held", _l("Proposed")),
    MatchState.ACCEPTED_BY_COACH: ("held", _l("The coach said yes")),
    MatchState.ACCEPTED_BY_INITIATIVE: ("held", _l("The initiative said yes")),
    MatchState.CONFIRMED: ("held", _l("Agreed, waits for the agreement")),
    MatchState.ACTIVE: ("given", _l("Running")),
    MatchState.COMPLETED: ("given", _l("Completed")),
    MatchState.DECLINED: ("gone", _l("Declined")),
    MatchState.EXPIRED: ("gone", _l("Expired")),
    MatchState.CANCELLED: ("gone", _l("Stopped")),
}
# What each side is asked of a completed coaching: what came of it, and whether again.
FEEDBACK: dict[Side, tuple[Any, Any]] = {
    Side.INITIATIVE: (
        _l("Did the coaching answer what you asked for?"),
        _l("Would you ask for a coach again?"),
    ),
    Side.COACH: (
        _l("Did you learn something that helps in your own work?"),
        _l("Would you coach again?"),
    ),
}
SESSION_STATES: dict[SessionState, tuple[str, Any]] = {
    SessionState.PLANNED: ("held", _l("Planned")),
    SessionState.HELD: ("given", _l("Held")),
    SessionState.LATE_CANCELLED: ("gone", _l("Cancelled")),
    SessionState.NO_SHOW: ("due", _l("Did not take place")),
    SessionState.MOVED: ("gone", _l("Moved")),
}
HOURS_STATES: dict[HoursState, tuple[str, Any]] = {
    HoursState.LATE: ("held", _l("Came late, waits for the company")),
    HoursState.LOGGED: ("held", _l("Waits for the initiative")),
    HoursState.CONFIRMED: ("given", _l("Confirmed")),
    HoursState.DISPUTED: ("due", _l("Disputed")),
    HoursState.WITHDRAWN: ("gone", _l("Withdrawn")),
    HoursState.CORRECTED: ("gone", _l("Corrected")),
}
CATEGORIES = {
    Category.DELIVERY: _l("Coaching"),
    Category.PREPARATION: _l("Preparation"),
    Category.TRAVEL: _l("Travel"),
}
DECLINE_REASONS = {
    DeclineReason.TIME: _l("The time does not suit"),
    DeclineReason.DISTANCE: _l("Too far"),
    DeclineReason.SKILLS: _l("The skills do not fit"),
    DeclineReason.CAUSE: _l("The cause does not fit"),
    DeclineReason.CONFLICT_OF_INTEREST: _l("There is a conflict of interest: I know the other side too well"),
    DeclineReason.FOUND_ELSEWHERE: _l("Found elsewhere"),
    DeclineReason.OTHER: _l("Another reason"),
}
LEVELS = {1: _l("basic"), 2: _l("good"), 3: _l("expert")}


def logged(entry: HourEntry) -> str:
    """What happens to hours that were just logged."""
    said = hours(entry.minutes)
    if entry.state is HoursState.LATE:
        return str(_("You logged %(hours)s. Since they come late, your company decides first.", hours=said))
    if entry.consent_at is None:
        return str(_("You logged %(hours)s. The initiative confirms them.", hours=said))
    return str(
        _(
            "You logged %(hours)s. The initiative confirms them; without an answer they count from %(day)s.",
            hours=said,
            day=day_short(entry.consent_at),
        )
    )


@dataclass(frozen=True)
class Reason:
    """One term of the weight in words; `share` of the weight that is shown, from 0 to 1."""

    text: str
    note: str | None
    share: float


def why(match: Match, language: str, *, side: Side) -> list[Reason]:
    """Why this coach and this request: at most five terms, the weightiest first, never the points.

    The initiative reads neither the coach's own causes nor where the coach lives or works.
    """
    names = _names(match, language)
    found: list[tuple[int, str, str | None]] = []
    for reason in match.reasons:
        told = _told(match, reason, names, side)
        if told is not None:
            found.append((max(0, int(reason.get("points", 0))), *told))
    total = sum(points for points, _text, _note in found) or 1
    found.sort(key=lambda row: -row[0])
    return [Reason(text, note, points / total) for points, text, note in found[:5]]


def _told(
    match: Match, reason: dict[str, Any], names: dict[str, str], side: Side
) -> tuple[str, str | None] | None:
    term, code = reason.get("term"), reason.get("code")
    name = names.get(str(code), str(code)) if code else ""
    if term in ("skill", "nice") and name:
        level = LEVELS.get(int(reason.get("level") or 0))
        text = _("%(skill)s: %(level)s", skill=name, level=str(level)) if level else name
        if term == "nice":
            return text, _("welcome, not required")
        asked = LEVELS.get(int(reason.get("asked") or 0))
        return text, _("%(level)s is asked", level=str(asked)) if asked else None
    if term == "cause" and name and side is Side.COACH:
        return name, _("a cause that you chose yourself")
    if term == "near":
        km = number(max(1, round(float(reason.get("km") or 0))))
        if side is Side.INITIATIVE:
            return _("%(km)s km from where you meet", km=km), None
        text = _("%(km)s km from %(place)s", km=km, place=names["place"])
        return text, _("within your %(radius)s km", radius=number(match.pledge.radius_km))
    if term == "remote":
        return _("Can be done remotely"), None
    if term == "waiting":
        waited = int(reason.get("days") or 0)
        return ngettext("Waits for %(num)d day", "Waits for %(num)d days", waited), None
    if term == "star" and reason.get("by") == side.value:
        return _("You starred this request") if side is Side.COACH else _("You starred this profile"), None
    if term == "pinned":
        return _("Timebank puts the two of you together"), None
    if term == "bonus":
        return _("Has priority for the platform now"), None
    return None


def _names(match: Match, language: str) -> dict[str, str]:
    names = {s.skill.code: s.skill.name(language) for s in match.pledge.skills}
    names.update((s.skill.code, s.skill.name(language)) for s in match.request.skills)
    names.update((c.cause.code, c.cause.name(language)) for c in match.request.initiative.causes)
    names["place"] = match.pledge.place.municipality.name(language)
    return names


# A pair that is behind by less than such a part of the weight is nearly, or somewhat less, as good.
NEARLY, SOMEWHAT = 0.05, 0.2


def otherwise(match: Match, language: str, *, side: Side) -> list[str]:
    """What the next best would have been, in sentences; none where the run did not look.

    Of another coach nobody reads more than about how far and at which level. Where else the coach would fit is read by
    the coach alone.
    """
    if match.next_best is None:
        return []
    names = _names(match, language)
    said = [_other_coach(match, match.next_best["pledge"], names, side)]
    if side is Side.COACH:
        said.append(_other_request(match, match.next_best["seat"], language, names["place"]))
    return said


def _other_coach(match: Match, other: dict[str, Any] | None, names: dict[str, str], side: Side) -> str:
    if other is None:
        if side is Side.COACH:
            return str(_("Without you, nobody else would fit this place now."))
        return str(_("Without this coach, nobody else would fit this place now."))
    held = {s.skill.code: s.level for s in match.pledge.skills}
    differing = [(code, level) for code, level in other["levels"].items() if held.get(code) != level]
    closeness = _closeness(match, other)
    about = {
        "km": number(max(5, 5 * round(other["km"] / 5))) if other["km"] is not None else "",
        "close": closeness,
    }
    if differing:
        code, level = differing[0]
        about.update(skill=names.get(code, code), level=str(LEVELS[level]))
        if other["km"] is None:
            return str(
                _(
                    "The next best coach could only do it remotely, with %(skill)s: %(level)s. %(close)s",
                    **about,
                )
            )
        return str(
            _(
                "The next best coach would come from about %(km)s km, with %(skill)s: %(level)s. %(close)s",
                **about,
            )
        )
    if other["km"] is None:
        return str(_("The next best coach could only do it remotely. %(close)s", **about))
    return str(_("The next best coach would come from about %(km)s km. %(close)s", **about))


def _other_request(match: Match, other: dict[str, Any] | None, language: str, place: str) -> str:
    if other is None:
        return str(_("No other open request fits your hours now."))
    titles = other["titles"]
    title = titles.get(language) or next(iter(titles.values()), "")
    about = {
        "title": title,
        "initiative": other["initiative"],
        "place": place,
        "close": _closeness(match, other),
    }
    if other["km"] is None:
        return str(_("Your next best would be “%(title)s” of %(initiative)s, remotely. %(close)s", **about))
    about["km"] = number(max(1, other["km"]))
    return str(
        _(
            "Your next best would be “%(title)s” of %(initiative)s, %(km)s km from %(place)s. %(close)s",
            **about,
        )
    )


def _closeness(match: Match, other: dict[str, Any]) -> str:
    """By how much the next best is behind, without points."""
    share = other["behind"] / max(1, match.weight)
    if share < NEARLY:
        return str(_("That would be nearly as good."))
    if share < SOMEWHAT:
        return str(_("That would be somewhat less good."))
    return str(_("That would be clearly less good."))


def described(match: Match, language: str) -> str:
    """The coach without a name, as the initiative reads it before both said yes: the skills that are asked."""
    asked = {s.skill_id for s in match.request.skills}
    held: Sequence[str] = [
        s.skill.name(language)
        for s in sorted(match.pledge.skills, key=lambda s: (-s.level, s.skill.position))
        if s.skill_id in asked
    ]
    return ", ".join(held[:3])


def choices(words: dict[Any, Any]) -> list[tuple[str, str]]:
    """Values and words, for a field."""
    return [(key.value, str(word)) for key, word in words.items()]
