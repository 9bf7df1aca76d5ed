"""What a run tells besides its proposals, worked out once these are written and kept for the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from timebank import db
from timebank.matching.columns import SkillWords
from timebank.matching.insight import scarcity, served
from timebank.matching.insight.models import RunInsight, Unmatched
from timebank.matching.insight.unmatched import unmatched
from timebank.matching.snapshot import Snapshot
from timebank.taxonomy.models import Municipality, Postcode, Skill

if TYPE_CHECKING:
    from timebank.matching.kernel import Assignment


def keep(run_id: int, snapshot: Snapshot, assignment: Assignment, *, applied: bool) -> None:
    """Work it all out in this process, and write it in one transaction.

    What a run says of single requests and pledges replaces what earlier ones said, unless it is only looked at.
    """
    import numpy as np

    from timebank.matching import kernel

    single = assignment.mode == "single" and assignment.status == "optimal"
    market = kernel.market(snapshot.problem, assignment) if single else None
    with db.read_session() as session:
        words = _Words(session)
    rows = unmatched(snapshot, assignment, market, words.by_position) if applied else []
    insight = RunInsight(
        run_id=run_id,
        scarcity=scarcity.scarcity(snapshot, assignment, market, words.codes, words.regions),
        wishes=[
            scarcity.told(wish, requests, words.codes, words.places)
            for wish, requests in scarcity.wishes(snapshot, assignment, words.skill_words)
        ],
    )
    if single:
        _add_fairness(insight, snapshot, assignment)
    filled = [snapshot.seats[i].id for i in np.flatnonzero(assignment.seat_pledge >= 0).tolist()]
    with db.unit_of_work() as session:
        insight.served = served.served(session, [s.id for s in snapshot.seats], filled)
        if applied:
            session.execute(delete(Unmatched))
        for row in rows:
            row.run_id = run_id
        session.add_all([insight, *rows])


def _add_fairness(insight: RunInsight, snapshot: Snapshot, assignment: Assignment) -> None:
    from timebank.matching import kernel

    price = kernel.price_of_fairness(snapshot.problem, assignment)
    insight.base_optimum, insight.base_value = price.without, price.with_policy
    insight.seats_optimum = price.seats_without
    a_day = snapshot.weights["w_waiting"]
    insight.overtaking_days = kernel.spread(snapshot.problem) // a_day + 1 if a_day else None


class _Words:
    """Names of what the arrays hold as numbers. Two statements."""

    def __init__(self, session: Session) -> None:
        skills: list[Any] = list(session.execute(select(Skill.id, Skill.code, Skill.position)))
        self.codes = {id_: code for id_, code, _position in skills}
        self.by_position = {position: code for _id, code, position in skills}
        self.skill_words = SkillWords({id_: position for id_, _code, position in skills})
        self.regions: dict[str, str] = {}
        self.places: dict[str, dict[str, str]] = {}
        for code, nuts2, nl, fr in session.execute(
            select(Postcode.code, Municipality.nuts2, Municipality.name_nl, Municipality.name_fr).join(
                Postcode.municipality
            )
        ):
            self.regions[code] = nuts2
            self.places[code] = {"nl": nl, "fr": fr, "en": nl}
