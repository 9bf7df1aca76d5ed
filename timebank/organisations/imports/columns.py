"""The columns of the files of companies, staff and initiatives."""

from __future__ import annotations

from decimal import Decimal

from timebank.imports import values as v
from timebank.imports.columns import Column
from timebank.organisations.imports.words import Words


def company_columns() -> tuple[Column, ...]:
    return (
        Column(
            "name",
            v.text(),
            {"en": "name", "nl": "naam", "fr": "nom"},
            (
                "company",
                "company name",
                "bedrijf",
                "bedrijfsnaam",
                "onderneming",
                "naam onderneming",
                "entreprise",
                "société",
                "dénomination",
                "raison sociale",
                "nom de l'entreprise",
            ),
            required=True,
        ),
        Column(
            "organisation_number",
            v.enterprise_number,
            {"en": "organisation number", "nl": "ondernemingsnummer", "fr": "numéro d'entreprise"},
            NUMBER_ALIASES,
            required=True,
        ),
        Column(
            "hours_per_year",
            v.minutes("0", "2000"),
            {"en": "hours per year", "nl": "uren per jaar", "fr": "heures par an"},
            ("hours", "uren", "heures", "max hours per year", "urenbudget", "budget d'heures", "hour budget"),
        ),
        Column(
            "approval",
            v.choice(v.APPROVALS),
            {"en": "approval", "nl": "goedkeuring", "fr": "approbation"},
            ("approved by", "goedkeuring door", "approuvé par"),
            empty="hr",
        ),
        Column(
            "hr_name",
            v.text(),
            {"en": "hr name", "nl": "naam HR", "fr": "nom RH"},
            (
                "hr",
                "hr contact",
                "contactpersoon",
                "contactpersoon HR",
                "hr-naam",
                "contact RH",
                "personne de contact",
            ),
            required=True,
        ),
        Column(
            "hr_email",
            v.email,
            {"en": "hr email", "nl": "e-mail HR", "fr": "e-mail RH"},
            ("email", "mail", "hr mail", "courriel", "courriel RH", "e-mail contact"),
            required=True,
        ),
        _language(),
    )


NUMBER_ALIASES = (
    "enterprise number", "company number", "KBO", "KBO number", "KBO-nummer", "BCE", "numéro BCE", "n° d'entreprise",
    "n° BCE", "ondernemingsnr", "ondernemingsnummer (KBO)", "btw-nummer", "VAT number", "numéro de TVA", "n° TVA",
)  # fmt: skip


def _language() -> Column:
    return Column(
        "language",
        v.choice(v.LANGUAGES),
        {"en": "language", "nl": "taal", "fr": "langue"},
        ("lang", "taalcode", "code langue"),
        empty="nl",
    )


