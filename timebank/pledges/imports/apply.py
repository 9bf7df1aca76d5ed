"""Writing pledges of a file: rows in bulk, hours in the ledger, and the privacy notice to each person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from timebank import clock
from timebank.imports.judge import Judged, Note, Values, Verdict
from timebank.imports.kinds import inserted, put, write_audit
from timebank.imports.registry import Act, Scope
from timebank.ledger import service as ledger
from timebank.organisations.models import Organisation
from timebank.pledges import holds
from timebank.pledges.facts import facts_of
from timebank.pledges.imports import notice
from timebank.pledges.models import ANY_LANGUAGE, ANY_TIME, Pledge, PledgeSkill, PledgeState, Tranche
from timebank.taxonomy.bits import language_bits

if TYPE_CHECKING:
    from timebank.pledges.imports.pledges import Person, Pledges

Audit = list[tuple[str, uuid.UUID, int | None, int]]


def apply(session: Session, kind: Pledges, rows: Sequence[Judged], scope: Scope, act: Act) -> None:
    new = [r for r in rows if r.verdict is Verdict.NEW]
    audit = _add(session, kind, new, scope, act)
    for row in rows:
        if row.verdict is Verdict.CHANGED:
            audit += _change(session, kind, row, scope, act)
    write_audit(session, act, audit)


def _add(session: Session, kind: Pledges, rows: Sequence[Judged], scope: Scope, act: Act) -> Audit:
    records = [_record(kind, row.values or {}, act) for row in rows]
    ids = inserted(session, Pledge, records)
    tranches: list[dict[str, Any]] = []
    skills: list[dict[str, Any]] = []
    entries: list[ledger.Entry] = []
    told: list[notice.Told] = []
    for row, record, id_ in zip(rows, records, ids, strict=True):
        values = row.values or {}
        person = kind.by_id[values["email"]]
        tranche = {
            "public_id": uuid.uuid4(),
            "pledge_id": id_,
            "from_date": values["from"],
            "until_date": values["until"],
            "minutes": values["hours"],
        }
        tranches.append(tranche)
        skills += _skills(kind, id_, values)
        if record["state"] == PledgeState.APPROVED:
            entries.append(_grant(person, tranche, scope, act))
        told.append(
            notice.Told(
                record["public_id"],
                person.email,
                person.user_id,
                person.language,
                values["hours"],
                values["from"],
                values["until"],
            )
        )
    if rows:
        put(session, Tranche, tranches)
        put(session, PledgeSkill, skills)
        ledger.post_many(session, entries)
        company = session.get_one(Organisation, scope.organisation_id)
        by_name = company.policy is not None and company.policy.hours_by_name_since is not None
        notice.queue_many(session, told, company=company.name, by_name=by_name, now=act.now)
    return [
        (
            "pledge_approved" if record["state"] == PledgeState.APPROVED else "pledge_submitted",
            record["public_id"],
            scope.organisation_id,
            row.row.number,
        )
        for row, record in zip(rows, records, strict=True)
    ]


def _record(kind: Pledges, values: Values, act: Act) -> dict[str, Any]:
    person = kind.by_id[values["email"]]
    waits = kind.own(person)
    facts = {
        "language_bits": language_bits([person.language]) or ANY_LANGUAGE,
        "week_bits": ANY_TIME,
        "postcode": person.on(values["from"])[2],
        "radius_km": 30,
        "remote": False,
    } | kind.said(values, None)
    return {
        "public_id": uuid.uuid4(),
        "employment_id": person.id,
        "state": PledgeState.SUBMITTED if waits else PledgeState.APPROVED,
        "from_date": values["from"],
        "until_date": values["until"],
        "notice_at": act.now,
        "created_at": act.now,
        "submitted_at": act.now,
        "approved_at": None if waits else act.now,
        "approved_by_id": None if waits else act.actor.user_id,
        **facts,
    }


def _skills(kind: Pledges, pledge_id: int, values: Values) -> list[dict[str, Any]]:
    ids = kind.words.skill_ids
    return [
        {"pledge_id": pledge_id, "skill_id": ids[code], "level": level} for code, level in values["skills"]
    ]


def _grant(person: Person, tranche: dict[str, Any], scope: Scope, act: Act) -> ledger.Entry:
    day: date = tranche["from_date"]
    department, site, _ = person.on(day)
    return ledger.grant_entry(
        organisation_id=scope.organisation_id or 0,
        tranche=tranche["public_id"],
        minutes=tranche["minutes"],
        activity_date=day,
        facts=ledger.Facts(employee=person.pseudonym, site=site, department=department),
        actor_label=act.actor.label,
        now=act.now,
        key=f"tranche:{tranche['public_id']}:granted",
    )


def _change(session: Session, kind: Pledges, row: Judged, scope: Scope, act: Act) -> Audit:
    values = row.values or {}
    held = kind.of(values)
    if held is None:
        return []
    pledge = session.scalars(
        select(Pledge)
        .where(Pledge.id == held.id)
        .options(selectinload(Pledge.tranches), selectinload(Pledge.employment))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    minutes = values["hours"]
    if minutes != held.minutes and not _fits(session, pledge, minutes):
        row.verdict, row.note, row.values = Verdict.REFUSED, Note("hours", "conflict"), None
        return []
    for name, value in kind.said(values, held).items():
        setattr(pledge, name, value)
    if dict(values["skills"]) != held.skills:
        session.execute(delete(PledgeSkill).where(PledgeSkill.pledge_id == pledge.id))
        put(session, PledgeSkill, _skills(kind, pledge.id, values))
    approves = pledge.state == PledgeState.SUBMITTED and not kind.own(kind.by_id[values["email"]])
    if minutes != held.minutes:
        _set_minutes(session, pledge, minutes, scope, act)
    if approves:
        pledge.state, pledge.approved_at, pledge.approved_by_id = (
            PledgeState.APPROVED,
            act.now,
            act.actor.user_id,
        )
        for tranche in pledge.tranches:
            _book(session, pledge, tranche, tranche.minutes, "granted", tranche.from_date, scope, act)
    session.flush()
    action = "pledge_approved" if approves else "pledge_changed"
    return [(action, pledge.public_id, scope.organisation_id, row.row.number)]


def _fits(session: Session, pledge: Pledge, minutes: int) -> bool:
    """Whether what is reserved, received or held by open proposals stays within `minutes`."""
    if pledge.state != PledgeState.APPROVED:
        return True
    tranche = pledge.tranches[0]
    available = ledger.balances(session, tranches=[tranche.public_id])[tranche.public_id].available
    free = available - holds.held_minutes(session, [tranche.id]).get(tranche.id, 0)
    return tranche.minutes - minutes <= free


def _set_minutes(session: Session, pledge: Pledge, minutes: int, scope: Scope, act: Act) -> None:
    tranche = pledge.tranches[0]
    difference = minutes - tranche.minutes
    tranche.minutes = minutes
    if pledge.state == PledgeState.APPROVED:
        tranche.amendments += 1
        day = max(clock.local_date(act.now), tranche.from_date)
        word = "granted" if difference > 0 else "lapsed:cut"
        _book(session, pledge, tranche, difference, f"{word}:{tranche.amendments}", day, scope, act)


def _book(
    session: Session,
    pledge: Pledge,
    tranche: Tranche,
    minutes: int,
    key: str,
    day: date,
    scope: Scope,
    act: Act,
) -> None:
    book = ledger.grant if minutes > 0 else ledger.lapse
    book(
        session,
        organisation_id=scope.organisation_id or 0,
        tranche=tranche.public_id,
        minutes=abs(minutes),
        activity_date=day,
        facts=facts_of(pledge.employment, day),
        actor_label=act.actor.label,
        now=act.now,
        key=f"tranche:{tranche.public_id}:{key}",
    )
