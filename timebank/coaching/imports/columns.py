"""The columns of a file of coaching requests."""

from __future__ import annotations

from typing import Any

from timebank.imports import values as v
from timebank.imports.columns import Column
from timebank.imports.judge import Values
from timebank.organisations.imports.words import Words
from timebank.taxonomy.bits import language_bits

# A skill without a level is asked at any level: whoever asked for more would have said so.
LEVEL_ASKED = 1


def request_columns(words: Words, initiative: v.Parser) -> tuple[Column, ...]:
    """`initiative` finds the one that a cell names."""
    return (
        Column(
            "initiative",
            initiative,
            {"en": "initiative", "nl": "initiatief", "fr": "initiative"},
            ("initiative name", "naam initiatief", "nom de l'initiative"),
            required=True,
        ),
        Column(
            "title",
            v.text(),
            {"en": "title", "nl": "titel", "fr": "titre"},
            ("subject", "onderwerp", "objet", "intitulé"),
            required=True,
        ),
        Column(
            "seats",
            v.whole(1, 50),
            {"en": "seats", "nl": "plaatsen", "fr": "places"},
            ("coaches", "aantal plaatsen", "aantal coaches", "aantal coaches per vraag", "nombre de places",
             "nombre de coachs"),
            required=True,
        ),
        Column(
            "hours_per_coach",
            v.minutes("0.5", "400"),
            {"en": "hours per coach", "nl": "uren per coach", "fr": "heures par coach"},
            ("hours", "uren", "uren/coach", "heures", "heures/coach"),
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
        ),
        Column(
            "must_skills",
            v.skills(words.skill_names, LEVEL_ASKED),
            {"en": "must skills", "nl": "vereiste vaardigheden", "fr": "compétences requises"},
            ("required skills", "skills", "vaardigheden", "compétences", "compétences exigées",
             "compétences nécessaires", "compétences obligatoires"),
            required=True,
        ),
        Column(
            "nice_skills",
            v.skills(words.skill_names, LEVEL_ASKED),
            {"en": "nice skills", "nl": "gewenste vaardigheden", "fr": "compétences souhaitées"},
            ("nice to have", "preferred skills", "wenselijke vaardigheden", "atouts"),
            empty=(),
        ),
        Column(
            "languages",
            v.several(v.choice(v.LANGUAGES)),
            {"en": "languages", "nl": "talen", "fr": "langues"},
            ("language", "taal", "langue"),
            required=True,
        ),
        Column(
            "postcode",
            v.postcode(words.places),
            {"en": "postcode", "nl": "postcode", "fr": "code postal"},
            ("postal code", "zip"),
        ),
        Column(
            "remote",
            v.yes_no,
            {"en": "remote", "nl": "op afstand", "fr": "à distance"},
            ("online", "distance"),
            empty=False,
        ),
        Column(
            "description",
            v.text(v.LONG_TEXT_LENGTH),
            {"en": "description", "nl": "omschrijving", "fr": "description"},
            ("beschrijving", "notes"),
            empty="",
        ),
    )  # fmt: skip


def said(values: Values, default_postcode: str | None) -> dict[str, Any]:
    """What a row says of a request, as its table holds it; without a default an empty postcode says nothing."""
    facts: dict[str, Any] = {
        name: values[name] for name in ("seats", "hours_per_coach", "until", "remote") if name in values
    }
    postcode = (values["postcode"] or default_postcode) if "postcode" in values else None
    if postcode:
        facts["postcode"] = postcode
    if "languages" in values:
        facts["language_bits"] = language_bits(values["languages"])
    return facts
