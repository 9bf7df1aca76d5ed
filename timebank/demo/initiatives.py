"""The initiatives of the demo and what they ask: kinds that exist all over Flanders and Brussels."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from faker import Faker


@dataclass(frozen=True)
class Ask:
    """A coaching request that a kind of initiative may make. Skills are `code:level`."""

    title: str
    must: Sequence[str]
    hours: float
    text: str
    nice: Sequence[str] = ()
    seats: int = 1
    remote: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of initiative; `name` has a blank for its place."""

    name: str
    causes: Sequence[str]
    about: str
    asks: Sequence[Ask]
    language: str = "nl"


KINDS = (
    Kind(
        "Repaircafé {place}",
        ("circular", "participation"),
        "Elke maand herstellen buren samen wat anders op het containerpark belandt.",
        (
            Ask(
                "Een begroting die het bestuur begrijpt",
                ("bookkeeping:2",),
                6,
                "Onze penningmeester stopt. De ploeg wil de boekhouding zelf leren voeren, met een cijferblad dat "
                "iedereen begrijpt.",
                nice=("spreadsheets",),
            ),
            Ask(
                "Een veilige werkplek voor elektrische herstellingen",
                ("repair-technique:2",),
                12,
                "We krijgen een lokaal van de stad en willen het veilig inrichten, met duidelijke afspraken.",
                nice=("safety",),
                seats=2,
            ),
            Ask(
                "Herstellers vinden en houden",
                ("volunteer-management:2",),
                8,
                "We zoeken een aanpak om herstellers te werven, te onthalen en te houden.",
                remote=True,
            ),
        ),
    ),
    Kind(
        "Samenaankoop {place}",
        ("energy", "finance"),
        "Buren kopen samen groene energie, isolatie en zonnepanelen in.",
        (
            Ask(
                "Een samenaankoop van zonnepanelen voor zestig huizen",
                ("group-buying:2",),
                16,
                "We willen offertes vergelijken, een lastenboek opstellen en de buren goed informeren.",
                nice=("contracts", "building-energy"),
                remote=True,
            ),
            Ask(
                "Welke rechtsvorm past bij ons",
                ("legal-form:2",),
                6,
                "Worden we een coöperatie of blijven we een "
                "feitelijke vereniging? We willen kiezen met open ogen.",
                remote=True,
            ),
        ),
    ),
    Kind(
        "Buurtkrant {place}",
        ("media",),
        "Een krant van en voor de wijk, gemaakt door dertig bewoners.",
        (
            Ask(
                "Van nieuwsbrief naar een wijkkrant op papier",
                ("graphic-design:2",),
                8,
                "Onze nieuwsbrief verdient een vorm die ook wie geen scherm heeft graag leest.",
                nice=("plain-writing",),
            ),
            Ask(
                "Schrijven dat iedereen begrijpt",
                ("plain-writing:2",),
                6,
                "We willen een opleiding klare taal voor onze redactie.",
                remote=True,
            ),
        ),
    ),
    Kind(
        "Voedselteam {place}",
        ("food",),
        "Gezinnen kopen elke week rechtstreeks bij boeren uit de streek.",
        (
            Ask(
                "De wekelijkse leveringen slimmer plannen",
                ("logistics:2",),
                10,
                "Onze rondes kosten te veel tijd en kilometers.",
                nice=("spreadsheets",),
            ),
            Ask(
                "Weten of we uitkomen",
                ("cash-flow:2",),
                6,
                "We willen een eenvoudige liquiditeitsplanning voor het komende seizoen.",
                remote=True,
            ),
        ),
    ),
    Kind(
        "Taalcafé {place}",
        ("inclusion", "learning"),
        "Nieuwkomers en buren oefenen samen Nederlands rond een tas koffie.",
        (
            Ask(
                "Een subsidiedossier dat klopt",
                ("grant-writing:2",),
                8,
                "We willen een dossier indienen bij de stad en bij een fonds.",
                remote=True,
            ),
            Ask(
                "Gesprekken leiden met grote groepen",
                ("facilitation:2",),
                6,
                "Onze begeleiders willen leren hoe ze iedereen aan het woord laten.",
                seats=2,
            ),
        ),
    ),
    Kind(
        "Digipunt {place}",
        ("digital", "inclusion"),
        "Een steunpunt waar iedereen terechtkan met vragen over computer en telefoon.",
        (
            Ask(
                "Tweedehandse laptops veilig klaarmaken",
                ("it-infrastructure:2",),
                12,
                "We krijgen laptops van bedrijven en willen ze wissen, installeren en beheren.",
                nice=("it-security",),
                seats=2,
            ),
            Ask(
                "Een website die iedereen kan gebruiken",
                ("website:2",),
                10,
                "Ook wie slecht ziet, moet ons vinden.",
                nice=("web-accessibility",),
                remote=True,
            ),
        ),
    ),
    Kind(
        "Deelwagens {place}",
        ("mobility",),
        "Zestig gezinnen delen acht wagens en een bakfiets.",
        (
            Ask(
                "Een eerlijk tarief voor wie weinig rijdt",
                ("business-model:2",),
                8,
                "Ons tarief dateert van toen we met tien waren.",
                nice=("budgeting",),
                remote=True,
            ),
            Ask(
                "Weten wie verzekerd is en waarvoor",
                ("risk-insurance:2",),
                4,
                "Na een klein ongeval willen we onze polissen en afspraken nakijken.",
                remote=True,
            ),
        ),
    ),
    Kind(
        "Zorgzame Buurt {place}",
        ("care", "housing"),
        "Buren helpen buren: een boodschap, een babbel, een klus.",
        (
            Ask(
                "Gegevens van helpers en buren goed beschermen",
                ("data-protection:2",),
                6,
                "We houden namen, sleutels en hulpvragen bij, en willen dat goed doen.",
                remote=True,
            ),
            Ask(
                "Van dertig naar honderd helpers",
                ("project-management:2",),
                12,
                "We willen groeien zonder het persoonlijke te verliezen.",
                nice=("team-coaching",),
            ),
        ),
    ),
    Kind(
        "Jeugdatelier {place}",
        ("youth", "culture"),
        "Een open werkplaats waar jongeren timmeren, solderen en muziek maken.",
        (
            Ask(
                "Een campagne met jongeren, niet over hen",
                ("social-media:2",),
                8,
                "Onze jongeren willen zelf vertellen wat ze maken.",
                nice=("photo-video",),
            ),
            Ask(
                "Een werkbank die tegen een stoot kan",
                ("woodworking:2",),
                12,
                "We bouwen twaalf werkbanken met de jongeren zelf.",
            ),
        ),
    ),
    Kind(
        "Moestuin {place}",
        ("nature", "food"),
        "Tuinieren op een vergeten lap grond achter het station.",
        (
            Ask(
                "Afspraken met de eigenaar van de grond",
                ("contracts:2",),
                6,
                "De grond wordt verkocht. We willen weten wat we kunnen vragen.",
                remote=True,
            ),
        ),
    ),
    Kind(
        "Gezelschapstheater {place}",
        ("culture", "inclusion"),
        "Mensen met en zonder beperking maken elk jaar één grote voorstelling.",
        (
            Ask(
                "Sponsors die bij ons passen",
                ("sponsorship:2",),
                8,
                "We zoeken een aanpak om bedrijven uit de streek aan te spreken.",
                remote=True,
            ),
            Ask(
                "Een voorstelling die voor iedereen toegankelijk is",
                ("events:2",),
                10,
                "Van de inkom tot de ondertitels.",
                nice=("inclusion",),
            ),
        ),
    ),
    Kind(
        "Atelier Solidaire {place}",
        ("circular", "inclusion"),
        "Un atelier de quartier où l’on répare, apprend et se rencontre.",
        (
            Ask(
                "Un budget lisible pour tout le conseil",
                ("bookkeeping:2",),
                8,
                "Nous voulons un tableau simple, que chacun comprenne.",
                nice=("spreadsheets",),
            ),
            Ask(
                "Un dossier de subsides bien ficelé",
                ("grant-writing:2",),
                10,
                "La Région ouvre un appel, et nous n’en avons jamais écrit.",
                remote=True,
            ),
        ),
        language="fr",
    ),
    Kind(
        "Média Citoyen {place}",
        ("media", "participation"),
        "Une rédaction d’habitantes et d’habitants, en français et en néerlandais.",
        (
            Ask(
                "Filmer et monter sans se perdre",
                ("photo-video:2",),
                8,
                "Nos reporters veulent apprendre à filmer, à monter et à publier.",
                seats=2,
            ),
        ),
        language="fr",
    ),
)

