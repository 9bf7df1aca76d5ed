"""Companies and hosts, their sites and people, and the initiatives; who is admitted, and a company's policy."""

from __future__ import annotations

import enum
import secrets
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, PublicId, enum_column
from timebank.taxonomy.models import Cause, Phase, Postcode, Term

LANGUAGE_KNOWN = "language IN ('nl', 'fr', 'en')"


class Admission(enum.StrEnum):
    APPLIED = "applied"
    ADMITTED = "admitted"
    SUSPENDED = "suspended"
    REFUSED = "refused"
    CLOSED = "closed"


# act: from which states, to which. The operator acts; `close` is also the organisation's own.
ADMISSION_ACTS: dict[str, tuple[frozenset[Admission], Admission]] = {
    "admit": (frozenset({Admission.APPLIED, Admission.SUSPENDED}), Admission.ADMITTED),
    "refuse": (frozenset({Admission.APPLIED}), Admission.REFUSED),
    "suspend": (frozenset({Admission.ADMITTED}), Admission.SUSPENDED),
    "close": (frozenset({Admission.ADMITTED, Admission.SUSPENDED}), Admission.CLOSED),
}


class Approval(enum.StrEnum):
    """Who approves an employee's pledge."""

    AUTO = "auto"
    HR = "hr"
    MANAGER = "manager"


