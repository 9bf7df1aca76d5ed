"""The words and places that cells may name, loaded once for a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.imports.values import names_of
from timebank.taxonomy.models import Cause, Municipality, Postcode, Skill, Term, TermKind


class Place(NamedTuple):
    """A postcode's municipality as it is called now."""

    nis: str
    name_nl: str
    name_fr: str
    nuts2: str

    def name(self, language: str) -> str:
        return self.name_fr if language == "fr" else self.name_nl


@dataclass(frozen=True)
class Words:
    """Names lead to codes, codes to ids."""

    places: Mapping[str, Place]
    skill_names: Mapping[str, str]
    skill_ids: Mapping[str, int]
    cause_names: Mapping[str, str]
    cause_ids: Mapping[str, int]
    work_form_names: Mapping[str, str]
    work_form_ids: Mapping[str, int]


def load_words(session: Session) -> Words:
    """Four statements, whatever the file's size."""
    skills = session.execute(
        select(Skill.code, Skill.id, Skill.name_nl, Skill.name_fr, Skill.name_en).where(
            Skill.retired.is_(False)
        )
    ).all()
    causes = session.execute(select(Cause.code, Cause.id, Cause.name_nl, Cause.name_fr, Cause.name_en)).all()
    forms = session.execute(
        select(Term.code, Term.id, Term.name_nl, Term.name_fr, Term.name_en).where(
            Term.kind == TermKind.WORK_FORM
        )
    ).all()
    places = session.execute(
        select(
            Postcode.code, Municipality.nis, Municipality.name_nl, Municipality.name_fr, Municipality.nuts2
        ).join(Municipality, Municipality.nis == Postcode.nis)
    ).all()
    return Words(
        places={code: Place(nis, nl, fr, nuts2) for code, nis, nl, fr, nuts2 in places},
        skill_names=names_of((code, names) for code, _, *names in skills),
        skill_ids={code: id_ for code, id_, *_ in skills},
        cause_names=names_of((code, names) for code, _, *names in causes),
        cause_ids={code: id_ for code, id_, *_ in causes},
        work_form_names=names_of((code, names) for code, _, *names in forms),
        work_form_ids={code: id_ for code, id_, *_ in forms},
    )
