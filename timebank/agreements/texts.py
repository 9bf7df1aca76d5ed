"""The wording of the coaching agreement, in three languages: `wording/<version>.<language>.txt`.

Whoever changes a word adds files of a new version and raises `VERSION`: what was accepted stays as it was read. The
articles follow what article 31 of the Act of 24 July 1987 asks of somebody whose employees work with another: a written
agreement, a closed list of the instructions that the other may give, and an employer who keeps all authority.

Blanks are written `{so}`. `{coaching}` is a paragraph of its own, other for one coaching than for a standing agreement.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from babel.dates import format_date
from babel.numbers import format_decimal

from timebank.agreements.facts import AgreementFacts

VERSION = 1

TITLES = {
    "nl": "Begeleidingsovereenkomst",
    "fr": "Convention d’accompagnement",
    "en": "Coaching agreement",
}

WORDING = Path(__file__).parent / "wording"


def body(language: str) -> str:
    """The current wording in `language`, with its blanks."""
    return (WORDING / f"{VERSION}.{language}.txt").read_text("utf-8")


ONE = {
    "nl": "Een coach van de onderneming ({coach}) begeleidt het initiatief bij: {title}. Gevraagde kennis: {skills}. "
    "Omvang: {hours} uur, van {start} tot en met {end}, {place}.",
    "fr": "Un coach de l’entreprise ({coach}) accompagne l’initiative pour : {title}. Savoir demandé : {skills}. "
    "Volume : {hours} heures, du {start} au {end} inclus, {place}.",
    "en": "A coach of the company ({coach}) coaches the initiative on: {title}. Skills asked: {skills}. "
    "Size: {hours} hours, from {start} until {end} inclusive, {place}.",
}
ONE_DURATION = {
    "nl": "Zij eindigt van rechtswege op {end}, of eerder zodra de begeleiding in Timebank is afgerond.",
    "fr": "Elle prend fin de plein droit le {end}, ou plus tôt dès que l’accompagnement est clôturé dans Timebank.",
    "en": "It ends of itself on {end}, or earlier once the coaching is completed in Timebank.",
}
STANDING = {
    "nl": "Werknemers van de onderneming begeleiden het initiatief. Deze overeenkomst geldt voor elke begeleiding die "
    "coach en initiatief in Timebank allebei bevestigen; wie, waarover, hoeveel uren en tot wanneer, staat telkens in "
    "die bevestiging, die deel uitmaakt van deze overeenkomst.",
    "fr": "Des travailleurs de l’entreprise accompagnent l’initiative. La présente convention vaut pour chaque "
    "accompagnement que le coach et l’initiative confirment tous deux dans Timebank ; la personne, l’objet, le nombre "
    "d’heures et la durée figurent chaque fois dans cette confirmation, qui fait partie de la présente convention.",
    "en": "Employees of the company coach the initiative. This agreement holds for each coaching that coach and "
    "initiative both confirm in Timebank; who, on what, how many hours and until when stands in that confirmation "
    "each time, which is part of this agreement.",
}
STANDING_DURATION = {
    "nl": "Zij geldt voor onbepaalde tijd.",
    "fr": "Elle vaut pour une durée indéterminée.",
    "en": "It holds for an indefinite time.",
}
REMOTE = {"nl": "in {place} of op afstand", "fr": "à {place} ou à distance", "en": "in {place} or remotely"}
ON_SITE = {"nl": "in {place}", "fr": "à {place}", "en": "in {place}"}
NO_NUMBER = {
    "nl": "zonder ondernemingsnummer",
    "fr": "sans numéro d’entreprise",
    "en": "without enterprise number",
}


def fill(wording: str, facts: AgreementFacts, language: str, *, standing: bool) -> str:
    """The text with its blanks filled from `facts`; a standing one names no coach and no single coaching."""
    where = REMOTE[language] if facts.remote else ON_SITE[language]
    blanks = {
        "coach": facts.coach,
        "title": facts.title,
        "skills": ", ".join(facts.skills),
        "hours": format_decimal(facts.minutes / 60, format="0.##", locale=language),
        "start": _day(facts.from_date, language),
        "end": _day(facts.until_date, language),
        "place": _filled(where, {"place": facts.place}),
    }
    coaching = STANDING[language] if standing else _filled(ONE[language], blanks)
    duration = STANDING_DURATION[language] if standing else _filled(ONE_DURATION[language], blanks)
    return _filled(
        wording,
        {
            "company": facts.company,
            "company_number": number(facts.company_number, language),
            "host": facts.host,
            "host_number": number(facts.host_number, language),
            "initiative": facts.initiative,
            "contact": facts.contact,
            "coaching": coaching,
            "duration": duration,
        },
    )


def number(value: str | None, language: str) -> str:
    """An enterprise number as Belgians write it."""
    if not value:
        return NO_NUMBER[language]
    return f"{value[:4]}.{value[4:7]}.{value[7:]}"


def _filled(text: str, blanks: dict[str, str]) -> str:
    # One pass over the template's own blanks: braces in a name or a title are left as they are.
    parts = text.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _brace, rest = part.partition("}")
        filled.append(blanks[name] + rest)
    return "".join(filled)


def _day(day: date, language: str) -> str:
    return format_date(day, format="d MMMM yyyy", locale=language)
