"""A file of initiatives: each is admitted, with its host, and its contact invited to co-ordinate it."""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from timebank.auth import service as auth
from timebank.auth.models import Invitation, Role, RoleGrant, User
from timebank.imports.judge import Judged, Note, Values, Verdict
from timebank.imports.kinds import BaseKind, inserted, write_audit
from timebank.imports.registry import Act, Scope, Spec
from timebank.organisations.imports.columns import initiative_columns
from timebank.organisations.imports.slugs import Slugs
from timebank.organisations.imports.words import Words, load_words
from timebank.organisations.models import (
    Admission,
    Initiative,
    InitiativeCause,
    InitiativePhase,
    InitiativeText,
    Organisation,
)
from timebank.taxonomy.models import Cause, Phase, Term

# An initiative has one primary cause and at most two more.
CAUSES = 3


@dataclass
class HeldInitiative:
    """An initiative as a file would write it; `texts` are its descriptions by language."""

    id: int
    public_id: uuid.UUID
    admission: Admission
    facts: dict[str, Any]
    texts: dict[str, str] = field(default_factory=dict)


class Initiatives(BaseKind):
    name = "initiatives"
    uniques = (("organisation_number", "name"), ("name", "postcode"))

    def __init__(self, session: Session) -> None:
        self.words = load_words(session)
        self.columns = initiative_columns(self.words)
        self.held = _load(session)

    def settle(self, values: Values) -> None:
        # A file without that column says as much as an empty cell; a faulty cell says nothing, and makes no key.
        if "organisation_number" not in self.in_file:
            values["organisation_number"] = None

    def key(self, columns: tuple[str, ...], values: Values) -> Hashable | None:
        """The host's number and the name; without a number the name and the postcode."""
        if columns == ("organisation_number", "name"):
            return super().key(columns, values)
        return super().key(columns, values) if values.get("organisation_number", "") is None else None

    def of(self, values: Values) -> HeldInitiative | None:
        """The initiative that a row means, if we hold it."""
        if "organisation_number" not in values:
            return None
        return self.held.get(_key(values.get("name"), values["organisation_number"], values.get("postcode")))

    def check(self, values: Values) -> Iterable[Note]:
        held = self.of(values)
        decided = held is not None and held.admission not in (Admission.APPLIED, Admission.ADMITTED)
        if held is not None and decided and not self.same(held, values):
            yield Note("name", "conflict")

    def compare(self, values: Values) -> Verdict:
        held = self.of(values)
        if held is None:
            return Verdict.NEW
        waits = held.admission == Admission.APPLIED
        return Verdict.CHANGED if waits or not self.same(held, values) else Verdict.SAME

    def same(self, held: HeldInitiative, values: Values) -> bool:
        """Whether the row says nothing else than we hold. Faulty cells are absent, and say nothing."""
        text = held.texts.get(values.get("language", held.facts["language"]), "")
        same_text = "description" not in values or values["description"] == text
        return same_text and all(held.facts[n] == _fact(values, n) for n in held.facts if n in values)

    def warn(self, values: Values) -> Iterable[Note]:
        if len(values.get("causes") or ()) > CAUSES:
            yield Note("causes", "length")


def _key(name: str | None, number: str | None, postcode: str | None) -> tuple[str | None, ...]:
    return ("number", number, name) if number else ("place", postcode, name)


def _fact(values: Values, name: str) -> Any:
    return values[name][:CAUSES] if name == "causes" else values[name]


def _load(session: Session) -> dict[Hashable, HeldInitiative]:
    causes: dict[int, list[str]] = {}
    for initiative_id, code in session.execute(
        select(InitiativeCause.initiative_id, Cause.code)
        .join(Cause, Cause.id == InitiativeCause.cause_id)
        .order_by(InitiativeCause.initiative_id, InitiativeCause.rank)
    ):
        causes.setdefault(initiative_id, []).append(code)
    held: dict[Hashable, HeldInitiative] = {}
    by_id: dict[int, HeldInitiative] = {}
    i = Initiative
    for id_, public_id, admission, number, form, name, phase, postcode, *rest in session.execute(
        select(
            i.id, i.public_id, i.admission, Organisation.enterprise_number, Term.code, i.name, i.phase, i.postcode,
            i.contact_name, i.contact_email, i.website, i.language,
        )
        .join(Organisation, Organisation.id == i.organisation_id)
        .outerjoin(Term, Term.id == i.work_form_id)
        .order_by(i.id)
    ):  # fmt: skip
        facts = {
            "work_form": form,
            "phase": phase.value,
            "postcode": postcode,
            "causes": tuple(causes.get(id_, ())),
            **dict(zip(("contact_name", "contact_email", "website", "language"), rest, strict=True)),
        }
        initiative = HeldInitiative(id_, public_id, admission, facts)
        by_id[id_] = held[_key(name, number, postcode)] = initiative
    for initiative_id, language, description in session.execute(
        select(InitiativeText.initiative_id, InitiativeText.language, InitiativeText.description)
    ):
        if initiative_id in by_id:  # else it applied since the initiatives were read
            by_id[initiative_id].texts[language] = description
    return held


