"""The columns of a file of pledges."""

from __future__ import annotations

from typing import Any

from timebank.imports import values as v
from timebank.imports.columns import Column
from timebank.imports.judge import Values
from timebank.organisations.imports.words import Words
from timebank.pledges.models import ANY_LANGUAGE, ANY_TIME
from timebank.taxonomy.bits import language_bits, week_bits

LEVEL_OFFERED = 2


def pledge_columns(words: Words, employee: v.Parser) -> tuple[Column, ...]:
    """`employee` finds the person of the company that has an e-mail address."""
    return (
        Column(
            "email",
            lambda cell: employee(v.email(cell)),
            {"en": "email", "nl": "e-mail", "fr": "e-mail"},
            ("e-mail address", "mail", "e-mailadres", "mailadres", "courriel", "adresse e-mail", "adresse mail"),
            required=True,
        ),
        Column(
            "hours",
            v.minutes("0.5", "1000"),
            {"en": "hours", "nl": "uren", "fr": "heures"},
            ("pledged hours", "toegezegde uren", "aantal uren", "heures promises", "nombre d'heures"),
            required=True,
        ),
        Column(
            "from",
            v.day,
            {"en": "from", "nl": "van", "fr": "du"},
            ("start", "start date", "vanaf", "begin", "de", "à partir du", "début", "date de début"),
            required=True,
        ),
        Column(
            "until",
            v.day,
            {"en": "until", "nl": "tot", "fr": "au"},
            ("end", "end date", "to", "till", "tot en met", "t/m", "einde", "jusqu'au", "jusqu'à", "fin", "à",
             "date de fin"),
            required=True,
        ),
        Column(
            "skills",
            v.skills(words.skill_names, LEVEL_OFFERED),
            {"en": "skills", "nl": "vaardigheden", "fr": "compétences"},
            ("skill", "vaardigheid", "compétence"),
            required=True,
        ),
        Column(
            "languages",
            v.several(v.choice(v.LANGUAGES)),
            {"en": "languages", "nl": "talen", "fr": "langues"},
            ("language", "taal", "langue"),
        ),
        Column(
            "postcode",
            v.postcode(words.places),
            {"en": "postcode", "nl": "postcode", "fr": "code postal"},
            ("postal code", "zip"),
        ),
        Column(
            "radius_km",
            v.rounded("0", "300"),
            {"en": "radius (km)", "nl": "straal (km)", "fr": "rayon (km)"},
            ("radius", "straal", "rayon", "distance (km)", "afstand (km)"),
            empty=30,
        ),
        Column(
            "remote",
            v.yes_no,
            {"en": "remote", "nl": "op afstand", "fr": "à distance"},
            ("online", "distance"),
            empty=False,
        ),
        Column(
            "availability",
            v.several(v.half_day),
            {"en": "availability", "nl": "beschikbaarheid", "fr": "disponibilité"},
            ("available", "beschikbaar", "disponibilités", "half-days", "halve dagen", "demi-journées"),
        ),
    )  # fmt: skip


def said(values: Values, language: str | None, postcode: str | None) -> dict[str, Any]:
    """What a row says of a pledge, as its table holds it. `language` and `postcode` are the person's own, which an
    empty cell means; without them it says nothing."""
    facts: dict[str, Any] = {}
    if "languages" in values and (values["languages"] or language):
        facts["language_bits"] = language_bits(values["languages"] or [language]) or ANY_LANGUAGE
    if "postcode" in values and (values["postcode"] or postcode):
        facts["postcode"] = values["postcode"] or postcode
    if "availability" in values:
        facts["week_bits"] = week_bits(values["availability"]) if values["availability"] else ANY_TIME
    facts |= {name: values[name] for name in ("radius_km", "remote") if name in values}
    return facts