def staff_columns(words: Words) -> tuple[Column, ...]:
    return (
        Column(
            "employee_number",
            v.text(),
            {"en": "employee number", "nl": "personeelsnummer", "fr": "matricule"},
            ("employee no", "employee id", "staff number", "personnel number", "personeelsnr", "stamnummer",
             "numéro de personnel", "numéro matricule", "n° matricule", "numéro du collaborateur"),
            required=True,
        ),
        Column(
            "email",
            v.email,
            {"en": "email", "nl": "e-mail", "fr": "e-mail"},
            ("e-mail address", "mail", "e-mailadres", "mailadres", "courriel", "adresse e-mail", "adresse mail"),
            required=True,
        ),
        Column(
            "first_name",
            v.text(),
            {"en": "first name", "nl": "voornaam", "fr": "prénom"},
            ("given name", "forename"),
            required=True,
        ),
        Column(
            "last_name",
            v.text(),
            {"en": "last name", "nl": "naam", "fr": "nom"},
            ("surname", "family name", "familienaam", "achternaam", "nom de famille", "name"),
            required=True,
        ),
        Column(
            "department",
            v.text(),
            {"en": "department", "nl": "afdeling", "fr": "service"},
            ("dept", "team", "dienst", "département"),
        ),
        Column(
            "site_postcode",
            v.postcode(words.places),
            {"en": "site postcode", "nl": "postcode vestiging", "fr": "code postal du site"},
            ("postcode", "postal code", "zip", "code postal", "postcode werkplek", "code postal du lieu de travail",
             "code postal de l'unité d'établissement"),
        ),
        _language(),
        Column(
            "manager_email",
            v.email,
            {"en": "manager email", "nl": "e-mail leidinggevende", "fr": "e-mail du responsable"},
            ("manager", "leidinggevende", "responsable", "e-mail manager", "courriel du responsable",
             "e-mail du supérieur"),
        ),
        Column(
            "start_date",
            v.day,
            {"en": "start date", "nl": "in dienst", "fr": "entrée"},
            ("start", "hired", "startdatum", "datum in dienst", "indiensttreding", "date d'entrée",
             "entrée en service"),
        ),
        Column(
            "end_date",
            v.day,
            {"en": "end date", "nl": "uit dienst", "fr": "sortie"},
            ("end", "left", "einddatum", "datum uit dienst", "uitdiensttreding", "date de sortie", "sortie de service"),
        ),
        Column(
            "fte",
            v.fraction,
            {"en": "fte", "nl": "vte", "fr": "etp"},
            ("working time", "tewerkstellingsbreuk", "tewerkstelling", "temps de travail", "équivalent temps plein"),
            empty=Decimal(1),
        ),
    )  # fmt: skip


def initiative_columns(words: Words) -> tuple[Column, ...]:
    return (
        Column(
            "name",
            v.text(),
            {"en": "name", "nl": "naam", "fr": "nom"},
            ("initiative", "initiatief", "naam initiatief", "nom de l'initiative"),
            required=True,
        ),
        Column(
            "organisation_number",
            v.enterprise_number,
            {"en": "organisation number", "nl": "ondernemingsnummer", "fr": "numéro d'entreprise"},
            NUMBER_ALIASES,
        ),
        Column(
            "work_form",
            v.choice(words.work_form_names),
            {"en": "work form", "nl": "werkvorm", "fr": "forme de travail"},
            ("form", "vorm", "type", "forme", "forme d'action"),
        ),
        Column(
            "phase",
            v.choice(v.PHASES),
            {"en": "phase", "nl": "fase", "fr": "phase"},
            ("stage", "stade"),
            required=True,
        ),
        Column(
            "postcode",
            v.postcode(words.places),
            {"en": "postcode", "nl": "postcode", "fr": "code postal"},
            ("postal code", "zip"),
            required=True,
        ),
        Column(
            "causes",
            _causes(words),
            {"en": "causes", "nl": "thema's", "fr": "thèmes"},
            ("cause", "theme", "themes", "thema", "thème", "thématiques"),
            empty=(),
        ),
        Column(
            "contact_name",
            v.text(),
            {"en": "contact name", "nl": "contactpersoon", "fr": "personne de contact"},
            ("contact", "contact person", "naam contact", "nom du contact"),
            required=True,
        ),
        Column(
            "contact_email",
            v.email,
            {"en": "contact email", "nl": "e-mail contact", "fr": "e-mail de contact"},
            ("email", "mail", "e-mail contactpersoon", "courriel", "courriel de contact", "e-mail du contact",
             "e-mail contact"),
            required=True,
        ),
        Column(
            "website",
            v.website,
            {"en": "website", "nl": "website", "fr": "site web"},
            ("web site", "url", "webadres", "web", "site", "site internet"),
        ),
        _language(),
        Column(
            "description",
            v.text(v.LONG_TEXT_LENGTH),
            {"en": "description", "nl": "omschrijving", "fr": "description"},
            ("beschrijving", "about", "notes"),
            empty="",
        ),
    )  # fmt: skip


def _causes(words: Words) -> v.Parser:
    # In the order of the cell: the first is the primary cause, whose SDG counts in reports.
    one = v.choice(words.cause_names)

    def parse(cell: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(v.items(cell, one)))

    return parse