class Admitted:
    """What an admission leaves on an organisation or an initiative."""

    admission: Mapped[Admission] = mapped_column(
        enum_column(Admission, "admission_known"), default=Admission.APPLIED, index=True
    )
    admission_reason: Mapped[str | None] = mapped_column(String(2000))
    applied_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Organisation(PublicId, Admitted, Base):
    """A company, a host of initiatives, or both. An unincorporated association has no number."""

    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint(
            "enterprise_number IS NULL OR (length(enterprise_number) = 10"
            " AND substr(enterprise_number, 1, 1) IN ('0', '1'))",
            name="enterprise_number_ten_digits",
        ),
        CheckConstraint(LANGUAGE_KNOWN, name="language_known"),
        CheckConstraint("is_company OR is_host", name="company_or_host"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),
        CheckConstraint("(admission = 'applied') = (decided_at IS NULL)", name="decided_at_iff_decided"),
        CheckConstraint("admission <> 'refused' OR admission_reason IS NOT NULL", name="reason_if_refused"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    enterprise_number: Mapped[str | None] = mapped_column(String(10), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    is_company: Mapped[bool] = mapped_column(default=False)
    is_host: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(String(2), default="nl")

    policy: Mapped[CompanyPolicy | None] = relationship(back_populates="organisation")


policy_excluded_causes = Table(
    "policy_excluded_causes",
    Base.metadata,
    Column("policy_id", ForeignKey("company_policies.id"), primary_key=True),
    Column("cause_id", ForeignKey("causes.id"), primary_key=True),
)


class CompanyPolicy(Base):
    """A company's rules. `minutes_per_year` caps what one employee may pledge in a year, none without it;
    `eligible_departments` (all when empty) and `min_months` of service say who may pledge."""

    __tablename__ = "company_policies"
    __table_args__ = (
        CheckConstraint("minutes_per_year BETWEEN 0 AND 120000", name="minutes_per_year_in_range"),
        CheckConstraint("min_months BETWEEN 0 AND 120", name="min_months_in_range"),
        CheckConstraint("late_after_days BETWEEN 1 AND 366", name="late_after_days_in_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), unique=True)
    minutes_per_year: Mapped[int | None]
    approval: Mapped[Approval] = mapped_column(enum_column(Approval, "approval_known"), default=Approval.HR)
    eligible_departments: Mapped[list[Any]] = mapped_column(default=list)
    min_months: Mapped[int] = mapped_column(default=0)
    # Whether HR may see who coaches where; the employee's own sharing choice comes on top.
    names_visible: Mapped[bool] = mapped_column(default=False)
    # Hours that are logged more days after the work need the company's approval; the product's own number without it.
    late_after_days: Mapped[int | None]
    # Since when reports may list hours per person by name: of those who were told when they pledged after it.
    hours_by_name_since: Mapped[datetime | None]
    # First and last day of each time in which nobody coaches, as ISO dates; a collective holiday, for example.
    blackouts: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    updated_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship(back_populates="policy")
    excluded_causes: Mapped[list[Cause]] = relationship(
        secondary=policy_excluded_causes, order_by=Cause.position
    )

    def is_blackout(self, day: date) -> bool:
        """Whether the company asks that nobody coaches on `day`."""
        return any(first <= day.isoformat() <= last for first, last in self.blackouts)


class Site(PublicId, Base):
    """Where people of a company work. NIS code and municipality are kept as they were: municipalities merge."""

    __tablename__ = "sites"
    __table_args__ = (
        UniqueConstraint("organisation_id", "postcode"),
        CheckConstraint(
            "establishment_number IS NULL OR (length(establishment_number) = 10"
            " AND substr(establishment_number, 1, 1) BETWEEN '2' AND '8')",
            name="establishment_number_form",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(200))
    establishment_number: Mapped[str | None] = mapped_column(String(10), unique=True)
    postcode: Mapped[str] = mapped_column(ForeignKey("postcodes.code"))
    nis: Mapped[str] = mapped_column(String(5))
    municipality: Mapped[str] = mapped_column(String(100))
    time_zone: Mapped[str] = mapped_column(String(40), default="Europe/Brussels")

    place: Mapped[Postcode] = relationship()


def new_pseudonym() -> str:
    """What ledger and reports call an employee: random, so that it tells nothing once the name is erased."""
    return "E-" + secrets.token_hex(8)


class Employment(PublicId, Base):
    """A person's work for a company: what pledges, caps and hours hang on. Tied to a user only by an invitation."""

    __tablename__ = "employments"
    __table_args__ = (
        UniqueConstraint("organisation_id", "employee_number"),
        Index(
            "uq_employments_active_email",
            "organisation_id",
            "email",
            unique=True,
            postgresql_where=text("state = 'active'"),
            sqlite_where=text("state = 'active'"),
        ),
        Index(
            "uq_employments_active_user",
            "organisation_id",
            "user_id",
            unique=True,
            postgresql_where=text("state = 'active' AND user_id IS NOT NULL"),
            sqlite_where=text("state = 'active' AND user_id IS NOT NULL"),
        ),
        CheckConstraint("state IN ('active', 'left')", name="state_known"),
        CheckConstraint("state = 'active' OR end_date IS NOT NULL", name="end_date_if_left"),
        CheckConstraint(
            "end_date IS NULL OR start_date IS NULL OR start_date <= end_date", name="start_before_end"
        ),
        CheckConstraint("email = lower(email)", name="email_lower_case"),
        CheckConstraint(LANGUAGE_KNOWN, name="language_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    employee_number: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    first_name: Mapped[str] = mapped_column(String(200))
    last_name: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2), default="nl")
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(10), default="active")
    pseudonym: Mapped[str] = mapped_column(String(40), unique=True, default=new_pseudonym)
    created_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()
    terms: Mapped[list[EmploymentTerms]] = relationship(
        back_populates="employment", order_by="EmploymentTerms.valid_from"
    )

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def terms_on(self, day: date) -> EmploymentTerms | None:
        """The terms that hold on `day`: the last that began by then, else the first."""
        held = [t for t in self.terms if t.valid_from <= day]
        return held[-1] if held else (self.terms[0] if self.terms else None)


class EmploymentTerms(Base):
    """Department, site, working time and manager, with the date from which they hold."""

    __tablename__ = "employment_terms"
    __table_args__ = (
        UniqueConstraint("employment_id", "valid_from"),
        CheckConstraint("fte > 0 AND fte <= 1", name="fte_in_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    employment_id: Mapped[int] = mapped_column(ForeignKey("employments.id"))
    valid_from: Mapped[date]
    department: Mapped[str | None] = mapped_column(String(200))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    fte: Mapped[Decimal] = mapped_column(Numeric(5, 4), default=Decimal(1))
    manager_email: Mapped[str | None] = mapped_column(String(254), index=True)

    employment: Mapped[Employment] = relationship(back_populates="terms")
    site: Mapped[Site | None] = relationship()


initiative_terms = Table(
    "initiative_terms",
    Base.metadata,
    Column("initiative_id", ForeignKey("initiatives.id"), primary_key=True),
    Column("term_id", ForeignKey("terms.id"), primary_key=True),
)


class Initiative(PublicId, Admitted, Base):
    """Who is coached. It belongs to an organisation; one host may have many."""

    __tablename__ = "initiatives"
    __table_args__ = (
        UniqueConstraint("organisation_id", "name", "postcode"),
        CheckConstraint("contact_email = lower(contact_email)", name="contact_email_lower_case"),
        CheckConstraint(LANGUAGE_KNOWN, name="language_known"),
        CheckConstraint("(admission = 'applied') = (decided_at IS NULL)", name="decided_at_iff_decided"),
        CheckConstraint("admission <> 'refused' OR admission_reason IS NOT NULL", name="reason_if_refused"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    postcode: Mapped[str] = mapped_column(ForeignKey("postcodes.code"))
    nis: Mapped[str] = mapped_column(String(5))
    municipality: Mapped[str] = mapped_column(String(100))
    nuts2: Mapped[str] = mapped_column(String(4), index=True)
    contact_name: Mapped[str] = mapped_column(String(200))
    contact_email: Mapped[str] = mapped_column(String(254))
    website: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2), default="nl")
    # The phase that holds now; `phases` tells since when and what came before.
    phase: Mapped[Phase] = mapped_column(enum_column(Phase, "phase_known"))
    work_form_id: Mapped[int | None] = mapped_column(ForeignKey("terms.id"))
    # Whether hours that it does not answer count as confirmed after a time of which both sides were told.
    silent_consent: Mapped[bool] = mapped_column(default=True, server_default=true())

    organisation: Mapped[Organisation] = relationship()
    place: Mapped[Postcode] = relationship()
    work_form: Mapped[Term | None] = relationship(foreign_keys=[work_form_id])
    terms: Mapped[list[Term]] = relationship(secondary=initiative_terms)
    causes: Mapped[list[InitiativeCause]] = relationship(
        order_by="InitiativeCause.rank", cascade="all, delete-orphan"
    )
    texts: Mapped[list[InitiativeText]] = relationship(cascade="all, delete-orphan")
    phases: Mapped[list[InitiativePhase]] = relationship(order_by="InitiativePhase.valid_from")

    @property
    def joins_known_host(self) -> bool:
        """Whether it came to an organisation that was here before it, by naming its number."""
        host = self.organisation
        return host.admission is not Admission.APPLIED or host.applied_at < self.applied_at

    @property
    def takes_part(self) -> bool:
        """Whether it may ask for coaches: it and its host are admitted."""
        return self.admission is Admission.ADMITTED and self.organisation.admission is Admission.ADMITTED

    def description(self, language: str) -> str:
        """In `language`, else in the initiative's own, else in any."""
        texts = {t.language: t.description for t in self.texts}
        return texts.get(language) or texts.get(self.language) or next(iter(texts.values()), "")


class InitiativePhase(Base):
    """From when an initiative is in a phase."""

    __tablename__ = "initiative_phases"
    __table_args__ = (UniqueConstraint("initiative_id", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    phase: Mapped[Phase] = mapped_column(enum_column(Phase, "phase_known"))
    valid_from: Mapped[date]


class InitiativeCause(Base):
    """One primary cause (rank 0, whose SDG counts in reports) and at most two more."""

    __tablename__ = "initiative_causes"
    __table_args__ = (
        UniqueConstraint("initiative_id", "rank"),
        CheckConstraint("rank BETWEEN 0 AND 2", name="at_most_three"),
    )

    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True)
    cause_id: Mapped[int] = mapped_column(ForeignKey("causes.id"), primary_key=True)
    rank: Mapped[int]

    cause: Mapped[Cause] = relationship()


class InitiativeText(Base):
    """What an initiative writes about itself, by language."""

    __tablename__ = "initiative_texts"
    __table_args__ = (CheckConstraint(LANGUAGE_KNOWN, name="language_known"),)

    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(2), primary_key=True)
    description: Mapped[str] = mapped_column(Text)


class ConflictOfInterest(Base):
    """That a person sits on an initiative's board, is a relative or works for it: never matched."""

    __tablename__ = "conflicts_of_interest"

    employment_id: Mapped[int] = mapped_column(ForeignKey("employments.id"), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True)
    declared_at: Mapped[datetime]


class CompanyExclusion(Base):
    """That a company or an initiative wants nothing of the other."""

    __tablename__ = "company_exclusions"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True)
    declared_at: Mapped[datetime]