def apply(session: Session, kind: Initiatives, rows: Sequence[Judged], scope: Scope, act: Act) -> None:
    new = [r for r in rows if r.verdict is Verdict.NEW]
    changed = [r for r in rows if r.verdict is Verdict.CHANGED]
    audit = _add(session, kind, new, scope, act)
    for row in changed:
        held = kind.of(row.values or {})
        if held is None:
            continue
        _change(session, kind.words, held, row.values or {}, scope, act)
        admitted = held.admission != Admission.ADMITTED
        organisation_id = session.get_one(Initiative, held.id).organisation_id
        action = "initiative_admitted" if admitted else "initiative_changed"
        audit.append((action, held.public_id, organisation_id, row.row.number))
    write_audit(session, act, audit)


def _hosts(session: Session, rows: Sequence[Judged], act: Act) -> dict[str, int]:
    """Organisations by number, with those that the file brings; what was no host becomes one."""
    held = {
        o.enterprise_number: o
        for o in session.scalars(select(Organisation).where(Organisation.enterprise_number.is_not(None)))
    }
    slugs = Slugs(session.scalars(select(Organisation.slug)))
    for row in rows:
        values = row.values or {}
        number = values["organisation_number"]
        if not number:
            continue
        if number not in held:
            held[number] = _organisation(slugs, values, act)
            session.add(held[number])
        held[number].is_host = True
        if held[number].admission == Admission.APPLIED:
            held[number].admission, held[number].decided_at = Admission.ADMITTED, act.now
    session.flush()
    return {str(number): o.id for number, o in held.items()}


def _organisation(slugs: Slugs, values: Values, act: Act) -> Organisation:
    return Organisation(
        slug=slugs.take(values["name"]),
        name=values["name"],
        enterprise_number=values["organisation_number"],
        is_host=True,
        language=values.get("language", "nl"),
        admission=Admission.ADMITTED,
        applied_at=act.now,
        decided_at=act.now,
    )


def _add(
    session: Session, kind: Initiatives, rows: Sequence[Judged], scope: Scope, act: Act
) -> list[tuple[str, uuid.UUID, int | None, int]]:
    words = kind.words
    hosts = _hosts(session, rows, act)
    own = Slugs(session.scalars(select(Organisation.slug)))
    slugs = Slugs(session.scalars(select(Initiative.slug)))
    records = []
    for row in rows:
        values = row.values or {}
        place = words.places[values["postcode"]]
        language = values.get("language", "nl")
        if values["organisation_number"]:
            organisation_id = hosts[values["organisation_number"]]
        else:
            # An association without a number is an organisation of its own.
            organisation = _organisation(own, values, act)
            session.add(organisation)
            session.flush()  # gives it its id
            organisation_id = organisation.id
        records.append(
            {
                "public_id": uuid.uuid4(),
                "organisation_id": organisation_id,
                "slug": slugs.take(values["name"]),
                "name": values["name"],
                "postcode": values["postcode"],
                "nis": place.nis,
                "municipality": place.name(language),
                "nuts2": place.nuts2,
                "contact_name": values["contact_name"],
                "contact_email": values["contact_email"],
                "website": values.get("website"),
                "language": language,
                "phase": Phase(values["phase"]),
                "work_form_id": words.work_form_ids.get(values.get("work_form") or ""),
                "admission": Admission.ADMITTED,
                "applied_at": act.now,
                "decided_at": act.now,
            }
        )
    ids = inserted(session, Initiative, records)
    phases, causes, texts = [], [], []
    for row, record, id_ in zip(rows, records, ids, strict=True):
        values = row.values or {}
        phases.append({"initiative_id": id_, "phase": record["phase"], "valid_from": scope.as_of})
        causes += _causes(words, id_, values.get("causes", ()))
        if values.get("description"):
            texts.append(
                {"initiative_id": id_, "language": record["language"], "description": values["description"]}
            )
    for model, wanted in ((InitiativePhase, phases), (InitiativeCause, causes), (InitiativeText, texts)):
        if wanted:
            session.execute(insert(model), wanted)
    for record, id_ in zip(records, ids, strict=True):
        _invite(session, id_, record, act)
    return [
        ("initiative_admitted", record["public_id"], record["organisation_id"], row.row.number)
        for row, record in zip(rows, records, strict=True)
    ]


