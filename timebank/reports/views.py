"""HR's overview and report, and everybody's own hours."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from flask_babel import gettext as _

from timebank import clock, db
from timebank.agreements import queries as agreements
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, public, role_required
from timebank.errors import Invalid
from timebank.matches import queries as matches
from timebank.reports import frameworks, json_file, own, queries, renderings, service, tables
from timebank.reports.forms import PeriodForm
from timebank.reports.indicators import INDICATORS, VERSION
from timebank.reports.service import Report
from timebank.reports.words import CLOSINGS
from timebank.web.locale import language

bp = Blueprint("reports", __name__, template_folder="templates")

# Plots show so many bars; the table behind them and the files show all.
MOST_BARS = 8


# --- the company ----------------------------------------------------------------------------------------------------


@bp.get("/hr")
@role_required(Role.HR)
def overview() -> str:
    """A year in figures, and what waits."""
    session, company, today = db.request_session(), current_company_id(), clock.today()
    first = queries.first_activity(session, company)
    years = list(range(today.year, min(first.year if first else today.year, today.year) - 1, -1))
    year = request.args.get("year", default=today.year, type=int)
    if year not in years:
        year = today.year
    until = min(date(year, 12, 31), today)
    report = service.build_report(
        session, company, date(year, 1, 1), until, actor=current_actor(), now=clock.now()
    )
    return render_template(
        "reports/overview.html",
        report=report,
        year=year,
        years=years,
        departments=tables.by_group(report, "department"),
        waiting=queries.pledges_waiting(session, company),
        agreements=agreements.waiting_for_company(session, company),
        address=_address(report),
        most=MOST_BARS,
    )


@bp.get("/hr/report")
@role_required(Role.HR, Role.AUDITOR)
def report_page() -> Any:
    """The report of a period, to read, print and download."""
    form, report = _asked()
    return render_template(
        "reports/report.html",
        form=form,
        report=report,
        key_figures=tables.key_figures(report) if report else [],
        tables={table.key: table for table in tables.tables_of(report)} if report else {},
        address=_address(report) if report else {},
        closings=CLOSINGS,
        most=MOST_BARS,
    ), 200 if report else 422


@bp.get("/hr/report.<extension>")
@role_required(Role.HR, Role.AUDITOR)
def report_file(extension: str) -> Any:
    """The same report as a file."""
    if extension not in renderings.FORMATS:
        abort(404)
    form, report = _asked()
    if report is None:
        return render_template("reports/report.html", form=form, report=None), 422
    kind = renderings.FORMATS[extension]
    name, period = _("report"), f"{report.from_date}-{report.until_date}"
    if extension == "csv" and request.args.get("style") == "excel":
        content = renderings.render_csv(report, excel=True)
        return _download(content, kind.mimetype, f"{name}-{period}-excel.csv")
    return _download(kind.render(report), kind.mimetype, f"{name}-{period}.{extension}")


@bp.get("/hr/report/definitions")
@role_required(Role.HR, Role.AUDITOR)
def definitions_page() -> str:
    """What each figure means and how it is counted, and which standards it feeds."""
    return render_template(
        "reports/definitions.html",
        definitions=tables.definitions(),
        version=VERSION,
        points=frameworks.index(),
        names={indicator.key: indicator.name for indicator in INDICATORS},
        frameworks_version=frameworks.VERSION,
    )


@bp.get("/schemas/report-2.json")
@public
def report_schema() -> Response:
    """The JSON Schema that reports follow; for everybody."""
    return Response(json_file.SCHEMA.read_bytes(), mimetype="application/schema+json")


def _asked() -> tuple[PeriodForm, Report | None]:
    """The form with what was typed, and the report of that period if there can be one."""
    today = clock.today()
    if "from" in request.args or "until" in request.args:
        form = PeriodForm(request.args)
        if not form.validate():
            return form, None
    else:
        form = PeriodForm(None, data={"from_date": date(today.year, 1, 1), "until_date": today})
    try:
        report = service.build_report(
            db.request_session(),
            current_company_id(),
            form.from_date.data,
            form.until_date.data,
            actor=current_actor(),
            now=clock.now(),
        )
    except Invalid as refusal:
        form.add_errors(refusal)
        return form, None
    return form, report


def _address(report: Report) -> dict[str, str]:
    """The period as the address of other pages holds it."""
    return {"from": report.from_date.isoformat(), "until": report.until_date.isoformat()}


# --- oneself --------------------------------------------------------------------------------------------------------


@bp.get("/hours")
@role_required(Role.EMPLOYEE)
def own_hours() -> str:
    """The employee's own hours of a year."""
    session, actor = db.request_session(), current_actor()
    by_year = own.confirmed_by_year(session, actor)
    year = own.own_year(session, actor, _year())
    years = sorted({clock.today().year, year.year, *(y for y, _minutes in by_year)}, reverse=True)
    return render_template(
        "reports/hours.html",
        year=year,
        years=years,
        by_year=by_year,
        states=own.STATES,
        categories=own.CATEGORIES,
        to_log=matches.sessions_to_log(session, actor, now=clock.now()),
        language=language(),
    )


@bp.get("/hours/statement.csv")
@role_required(Role.EMPLOYEE)
def own_statement() -> Response:
    """The employee's own activities of a year, as a file."""
    year = own.own_year(db.request_session(), current_actor(), _year())
    name = _("hours")
    return _download(
        own.statement_csv(year, language()), "text/csv; charset=utf-8", f"{name}-{year.year}.csv"
    )


def _year() -> int:
    this = clock.today().year
    asked = request.args.get("year", default=this, type=int)
    return asked if 2000 <= asked <= this + 5 else this


def _download(content: bytes, mimetype: str, name: str) -> Response:
    return Response(
        content, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
