"""How rows of the public pages read, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from timebank.coaching.queries import OpenRequest
from timebank.organisations.models import Initiative
from timebank.taxonomy.bits import languages_of
from timebank.taxonomy.models import Phase
from timebank.taxonomy.places import FLANDERS, REGION_NAMES, region_name
from timebank.taxonomy.words import language_name
from timebank.web.format import day_short, hours, number
from timebank.web.locale import language as spoken_language

# A line under a title names so many skills; the page of the request names all.
SKILLS_IN_A_LINE = 3


# --- requests -------------------------------------------------------------------------------------------------------


def ask(row: OpenRequest, *, own_page: bool = False) -> dict[str, Any]:
    """An open request for `asks` of components/lists.html; the initiative's own page need not name it."""
    spoken = spoken_language()
    skills = sorted(skill.name(spoken) for skill in row.must)
    named = ", ".join(skills[:SKILLS_IN_A_LINE])
    if len(skills) > SKILLS_IN_A_LINE:
        more = len(skills) - SKILLS_IN_A_LINE
        named = ngettext("%(skills)s and %(num)s more", "%(skills)s and %(num)s more", more, skills=named)
    where = row.municipality
    if not own_page:
        where = _("%(initiative)s, %(place)s", initiative=row.initiative, place=row.municipality)
    parts = [where, named]
    if row.remote:
        parts.append(_("online too"))
    if row.until_date is not None:
        parts.append(_("open until %(day)s", day=day_short(row.until_date)))
    return {
        "title": row.title,
        "url": url_for("hub.open_request", public_id=row.public_id),
        "line": " · ".join(part for part in parts if part),
        "minutes": row.minutes_per_coach,
        "note": seats_note(row.minutes_per_coach, row.seats, row.free_seats),
        "language": row.language,
    }


def seats_note(minutes: int, seats: int, free: int) -> str:
    """What one coach gives, and how many coaches are still looked for."""
    given = hours(minutes)
    if free == 0:
        return str(_("%(hours)s a coach, a coach has been proposed", hours=given))
    if free == seats:
        return str(
            ngettext(
                "%(hours)s a coach, %(num)s seat", "%(hours)s a coach, %(num)s seats", seats, hours=given
            )
        )
    return str(_("%(hours)s a coach, %(free)s of %(seats)s seats free", hours=given, free=free, seats=seats))


def languages_in_choice(bits: int) -> str:
    """The languages of which a coach speaks one."""
    names = [language_name(code) for code in languages_of(bits)]
    if len(names) == 1:
        return names[0]
    return str(_("%(languages)s or %(last)s", languages=", ".join(names[:-1]), last=names[-1]))


# --- initiatives ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """What an initiative writes about itself, and in which language it is."""

    text: str
    language: str


def story(initiative: Initiative, language: str) -> Story:
    """In `language`, else in the initiative's own, else in any."""
    texts = {text.language: text.description for text in initiative.texts if text.description.strip()}
    for code in (language, initiative.language, *texts):
        if code in texts:
            return Story(texts[code], code)
    return Story("", language)


def catalogue_row(initiative: Initiative, language: str) -> dict[str, Any]:
    """A line of the catalogue."""
    own = story(initiative, language)
    causes = ", ".join(each.cause.name(language) for each in initiative.causes)
    return {
        "name": initiative.name,
        "url": url_for("hub.initiative", slug=initiative.slug),
        "place": initiative.place.municipality.name(language),
        "causes": causes,
        "phase": phases()[initiative.phase.value],
        "story": own,
    }


def phases() -> dict[str, str]:
    """How far an initiative is, by code."""
    return {
        Phase.IDEA.value: _("idea"),
        Phase.DEVELOPMENT.value: _("development"),
        Phase.SCALING.value: _("scaling"),
    }


def website(address: str | None) -> tuple[str, str] | None:
    """The address to go to and how it reads; None for what is no address of a site."""
    if not address:
        return None
    whole = address if "://" in address else f"https://{address}"
    parts = urlsplit(whole)
    if parts.scheme not in ("http", "https") or "." not in parts.netloc or "@" in parts.netloc:
        return None
    return whole, parts.netloc.removeprefix("www.") + parts.path.rstrip("/")


# --- regions --------------------------------------------------------------------------------------------------------


def region(nuts2: str, language: str) -> str:
    """A province's name, or Brussels; nothing for what lies elsewhere."""
    return region_name(nuts2, language) if nuts2 in REGION_NAMES else ""


def region_options(counts: Mapping[str, int], chosen: str, language: str) -> list[tuple[str, str]]:
    """The choices of the region filter: Flanders with Brussels, then each province where there is something."""
    options = [("", _("Everywhere"))]
    flanders = sum(counts.get(code, 0) for code in FLANDERS)
    options.append(("flanders", _counted(_("Flanders and Brussels"), flanders)))
    names = sorted((region_name(code, language), code) for code in REGION_NAMES)
    options += [
        (code, _counted(name, counts.get(code, 0)))
        for name, code in names
        if counts.get(code) or code == chosen
    ]
    return options


def provinces(counts: Mapping[str, int], language: str) -> list[tuple[str, str]]:
    """The rows of the table behind the map, most first."""
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return [(region(code, language), number(count)) for code, count in rows]


def _counted(name: str, count: int) -> str:
    return str(_("%(name)s (%(count)s)", name=name, count=number(count)))


# --- the operator ---------------------------------------------------------------------------------------------------


def mail_address(sender: str) -> str | None:
    """The address of a sender, unless nobody could write to it."""
    address = parseaddr(sender)[1]
    domain = address.rpartition("@")[2]
    return address if "." in domain and not domain.endswith((".localhost", ".invalid")) else None