def _causes(words: Words, initiative_id: int, codes: Sequence[str]) -> list[dict[str, int]]:
    return [
        {"initiative_id": initiative_id, "cause_id": words.cause_ids[code], "rank": rank}
        for rank, code in enumerate(codes[:CAUSES])
    ]


def _change(
    session: Session, words: Words, held: HeldInitiative, values: Values, scope: Scope, act: Act
) -> None:
    initiative = session.get_one(Initiative, held.id, with_for_update=True)
    if held.admission != Admission.ADMITTED:
        initiative.admission, initiative.decided_at = Admission.ADMITTED, act.now
    facts = held.facts | {n: values[n] for n in held.facts if n in values}
    language = facts["language"]
    place = words.places[facts["postcode"]]
    if facts["postcode"] != held.facts["postcode"]:
        initiative.postcode, initiative.nis, initiative.nuts2 = facts["postcode"], place.nis, place.nuts2
        initiative.municipality = place.name(language)
    if facts["phase"] != held.facts["phase"]:
        initiative.phase = Phase(facts["phase"])
        since = next((p for p in initiative.phases if p.valid_from == scope.as_of), None)
        if since is None:
            session.add(
                InitiativePhase(initiative_id=held.id, phase=initiative.phase, valid_from=scope.as_of)
            )
        else:
            since.phase = initiative.phase
    initiative.work_form_id = words.work_form_ids.get(facts["work_form"] or "")
    initiative.contact_name, initiative.website, initiative.language = (
        facts["contact_name"],
        facts["website"],
        language,
    )
    if "causes" in values and values["causes"][:CAUSES] != held.facts["causes"]:
        session.execute(delete(InitiativeCause).where(InitiativeCause.initiative_id == held.id))
        if values["causes"]:
            session.execute(insert(InitiativeCause), _causes(words, held.id, values["causes"]))
    if "description" in values:
        session.execute(
            delete(InitiativeText).where(
                InitiativeText.initiative_id == held.id, InitiativeText.language == language
            )
        )
        if values["description"]:
            session.execute(
                insert(InitiativeText),
                [{"initiative_id": held.id, "language": language, "description": values["description"]}],
            )
    if facts["contact_email"] != held.facts["contact_email"] or held.admission != Admission.ADMITTED:
        if facts["contact_email"] != held.facts["contact_email"]:
            # The link that an address got which was wrong, or of somebody who left, works no longer.
            auth.withdraw_invitations(
                session,
                email=held.facts["contact_email"],
                role=Role.COORDINATOR,
                organisation_id=None,
                initiative_id=held.id,
                employment_id=None,
                now=act.now,
            )
        initiative.contact_email = facts["contact_email"]
        _invite(session, held.id, facts | {"name": initiative.name}, act)
    session.flush()


def _invite(session: Session, initiative_id: int, facts: dict[str, Any], act: Act) -> None:
    """Invite the contact to co-ordinate, unless the person does so, or is invited, already."""
    invited = session.scalar(
        select(Invitation.id)
        .where(
            Invitation.initiative_id == initiative_id,
            Invitation.email == facts["contact_email"],
            Invitation.withdrawn_at.is_(None),
        )
        .limit(1)
    )
    granted = session.scalar(
        select(RoleGrant.id)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.initiative_id == initiative_id,
            RoleGrant.ended_at.is_(None),
            User.email == facts["contact_email"],
        )
        .limit(1)
    )
    if invited or granted:
        return
    first, _, last = facts["contact_name"].partition(" ")
    auth.invite(
        session,
        email=facts["contact_email"],
        role=Role.COORDINATOR,
        initiative_id=initiative_id,
        first_name=first,
        last_name=last,
        language=facts["language"],
        actor=act.actor,
        now=act.now,
        inviter=facts["name"],
    )


def _kind(session: Session, scope: Scope, rows: Sequence[Judged] | None) -> Initiatives:
    return Initiatives(session)


SPEC = Spec("initiatives", of_company=False, action="organisation.import", load=_kind, apply=apply)
