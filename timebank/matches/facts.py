"""What the ledger freezes of a match, as it was on a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from timebank.ledger.service import Facts
from timebank.matches.models import Match
from timebank.organisations.models import Initiative
from timebank.pledges.facts import facts_of as facts_of_employment


def facts_of(session: Session, match: Match, day: date, *, reference: str | None = None) -> Facts:
    """The coach's pseudonym, site and department on `day`, the first skill asked, and the initiative as it was."""
    initiative = match.request.initiative
    cause = initiative.causes[0].cause if initiative.causes else None
    return replace(
        facts_of_employment(match.employment, day),
        skill=first_skill(match),
        initiative=initiative.public_id,
        initiative_name=initiative.name,
        initiative_number=initiative.organisation.enterprise_number,
        nuts2=initiative.nuts2,
        nis=initiative.nis,
        phase=phase_on(initiative, day),
        work_form=initiative.work_form.code if initiative.work_form else None,
        cause=cause.code if cause else None,
        sdg=cause.sdg if cause else None,
        reference=reference,
    )


def first_skill(match: Match) -> str | None:
    """The code of the must skill that stands first in the taxonomy."""
    asked = sorted(match.request.skills, key=lambda s: (not s.must, s.skill.position))
    return asked[0].skill.code if asked else None


def phase_on(initiative: Initiative, day: date) -> str:
    """The phase that held on `day`: the last that began by then, else the one that holds now."""
    held = [p.phase for p in initiative.phases if p.valid_from <= day]
    return str((held[-1] if held else initiative.phase).value)
