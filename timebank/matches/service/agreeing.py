"""What the coaching agreement of a match says, and in which language."""

from __future__ import annotations

from datetime import date

from timebank.agreements.service import AgreementFacts
from timebank.matches.models import Match

BRUSSELS = "BE10"


def agreement_language(match: Match, day: date) -> str:
    """Dutch for a site in Flanders, French in Wallonia, the employee's in Brussels; without a site the company's."""
    terms = match.employment.terms_on(day)
    if terms is None or terms.site is None:
        return match.employment.organisation.language
    nuts2 = terms.site.place.municipality.nuts2
    if nuts2 == BRUSSELS:
        return match.employment.language
    return "fr" if nuts2.startswith("BE3") else "nl"


def coach_label(match: Match) -> str:
    """How the company may see the coach: by name only where its policy and the person's own choice both say so."""
    employment = match.employment
    policy = employment.organisation.policy
    shared = policy is not None and policy.names_visible and match.pledge.shares_choice
    return employment.name if shared else employment.pseudonym


def agreement_facts(match: Match, language: str) -> AgreementFacts:
    """The facts of this coaching for the blanks of the text."""
    request, initiative = match.request, match.request.initiative
    ends = [d for d in (request.until_date, match.pledge.until_date) if d is not None]
    skills = sorted((s for s in request.skills if s.must), key=lambda s: s.skill.position)
    return AgreementFacts(
        employment_id=match.employment_id,
        company=match.employment.organisation.name,
        company_number=match.employment.organisation.enterprise_number,
        initiative=initiative.name,
        host=initiative.organisation.name,
        host_number=initiative.organisation.enterprise_number,
        coach=coach_label(match),
        title=request.text(language).title,
        skills=tuple(s.skill.name(language) for s in skills),
        minutes=match.minutes,
        from_date=max(request.from_date, match.pledge.from_date),
        until_date=min(ends),
        place=request.place.municipality.name(language),
        remote=request.remote,
        contact=initiative.contact_name,
    )
