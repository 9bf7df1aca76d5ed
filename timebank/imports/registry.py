"""The five kinds of files, each declared by the feature that holds what it brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib import import_module
from typing import Any, Protocol

from sqlalchemy.orm import Session

from timebank.auth.actor import Actor
from timebank.imports.judge import Judged, Kind


@dataclass(frozen=True)
class Scope:
    """For whom a file is read: the company (staff, pledges), the day from which changes hold, whether people whom a
    staff file lacks are to be closed, and the user who imports it."""

    organisation_id: int | None
    as_of: date
    close_missing: bool = False
    importer_id: int | None = None


@dataclass(frozen=True)
class Act:
    """Who applies which file, when: what stands in the audit log beside each row."""

    actor: Actor
    now: datetime
    file_name: str


class Held(Kind, Protocol):
    """A kind together with what the database held when it was loaded."""

    def missing(self) -> Sequence[Any]:
        """What the database holds and the file lacks, where a file is read as the whole list."""
        ...


@dataclass(frozen=True)
class Spec:
    """A kind of file. `load` reads what rows are compared with, in few statements (of given ones only what they need);
    `apply` writes rows that `load`, in the same transaction, still finds in order."""

    name: str
    of_company: bool
    action: str
    load: Callable[[Session, Scope, Sequence[Judged] | None], Held]
    apply: Callable[[Session, Any, Sequence[Judged], Scope, Act], None]
    # Rows a transaction, where one for all would hold the database for too long.
    chunk: int | None = None


# In the order in which files build on each other. Features stand above this room, so they are named, not imported.
SPECS = {
    "companies": "timebank.organisations.imports.companies",
    "staff": "timebank.organisations.imports.staff",
    "initiatives": "timebank.organisations.imports.initiatives",
    "requests": "timebank.coaching.imports.requests",
    "pledges": "timebank.pledges.imports.pledges",
}


def spec(name: str) -> Spec:
    """Raises KeyError for an unknown kind."""
    found: Spec = import_module(SPECS[name]).SPEC
    return found
