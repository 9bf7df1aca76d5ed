"""Why somebody has no match, what would help, and who is wished for, in whole words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from timebank.matching.insight.models import Unmatched
from timebank.taxonomy.picking import level_names
from timebank.taxonomy.words import language_name
from timebank.web.format import days, hours, number
from timebank.web.templating import half_days, week_days

# Fewer people than these are not counted before strangers.
SMALL = 5

# The first hard rule that leaves nothing, for the employee whose pledge it is.
NO_REQUEST: dict[str, Any] = {
    "no_seats": _l("No request was open."),
    "skills": _l("No open request could be done with the skills that you gave."),
    "languages": _l("The requests for your skills are in a language that you did not choose."),
    "place": _l(
        "The requests that suit you are too far, or you do not offer what can be done at a distance."
    ),
    "window": _l("The requests that suit you are in another period."),
    "capacity": _l("The requests that suit you ask more hours than you have left."),
    "week": _l("The requests that suit you need more time in the week than your half-days leave."),
    "monthly": _l("The requests that suit you ask more hours a month than you give."),
    "own_organisation": _l("The only requests that suit you are of your own organisation."),
    "excluded_cause": _l("The requests that suit you are for causes that you or your company leave out."),
    "excluded_company": _l(
        "The initiatives that would suit you and your company are not matched to each other."
    ),
    "excluded_pair": _l(
        "The requests that suit you were proposed to you before, or there is a conflict of interest."
    ),
    "weight": _l("With the present weights no request counts for you."),
}
# What each rule leaves, beside a bar: employees with free hours, and open places.
LEFT_PEOPLE: dict[str, Any] = {
    "all": _l("employees with free hours"),
    "skills": _l("have the skills that you ask"),
    "languages": _l("speak the language"),
    "place": _l("are near enough, or could do it at a distance"),
    "window": _l("are free in that period"),
    "capacity": _l("have that many hours left"),
    "week": _l("have time in the week that fits"),
    "monthly": _l("give that many hours a month"),
    "own_organisation": _l("are not of your own organisation"),
    "excluded_cause": _l("do not leave your cause out"),
    "excluded_company": _l("work for a company that is not excluded"),
    "excluded_pair": _l("were not asked before"),
    "weight": _l("count with the present weights"),
}
LEFT_PLACES: dict[str, Any] = {
    "all": _l("open places"),
    "skills": _l("can be done with your skills"),
    "languages": _l("are in a language of yours"),
    "place": _l("are near enough, or at a distance"),
    "window": _l("are in your period"),
    "capacity": _l("ask no more hours than you have left"),
    "week": _l("fit in your week"),
    "monthly": _l("fit in your hours a month"),
    "own_organisation": _l("are not of your own organisation"),
    "excluded_cause": _l("are for a cause that you do not leave out"),
    "excluded_company": _l("may be matched to your company"),
    "excluded_pair": _l("were not proposed to you before"),
    "weight": _l("count with the present weights"),
}


@dataclass(frozen=True)
class Advice:
    """One change that would help: the sentence, and the field that it changes."""

    text: str
    field: str


# The field of each change, in the form of a pledge and in that of a request.
FIELDS_OF_PLEDGE = {
    "remote": "remote",
    "radius": "radius_km",
    "language": "languages",
    "week": "week",
    "until": "until_date",
    "since": "from_date",
    "hours": "hours",
    "level": "skills",
}
FIELDS_OF_REQUEST = {**FIELDS_OF_PLEDGE, "level": "must"}


def steps(row: Unmatched, whole: int, labels: Mapping[str, Any]) -> list[tuple[str, int]]:
    """What the rules leave, from all to nobody: only those that take somebody away."""
    shown = [(str(labels["all"]), whole)]
    for rule, left in row.steps:
        if left < shown[-1][1]:
            shown.append((str(labels[rule]), left))
        if not left:
            break
    return shown


def advice_for_pledge(row: Unmatched, skills: Mapping[str, str]) -> list[Advice]:
    """What the employee could change, the least trouble first; `skills` are names by code."""
    return _advice(row, FIELDS_OF_PLEDGE, lambda found: _pledge_sentence(found, skills), _then_places)


def advice_for_request(row: Unmatched, skills: Mapping[str, str]) -> list[Advice]:
    """What the initiative could change, the least trouble first."""
    return _advice(row, FIELDS_OF_REQUEST, lambda found: _request_sentence(found, skills), _then_people)


def _advice(
    row: Unmatched,
    fields: Mapping[str, str],
    sentence: Callable[[dict[str, Any]], str],
    then: Callable[[int], str],
) -> list[Advice]:
    found = sorted(row.relaxations, key=lambda each: list(FIELDS_OF_PLEDGE).index(each["what"]))
    return [
        Advice(
            _("%(change)s %(then)s", change=sentence(each), then=then(each["fitting"])), fields[each["what"]]
        )
        for each in found
    ]


def _then_places(fitting: int) -> str:
    return str(ngettext("Then %(num)d open place fits.", "Then %(num)d open places fit.", fitting))


def _then_people(fitting: int) -> str:
    if fitting < SMALL:
        return str(_("Then somebody fits."))
    return str(_("Then %(count)s employees fit.", count=number(fitting)))


def _pledge_sentence(found: dict[str, Any], skills: Mapping[str, str]) -> str:
    what, amount = found["what"], found["amount"]
    value: Any = found.get("value")
    if what == "remote":
        return str(_("Offer your hours at a distance, too."))
    if what == "radius":
        return str(_("Go %(more)s km farther: %(km)s km.", more=number(amount), km=number(value)))
    if what == "language":
        return str(_("Coach in %(language)s, too.", language=language_name(found["language"])))
    if what == "week":
        return _half_day_sentence(found)
    if what == "until":
        return _days_longer(amount, value)
    if what == "since":
        return _days_earlier(amount, value)
    if what == "hours":
        return str(_("Give more hours: %(hours)s.", hours=hours(value)))
    return str(
        _(
            "If you know it, add to your skills: %(skill)s, %(level)s.",
            skill=skills.get(found["skill"], found["skill"]),
            level=dict(level_names())[value],
        )
    )


def _request_sentence(found: dict[str, Any], skills: Mapping[str, str]) -> str:
    what, amount = found["what"], found["amount"]
    value: Any = found.get("value")
    if what == "remote":
        return str(_("Let the coaching be at a distance."))
    if what == "language":
        return str(_("Take a coach who speaks %(language)s, too.", language=language_name(found["language"])))
    if what == "week":
        return _half_day_sentence(found)
    if what == "until":
        return _days_longer(amount, value)
    if what == "since":
        return _days_earlier(amount, value)
    if what == "hours":
        return str(_("Ask fewer hours of a coach: %(hours)s.", hours=hours(value)))
    skill = skills.get(found["skill"], found["skill"])
    if not value:
        return str(_("Do without “%(skill)s” as something that a coach needs.", skill=skill))
    return str(
        _(
            "Ask less of “%(skill)s”: %(level)s.",
            skill=skill,
            level=dict(level_names(asked=True))[value],
        )
    )


def _half_day_sentence(found: dict[str, Any]) -> str:
    return str(
        ngettext(
            "Add one half-day: %(days)s.",
            "Add %(num)d half-days: %(days)s.",
            found["amount"],
            days=", ".join(_half_days(found["half_days"])),
        )
    )


def _half_days(bits: int) -> Iterable[str]:
    """The half-days of a mask, one by one."""
    halves = half_days()
    for i, day in enumerate(week_days()):
        for part, half in enumerate(halves):
            if bits >> (len(halves) * i + part) & 1:
                yield str(_("%(day)s, %(half)s", day=day.name, half=half.name.lower()))


def _days_longer(amount: int, last: str) -> str:
    day = days(date.fromisoformat(last), date.fromisoformat(last))
    return str(
        ngettext("End one day later, on %(day)s.", "End %(num)d days later, on %(day)s.", amount, day=day)
    )


def _days_earlier(amount: int, first: str) -> str:
    day = days(date.fromisoformat(first), date.fromisoformat(first))
    return str(
        ngettext(
            "Begin one day earlier, on %(day)s.", "Begin %(num)d days earlier, on %(day)s.", amount, day=day
        )
    )


# --- outbid -----------------------------------------------------------------------------------------------------------


def outbid_pledge(row: Unmatched, weights: Mapping[str, int]) -> list[str]:
    """Why others went first, and by how much: as a distance, never as points."""
    fitting = row.steps[-1][1]
    said = [
        ngettext(
            "Your hours fit %(num)d open place, but another coach fitted it better.",
            "Your hours fit %(num)d open places, but for each of them another coach fitted better.",
            fitting,
        )
    ]
    if weights.get("w_near") and row.behind is not None:
        km = -(-row.behind * weights["near_km"] // weights["w_near"])
        said.append(
            _("The difference was at least as much as %(km)s km of distance.", km=number(km))
            if not row.exact
            else _("The difference was as much as %(km)s km of distance.", km=number(km))
        )
    said.append(_("Each night all is weighed anew, and new requests come every week."))
    return [str(each) for each in said]


def outbid_request(row: Unmatched, weights: Mapping[str, int], *, shares: bool) -> list[str]:
    """Why others went first, and with how many more days of waiting this one would have.

    `shares`: whether another seat of the request was filled by the same run, since waiting counts for both alike.
    """
    if shares:
        return [str(_("One of your places has a coach now; for the others, those who fit are taken."))]
    said = [_("There are coaches who fit, but other requests needed them more.")]
    if weights.get("w_waiting") and row.behind is not None:
        waiting = row.behind // weights["w_waiting"] + 1
        said.append(
            ngettext(
                "With %(num)d more day of waiting, your request would have come first.",
                "With %(num)d more days of waiting, your request would have come first.",
                waiting,
            )
            if row.exact
            else ngettext(
                "It would have taken %(num)d more day of waiting at least to come first.",
                "It would have taken %(num)d more days of waiting at least to come first.",
                waiting,
            )
        )
    said.append(_("Each night all is weighed anew, and who waits counts more each day."))
    return [str(each) for each in said]


# --- wished-for coaches -----------------------------------------------------------------------------------------------


def wish_sentence(wish: Mapping[str, Any], skills: Mapping[str, str], language: str) -> str:
    """One more coach who would serve so many requests."""
    levels = dict(level_names(asked=True))
    known = ", ".join(
        _("%(skill)s (%(level)s)", skill=skills.get(code, code), level=levels[level])
        for code, level in wish["skills"]
    )
    about = {"skills": known, "language": language_name(wish["language"])}
    count = wish["requests"]
    if wish["place"] is None:
        return str(
            ngettext(
                "One more coach at a distance who speaks %(language)s and knows %(skills)s would serve"
                " %(num)d waiting request.",
                "One more coach at a distance who speaks %(language)s and knows %(skills)s would serve"
                " %(num)d waiting requests.",
                count,
                **about,
            )
        )
    return str(
        ngettext(
            "One more coach near %(place)s who speaks %(language)s and knows %(skills)s would serve"
            " %(num)d waiting request.",
            "One more coach near %(place)s who speaks %(language)s and knows %(skills)s would serve"
            " %(num)d waiting requests.",
            count,
            place=wish["place"].get(language) or wish["place"]["nl"],
            **about,
        )
    )
