"""Whether all is well."""

from __future__ import annotations

from datetime import timedelta

import structlog
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

import timebank
from timebank import clock, db
from timebank.auth.web import public
from timebank.scheduler.models import SchedulerBeat

bp = Blueprint("scheduler", __name__)
log = structlog.get_logger(__name__)

SILENT_AFTER = timedelta(seconds=60)


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """200 while the database answers, also when no scheduler runs (pages work without); 503 when it does not."""
    try:
        with db.read_session() as session:
            leader = session.scalar(
                select(SchedulerBeat).where(SchedulerBeat.leader).order_by(SchedulerBeat.at.desc()).limit(1)
            )
    except SQLAlchemyError:
        log.exception("database_unreachable")
        state = {"version": timebank.__version__, "database": "unreachable", "scheduler": "unknown"}
        return jsonify(state), 503
    alive = leader is not None and clock.now() - leader.at < SILENT_AFTER
    return jsonify(
        version=timebank.__version__,
        database="ok",
        scheduler="running" if alive else "absent",
        scheduler_seen=leader.at.isoformat() if leader else None,
    )
