"""HR's pages of the company's book: its periods."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, role_required
from timebank.books import periods as reads
from timebank.books import service
from timebank.books.views.blueprint import bp
from timebank.errors import DomainError, NotFound
from timebank.web.format import days


@bp.get("/hr/ledger/periods")
@role_required(Role.HR, Role.AUDITOR)
def periods() -> str:
    """Months and years, closed and open, with what stands in them."""
    today = clock.today()
    return render_template(
        "books/periods.html",
        periods=reads.periods(db.request_session(), current_company_id(), today),
        today=today,
    )


@bp.get("/hr/ledger/periods/<name>")
@role_required(Role.HR, Role.AUDITOR)
def period(name: str) -> str:
    """One period: what stands in it, and the act that closes it."""
    found = reads.period(db.request_session(), current_company_id(), _asked(name))
    today = clock.today()
    return render_template(
        "books/period.html",
        period=found,
        can_close=found.can_close(today) and current_company_id() in current_actor().organisations(Role.HR),
        today=today,
        from_when=reads.day_after(found),
    )


@bp.post("/hr/ledger/periods/<name>/close")
@role_required(Role.HR)
def close(name: str) -> ResponseReturnValue:
    asked, company = _asked(name), current_company_id()
    try:
        with db.unit_of_work() as session:
            service.close_period(
                session, company, year=asked.year, month=asked.month, actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        if refusal.status not in (409, 422):
            raise
        flash(str(refusal), "due")
    else:
        flash(_("%(period)s is closed.", period=days(asked.from_date, asked.until_date)))
    return redirect(url_for("books.period", name=name), 303)


def _asked(name: str) -> reads.Period:
    found = reads.period_called(name)
    if found is None:
        raise NotFound(_("We can't find that."))
    return found
