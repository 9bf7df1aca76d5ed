"""HR's overview and report, and everybody's own hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from timebank import clock, db
from timebank.agreements import queries as agreements
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, public, role_required
from timebank.errors import Invalid
from timebank.matches import queries as matches
from timebank.matching.insight import queries as insight
from timebank.matching.insight.words import wish_sentence
from timebank.pledges import queries as pledges
from timebank.reports import frameworks, inputs, json_file, own, parts, queries, renderings, service, tables
from timebank.reports.exports import frozen, making
from timebank.reports.forms import ChoicesForm, FeeForm, PeriodForm, RateForm, TargetsForm
from timebank.reports.indicators import INDICATORS, VERSION
from timebank.reports.models import RateBasis, TargetKind
from timebank.reports.service import Part, Report
from timebank.reports.words import BASES, CLOSINGS, TARGETS
from timebank.web.forms import BaseForm
from timebank.web.locale import language

bp = Blueprint("reports", __name__, template_folder="templates")

# Plots show so many bars; the table behind them and the files show all.
MOST_BARS = 8
MOST_NEEDS = 5


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

    def built(part: Part | None) -> Report:
        return service.build_report(
            session, company, date(year, 1, 1), until, actor=current_actor(), now=clock.now(), part=part
        )

    whole, part = built(None), parts.part_of(request.args.get("part"))
    report = built(part) if part else whole
    found = insight.newest_insight(session)
    return render_template(
        "reports/overview.html",
        report=report,
        year=year,
        years=years,
        tables={table.key: table for table in tables.tables_of(report)},
        choices=parts.choices(whole),
        needs=_needs(found[1].wishes, session) if found else [],
        targets=whole.targets,
        target_words=TARGETS,
        waiting=queries.pledges_waiting(session, company),
        late=len(matches.late_hours(session, pledges.company_scope(company))),
        agreements=agreements.waiting_for_company(session, company),
        address=_address(report),
        most=MOST_BARS,
    )


def _needs(wishes: Sequence[Any], session: Session) -> list[tuple[str, int]]:
    """The coaches that most hours wait for, in a sentence each, with these minutes."""
    names = insight.skill_names(session, language())
    return [(wish_sentence(wish, names, language()), wish["minutes"]) for wish in wishes[:MOST_NEEDS]]


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
    with db.unit_of_work() as session:
        order = making.Order(current_company_id(), report.from_date, report.until_date, extension, language())
        making.note(session, order, actor=current_actor(), now=clock.now())
    name, period = _("report"), f"{report.from_date}-{report.until_date}"
    if report.part is not None:
        name += "-" + _("part")
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
    session, company, part = (
        db.request_session(),
        current_company_id(),
        parts.part_of(request.args.get("part")),
    )
    first, last = form.from_date.data, form.until_date.data
    # The report of a closed period stays as it was, also when rates or staff are changed later.
    kept = frozen.find(session, company, first, last, language()) if part is None else None
    if kept is not None:
        return form, kept.report
    try:
        report = service.build_report(
            session, company, first, last, actor=current_actor(), now=clock.now(), part=part
        )
    except Invalid as refusal:
        form.add_errors(refusal)
        return form, None
    return form, report


def _address(report: Report) -> dict[str, str]:
    """The period as the address of other pages holds it."""
    address = {"from": report.from_date.isoformat(), "until": report.until_date.isoformat()}
    return address | ({"part": parts.address_of(report.part)} if report.part else {})


# --- what HR enters ---------------------------------------------------------------------------------------------------


@bp.route("/hr/report/settings", methods=["GET", "POST"])
@role_required(Role.HR)
def settings() -> ResponseReturnValue:
    """How figures are counted, and the rates, fees and targets that they rest on. One page with four forms, of which
    the one that was sent names itself in `what`."""
    sent = request.form.get("what") if request.method == "POST" else None
    forms = {name: kind(None, **_held(name)) if name != sent else kind() for name, kind in SETTINGS.items()}
    if sent in forms and forms[sent].validate():
        try:
            with db.unit_of_work() as unit:
                said = _enter(unit, sent, forms[sent])
        except Invalid as refusal:
            forms[sent].add_errors(refusal)
        else:
            flash(said)
            return redirect(url_for(".settings"), 303)
    session, company = db.request_session(), current_company_id()
    page = render_template(
        "reports/settings.html",
        forms=forms,
        rates=queries.rates(session, company),
        fees=queries.fees(session, company),
        targets=queries.targets(session, company),
        bases=BASES,
        target_words=TARGETS,
    )
    return page, 422 if sent else 200


SETTINGS: dict[str, type[BaseForm]] = {
    "choices": ChoicesForm,
    "rate": RateForm,
    "fee": FeeForm,
    "targets": TargetsForm,
}


def _held(name: str) -> dict[str, Any]:
    """What a form holds before somebody types."""
    if name == "choices":
        held = queries.choices(db.request_session(), current_company_id()) or inputs.Choices()
        return {"data": {key: getattr(held, key) for key in vars(inputs.Choices())}}
    if name == "targets":
        year = clock.today().year
        kinds = {t.kind: t.value for t in queries.targets(db.request_session(), current_company_id(), [year])}
        share = kinds.get(TargetKind.PARTICIPATION)
        return {
            "data": {
                "year": year,
                "hours": kinds.get(TargetKind.HOURS),
                "participation": None if share is None else share // 100,
            }
        }
    return {}


def _enter(session: Session, what: str, form: Any) -> str:
    """Do what a form asks, and say so. Raises Invalid."""
    company: int = current_company_id()
    who: dict[str, Any] = {"actor": current_actor(), "now": clock.now()}
    if what == "choices":
        inputs.change_choices(session, company, form.choices_made(), **who)
        return _("Reports are counted so from now on.")
    if what == "rate":
        inputs.enter_rate(
            session,
            company,
            basis=RateBasis(form.basis.data),
            valid_from=form.valid_from.data,
            cents=form.amount.data,
            source=form.source.data,
            **who,
        )
        return _("The hourly rate is kept.")
    if what == "fee":
        inputs.enter_fee(
            session,
            company,
            paid_on=form.paid_on.data,
            cents=form.fee_amount.data,
            what=form.what_for.data,
            **who,
        )
        return _("The cost is kept.")
    share = form.participation.data
    inputs.set_targets(
        session,
        company,
        form.year.data,
        minutes=form.hours.data,
        participation=None if share is None else share * 100,
        **who,
    )
    return _("The targets of %(year)s are kept.", year=form.year.data)


@bp.post("/hr/report/settings/rates/<uuid:public_id>/remove")
@role_required(Role.HR)
def remove_rate(public_id: UUID) -> ResponseReturnValue:
    """Take an hourly rate away."""
    with db.unit_of_work() as unit:
        inputs.remove_rate(unit, current_company_id(), public_id, actor=current_actor(), now=clock.now())
    flash(_("The hourly rate is gone."))
    return redirect(url_for(".settings"), 303)


@bp.post("/hr/report/settings/fees/<uuid:public_id>/remove")
@role_required(Role.HR)
def remove_fee(public_id: UUID) -> ResponseReturnValue:
    """Take a fee away."""
    with db.unit_of_work() as unit:
        inputs.remove_fee(unit, current_company_id(), public_id, actor=current_actor(), now=clock.now())
    flash(_("The cost is gone."))
    return redirect(url_for(".settings"), 303)


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
