"""Reads of the reference data, in the order in which people see them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from timebank.taxonomy.models import Cause, Postcode, Skill, Term, TermKind


def skills(session: Session) -> Sequence[Skill]:
    """The skills that can be chosen, by group and position."""
    return session.scalars(select(Skill).where(~Skill.retired).order_by(Skill.group, Skill.position)).all()


def causes(session: Session) -> Sequence[Cause]:
    return session.scalars(select(Cause).order_by(Cause.position)).all()


def terms(session: Session, kind: TermKind) -> Sequence[Term]:
    return session.scalars(select(Term).where(Term.kind == kind).order_by(Term.position, Term.id)).all()


def postcode(session: Session, code: str) -> Postcode | None:
    """A postcode with its municipality, or None where Belgium has no such code."""
    return session.scalar(
        select(Postcode).where(Postcode.code == code).options(joinedload(Postcode.municipality))
    )


def search_skills(session: Session, text: str, language: str, limit: int = 12) -> list[Skill]:
    """Skills whose name, in any language, or code holds each word of `text`; names that begin with it come first."""
    words = plain(text).split()

    def rank(skill: Skill) -> tuple[bool, str]:
        name = plain(skill.name(language))
        return (not name.startswith(plain(text).strip()), name)

    found = [
        s
        for s in skills(session)
        if all(w in plain(f"{s.code} {s.name_nl} {s.name_fr} {s.name_en}") for w in words)
    ]
    return sorted(found, key=rank)[:limit]


def plain(text: str) -> str:
    """Lower case without accents, for searching and for comparing headings."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def skill_ids(session: Session) -> dict[str, int]:
    """Ids by code."""
    return dict(session.execute(select(Skill.code, Skill.id)).all())


def cause_ids(session: Session) -> dict[str, int]:
    """Ids by code."""
    return dict(session.execute(select(Cause.code, Cause.id)).all())