FLEMISH = (
    "9000", "2000", "8000", "3000", "3500", "2800", "8400", "9100", "8500", "2300", "3300", "9300", "8800", "3600",
    "1500", "9700", "2440", "8900", "3800", "9900",
)  # fmt: skip
BRUSSELS = ("1000", "1030", "1050", "1070", "1080", "1190")

OWN_POSTCODE = "9000"  # where the demo's own initiative and employee are


HEADINGS = (
    "name",
    "organisation_number",
    "work_form",
    "phase",
    "postcode",
    "causes",
    "contact_name",
    "contact_email",
    "language",
    "description",
)


@dataclass(frozen=True)
class Founded:
    """An initiative that was made up, with the kind that it is of."""

    name: str
    kind: Kind
    postcode: str
    email: str


def found(random: Random, places: dict[str, str], number: int, own_email: str) -> list[Founded]:
    """So many initiatives; the first is the one that the demo's co-ordinator speaks for."""
    made = [Founded(f"Repaircafé {places[OWN_POSTCODE]}", KINDS[0], OWN_POSTCODE, own_email)]
    names = {made[0].name}
    while len(made) < number:
        kind = random.choice(KINDS)
        postcode = random.choice(BRUSSELS if kind.language == "fr" or random.random() < 0.15 else FLEMISH)
        name = kind.name.format(place=places[postcode])
        if name not in names:
            names.add(name)
            made.append(Founded(name, kind, postcode, f"contact{len(made)}@initiatief.example"))
    return made


def initiatives_file(made: Sequence[Founded], random: Random) -> bytes:
    """The initiatives as the operator would send them in."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    for initiative in made:
        faker = Faker("fr_BE" if initiative.kind.language == "fr" else "nl_BE")
        faker.seed_instance(random.getrandbits(32))
        writer.writerow(
            [
                initiative.name,
                "",
                random.choice(["vereniging", "vereniging", "beweging", "vormingsinstelling", ""]),
                random.choices(["idea", "development", "scaling"], [2, 5, 2])[0],
                initiative.postcode,
                "|".join(initiative.kind.causes),
                faker.name(),
                initiative.email,
                initiative.kind.language,
                initiative.kind.about,
            ]
        )
    return text.getvalue().encode()
