"""Putting the reference data in place."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.resources import files

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from timebank.taxonomy.models import Cause, Municipality, Postcode, Skill, Term, TermKind
from timebank.taxonomy.places import places


def seed(session: Session) -> None:
    """Add what is missing of skills, causes, terms and places; what the operator changed is left alone."""
    _seed_skills(session)
    _seed_causes(session)
    _seed_terms(session)
    if session.scalar(select(func.count()).select_from(Postcode)) == 0:
        _seed_places(session)
    session.flush()


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("timebank.taxonomy").joinpath("data", name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _seed_skills(session: Session) -> None:
    known = set(session.scalars(select(Skill.code)))
    position = (session.scalar(select(func.max(Skill.position))) or -1) + 1 if known else 0
    for row in _rows("skills.csv"):
        if row["code"] in known:
            continue
        session.add(
            Skill(
                code=row["code"],
                group=row["group"],
                name_nl=row["nl"],
                name_fr=row["fr"],
                name_en=row["en"],
                esco_uri=row["esco_uri"] or None,
                position=position,
            )
        )
        position += 1


def _seed_causes(session: Session) -> None:
    known = set(session.scalars(select(Cause.code)))
    for position, row in enumerate(_rows("causes.csv")):
        if row["code"] not in known:
            session.add(
                Cause(
                    code=row["code"],
                    name_nl=row["nl"],
                    name_fr=row["fr"],
                    name_en=row["en"],
                    sdg_target=row["sdg"],
                    position=position,
                )
            )


def _seed_terms(session: Session) -> None:
    known = {(kind, code) for kind, code in session.execute(select(Term.kind, Term.code))}
    for position, row in enumerate(_rows("terms.csv")):
        kind = TermKind(row["kind"])
        if (kind, row["code"]) not in known:
            session.add(
                Term(
                    kind=kind,
                    code=row["code"],
                    name_nl=row["nl"],
                    name_fr=row["fr"],
                    name_en=row["en"],
                    position=position,
                )
            )


def _seed_places(session: Session) -> None:
    found = list(places())
    municipalities = {p.nis: p for p in found}
    session.execute(
        insert(Municipality),
        [
            {"nis": p.nis, "name_nl": p.name_nl, "name_fr": p.name_fr, "nuts2": p.nuts2}
            for p in municipalities.values()
        ],
    )
    session.execute(
        insert(Postcode),
        [
            {
                "code": p.postcode,
                "nis": p.nis,
                "latitude": p.latitude,
                "longitude": p.longitude,
                "x": p.x,
                "y": p.y,
            }
            for p in found
        ],
    )
