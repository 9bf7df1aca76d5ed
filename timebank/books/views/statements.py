"""Everybody's account as a bank shows it: the employee's own, the initiative's, the company's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from flask import Response, render_template, request, url_for
from flask_babel import gettext as _

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, current_initiative_id, role_required
from timebank.books import bookings, statements, words
from timebank.books.bookings import Head
from timebank.books.forms import StatementForm
from timebank.books.statements import Query, Whose
from timebank.books.views.blueprint import bp, names_initiatives
from timebank.ledger.models import AccountKind


@bp.get("/hours/account")
@role_required(Role.EMPLOYEE)
def own_account() -> Any:
    return _page("own", statements.of_employee(current_actor()), statements.OF_EMPLOYEE)


@bp.get("/hours/account.csv")
@role_required(Role.EMPLOYEE)
def own_account_file() -> Any:
    return _file("own", statements.of_employee(current_actor()), statements.OF_EMPLOYEE, own_account)


@bp.get("/initiative/hours/account")
@role_required(Role.COORDINATOR)
def initiative_account() -> Any:
    return _page("initiative", statements.of_initiative(current_initiative_id()), statements.OF_INITIATIVE)


@bp.get("/initiative/hours/account.csv")
@role_required(Role.COORDINATOR)
def initiative_account_file() -> Any:
    whose = statements.of_initiative(current_initiative_id())
    return _file("initiative", whose, statements.OF_INITIATIVE, initiative_account)


@bp.get("/hr/ledger")
@role_required(Role.HR, Role.AUDITOR)
def company_account() -> Any:
    company = current_company_id()
    head = bookings.head(db.request_session(), company)
    return _page("company", statements.of_company(company), statements.OF_COMPANY, head)


@bp.get("/hr/ledger.csv")
@role_required(Role.HR, Role.AUDITOR)
def company_account_file() -> Any:
    return _file(
        "company", statements.of_company(current_company_id()), statements.OF_COMPANY, company_account
    )


def _page(side: str, whose: Whose, accounts: Sequence[AccountKind], head: Head | None = None) -> Any:
    form, query = _asked(accounts)
    shown = (
        statements.statement(
            db.request_session(), whose, query, request.args.get("after"), named=_is_named(side)
        )
        if query
        else None
    )
    asked: dict[str, Any] = _address(query) if query else {}
    endpoint = f"books.{side}_account"
    return render_template(
        "books/statement.html",
        side=side,
        form=form,
        shown=shown,
        accounts=words.ACCOUNTS,
        kinds=words.KINDS,
        head=head,
        download=url_for(f"{endpoint}_file", **asked),
        next=url_for(endpoint, **asked, after=shown.next) if shown and shown.next else None,
        first=url_for(endpoint, **asked) if request.args.get("after") else None,
    ), 200 if query else 422


def _is_named(side: str) -> bool:
    """Whether the movements of a side's account say whom they are for."""
    return side != "company" or names_initiatives()


def _file(side: str, whose: Whose, accounts: Sequence[AccountKind], page: Callable[[], Any]) -> Any:
    _form, query = _asked(accounts)
    if query is None:
        return page()

    file, named = words.StatementFile(query), _is_named(side)

    def pieces() -> Iterator[bytes]:
        with db.read_session() as session:
            yield from file.pieces(
                statements.balances(session, whose, query),
                statements.all_movements(session, whose, query, named=named),
            )

    name = _("account")
    return Response(
        pieces(),
        mimetype="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}-{query.from_date}-{query.until_date}.csv"'
        },
    )


def _asked(accounts: Sequence[AccountKind]) -> tuple[StatementForm, Query | None]:
    """The form with what was asked for, this year's first account by default; and that, if it can be shown."""
    today = clock.today()
    held = {
        "account": accounts[0].value,
        "from_date": date(today.year, 1, 1),
        "until_date": today,
        "kind": "",
    }
    asked = any(name in request.args for name in ("account", "from", "until", "kind"))
    form = StatementForm(request.args if asked else None, data=held)
    form.offer(accounts)
    if asked and not form.validate():
        return form, None
    return form, form.query()


def _address(query: Query) -> dict[str, Any]:
    return {
        "account": query.account.value,
        "from": query.from_date.isoformat(),
        "until": query.until_date.isoformat(),
        "kind": query.kind.value if query.kind else "",
    }
