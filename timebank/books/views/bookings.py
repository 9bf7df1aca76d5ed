"""The company's bookings one by one, and the head of their chain to keep."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from flask import Response, render_template
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_company_id, role_required
from timebank.books import bookings, words
from timebank.books.views.blueprint import bp, names_initiatives
from timebank.errors import NotFound


@bp.get("/hr/ledger/<int:number>")
@role_required(Role.HR, Role.AUDITOR)
def booking(number: int) -> str:
    return render_template(
        "books/booking.html",
        booking=bookings.booking(
            db.request_session(), current_company_id(), min(number, 2**31 - 1), named=names_initiatives()
        ),
        accounts=words.ACCOUNTS,
        kinds=words.KINDS,
    )


@bp.get("/hr/ledger/head.json")
@role_required(Role.HR, Role.AUDITOR)
def head_file() -> Any:
    """The head of the chain as it is now, as a small file."""
    found = bookings.head(db.request_session(), current_company_id())
    if found is None:
        raise NotFound(_("Nothing was booked yet."))
    content = asdict(found) | {"read_at": clock.now()}
    name = _("chain-head")
    return Response(
        json.dumps(content, default=_plain, ensure_ascii=False, indent=2) + "\n",
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}-{clock.today()}.json"'},
    )


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
