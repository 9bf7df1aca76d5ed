"""Shared words: skills, causes, work forms, functions and roles, and Belgium's places."""

from __future__ import annotations

import enum

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from timebank.db import Base, enum_column


class TermKind(enum.StrEnum):
    WORK_FORM = "work_form"
    FUNCTION = "function"
    ROLE = "role"


class Phase(enum.StrEnum):
    IDEA = "idea"
    DEVELOPMENT = "development"
    SCALING = "scaling"


class Named:
    """A name in each language of the interface."""

    name_nl: Mapped[str] = mapped_column(String(200))
    name_fr: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))

    def name(self, language: str) -> str:
        return str(getattr(self, f"name_{language}", self.name_en))


class Skill(Named, Base):
    """What a coach can bring; `position` is its place in the kernel's bit masks and never changes."""

    __tablename__ = "skills"
    __table_args__ = (CheckConstraint("position >= 0", name="position_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    group: Mapped[str] = mapped_column(String(60))
    position: Mapped[int] = mapped_column(unique=True)
    esco_uri: Mapped[str | None] = mapped_column(String(200))
    retired: Mapped[bool] = mapped_column(default=False)


class Cause(Named, Base):
    """What an initiative works on, with the SDG target it serves."""

    __tablename__ = "causes"
    __table_args__ = (CheckConstraint("position >= 0 AND position < 32", name="position_fits_mask"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    position: Mapped[int] = mapped_column(unique=True)
    sdg_target: Mapped[str] = mapped_column(String(10))

    @property
    def sdg(self) -> str:
        """The goal's number, as text."""
        return self.sdg_target.split(".")[0]


class Term(Named, Base):
    """A work form (of the decree of 2003), a function or a role (of that of 2023)."""

    __tablename__ = "terms"
    __table_args__ = (UniqueConstraint("kind", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[TermKind] = mapped_column(enum_column(TermKind, "kind_known"))
    code: Mapped[str] = mapped_column(String(60))
    position: Mapped[int] = mapped_column(default=0)


class Municipality(Base):
    """A municipality by its NIS code of 2025; `nuts2` is its province or Brussels."""

    __tablename__ = "municipalities"

    nis: Mapped[str] = mapped_column(String(5), primary_key=True)
    name_nl: Mapped[str] = mapped_column(String(100))
    name_fr: Mapped[str] = mapped_column(String(100))
    nuts2: Mapped[str] = mapped_column(String(4), index=True)

    def name(self, language: str) -> str:
        return self.name_fr if language == "fr" else self.name_nl


class Postcode(Base):
    """A postcode with its municipality and its place: degrees, and metres in one plane for distances."""

    __tablename__ = "postcodes"
    __table_args__ = (CheckConstraint("length(code) = 4", name="code_has_four_digits"),)

    code: Mapped[str] = mapped_column(String(4), primary_key=True)
    nis: Mapped[str] = mapped_column(ForeignKey("municipalities.nis"), index=True)
    latitude: Mapped[float]
    longitude: Mapped[float]
    x: Mapped[int]
    y: Mapped[int]

    municipality: Mapped[Municipality] = relationship()
