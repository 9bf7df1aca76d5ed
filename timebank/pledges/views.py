"""Pages of pledges: the employee's own, and the queue of whoever approves."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from timebank import clock, db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id, role_required
from timebank.errors import DomainError, Invalid
from timebank.organisations import service as organisations
from timebank.organisations.models import Approval, Employment
from timebank.pledges import approval, queries, service
from timebank.pledges.forms import (
    DecisionForm,
    DescriptionForm,
    MinutesForm,
    PledgeForm,
    RaiseForm,
    defaults_for,
    values_of,
)
from timebank.pledges.models import Pledge, PledgeState
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy import words
from timebank.taxonomy.picking import Picker, level_names, search, was_pressed
from timebank.web.format import hours
from timebank.web.forms import choices

bp = Blueprint("pledges", __name__, template_folder="templates")
words.register(bp)


def _language() -> str:
    return str(get_locale())


# --- the employee's own ---------------------------------------------------------------------------------------------


def _employment(session: Session) -> Employment:
    return organisations.employment_of(session, current_actor(), current_company_id(Role.EMPLOYEE))


@bp.get("/pledges")
@role_required(Role.EMPLOYEE)
def index() -> ResponseReturnValue:
    session = db.request_session()
    employment = _employment(session)
    pledges = queries.of_employment(session, employment.id)
    today = clock.today()
    return render_template(
        "pledges/index.html",
        pledges=pledges,
        hours=queries.hours_of(session, pledges),
        left=queries.budget_left(session, employment, today.year),
        year=today.year,
    )


@bp.route("/pledges/new", methods=["GET", "POST"])
@role_required(Role.EMPLOYEE)
def new() -> ResponseReturnValue:
    session = db.request_session()
    employment = _employment(session)
    employment_id = employment.id
    form = PledgeForm(data=defaults_for(employment, clock.today()))
    causes = choices((c.id, c.name(_language())) for c in taxonomy.causes(session))
    form.wanted.choices = form.excluded.choices = causes
    picking = request.method == "POST" and was_pressed("skills")
    if not picking and form.validate_on_submit():
        try:
            with db.unit_of_work() as unit:
                pledge = service.submit_pledge(
                    unit, employment_id, form.pledge(), actor=current_actor(), now=clock.now()
                )
                public_id, approved = pledge.public_id, pledge.state == PledgeState.APPROVED
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            flash(_("Your hours are approved.") if approved else _("Your hours wait for approval now."))
            return redirect(url_for(".detail", public_id=public_id), 303)
    status = 422 if request.method == "POST" and not picking else 200
    return _form_page(form), status


def _form_page(form: PledgeForm) -> str:
    session = db.request_session()
    employment = _employment(session)
    year = form.from_date.data.year if form.from_date.data else clock.today().year
    picker = Picker(session, _language())
    return render_template(
        "pledges/new.html",
        form=form,
        picker=picker,
        levels=level_names(),
        left=queries.budget_left(session, employment, year),
        year=year,
        live=queries.live(session, employment.id, clock.today()),
        company=employment.organisation.name,
        policy=approval.policy_of(session, employment.organisation_id),
        Approval=Approval,
    )


@bp.route("/pledges/<uuid:public_id>/edit", methods=["GET", "POST"])
@role_required(Role.EMPLOYEE)
def edit(public_id: UUID) -> ResponseReturnValue:
    """What the pledge says besides its hours and its days."""
    session = db.request_session()
    pledge = queries.own(session, public_id, current_actor())
    form = DescriptionForm(data=values_of(pledge))
    form.wanted.choices = form.excluded.choices = choices(
        (c.id, c.name(_language())) for c in taxonomy.causes(session)
    )
    picking = request.method == "POST" and was_pressed("skills")
    if not picking and form.validate_on_submit():
        db.close_read_session()
        try:
            with db.unit_of_work() as unit:
                service.describe_pledge(
                    unit, public_id, form.description(), actor=current_actor(), now=clock.now()
                )
        except Invalid as refusal:
            form.add_errors(refusal)
        else:
            flash(_("Your pledge is changed. It counts from the next run on."))
            return redirect(url_for(".detail", public_id=public_id), 303)
    page = render_template(
        "pledges/edit.html",
        form=form,
        url=url_for(".edit", public_id=public_id),
        pledge=queries.own(db.request_session(), public_id, current_actor()),
        picker=Picker(db.request_session(), _language()),
        levels=level_names(),
    )
    return page, 422 if request.method == "POST" and not picking else 200


@bp.get("/pledges/skills")
@role_required(Role.EMPLOYEE)
def skills() -> ResponseReturnValue:
    """What the search of the skill picker finds."""
    text = request.args.get("q", "")
    found = search(db.request_session(), text, _language())
    asked = request.args.get("url", "")
    url = asked if asked.startswith("/pledges/") and asked.endswith("/edit") else url_for(".new")
    return render_template(
        "pledges/skills_found.html", found=found, text=text.strip(), url=url, name="skills"
    )


@bp.get("/pledges/<uuid:public_id>")
@role_required(Role.EMPLOYEE)
def detail(public_id: UUID) -> ResponseReturnValue:
    return _detail_page(public_id, MinutesForm(MultiDict()))


def _detail_page(public_id: UUID, form: MinutesForm, status: int = 200) -> ResponseReturnValue:
    session = db.request_session()
    pledge = queries.own(session, public_id, current_actor())
    today = clock.today()
    if form.hours.raw_data is None or not form.hours.raw_data:
        form.hours.data = pledge.tranches[-1].minutes
    policy = approval.policy_of(session, pledge.employment.organisation_id)
    raises = pledge.state == PledgeState.SUBMITTED or (
        policy is not None and policy.approval == Approval.AUTO
    )
    page = render_template(
        "pledges/detail.html",
        pledge=pledge,
        hours=queries.hours_of(session, [pledge])[pledge.id],
        form=form,
        can_change=pledge.state in queries.LIVE and pledge.until_date >= today,
        raises=raises,
        levels=dict(level_names()),
        language=_language(),
    )
    return page, status


@bp.post("/pledges/<uuid:public_id>/withdraw")
@role_required(Role.EMPLOYEE)
def withdraw(public_id: UUID) -> ResponseReturnValue:
    with db.unit_of_work() as session:
        service.withdraw_pledge(session, public_id, actor=current_actor(), now=clock.now())
    flash(_("You took your pledge back."))
    return redirect(url_for(".index"), 303)


@bp.post("/pledges/<uuid:public_id>/minutes")
@role_required(Role.EMPLOYEE)
def minutes(public_id: UUID) -> ResponseReturnValue:
    form = MinutesForm()
    queries.own(
        db.request_session(), public_id, current_actor()
    )  # somebody else's does not even show an error
    if form.validate_on_submit():
        try:
            with db.unit_of_work() as session:
                service.change_minutes(
                    session, public_id, form.hours.data, actor=current_actor(), now=clock.now()
                )
        except Invalid as refusal:
            form.add_errors(refusal)
        except DomainError as refusal:
            form.hours.errors = [*form.hours.errors, str(refusal)]
            return _detail_page(public_id, form, refusal.status)
        else:
            flash(_("Your pledge has %(hours)s now.", hours=hours(form.hours.data)))
            return redirect(url_for(".detail", public_id=public_id), 303)
    return _detail_page(public_id, form, 422)


# --- approving ------------------------------------------------------------------------------------------------------


@bp.route("/hr/approvals", methods=["GET", "POST"])
@role_required(Role.HR)
def hr_approvals() -> ResponseReturnValue:
    return _approvals("hr")


@bp.route("/team/approvals", methods=["GET", "POST"])
@role_required(Role.MANAGER)
def team_approvals() -> ResponseReturnValue:
    return _approvals("team")


@bp.route("/operator/approvals", methods=["GET", "POST"])
@role_required(Role.OPERATOR)
def operator_approvals() -> ResponseReturnValue:
    return _approvals("operator")


@bp.route("/hr/approvals/<uuid:public_id>/hours", methods=["GET", "POST"])
@role_required(Role.HR)
def raise_hours(public_id: UUID) -> ResponseReturnValue:
    """HR grants more: what it comes to is shown first, and booked once confirmed."""
    form = RaiseForm()
    if not form.is_submitted():
        return _raise_page(public_id, RaiseForm(MultiDict()))
    sure, valid = "sure" in request.form, form.validate()
    seen = int(form.seen.data or "0") if (form.seen.data or "").isdecimal() else 0
    try:
        if not valid:
            return _raise_page(public_id, form, 422)
        if not sure:
            read = db.request_session()
            service.check_raise(read, _of_own_company(read, public_id), form.hours.data, clock.today())
            return _raise_page(public_id, form, sure=True)
        with db.unit_of_work() as session:
            _of_own_company(session, public_id)
            pledge = service.raise_minutes(
                session, public_id, form.hours.data, seen_minutes=seen, actor=current_actor(), now=clock.now()
            )
            name, total = pledge.employment.name, hours(pledge.minutes)
    except Invalid as refusal:
        form.add_errors(refusal)
        return _raise_page(public_id, form, 422)
    except DomainError as refusal:
        if refusal.status in (403, 404):
            raise
        form.hours.errors = [*form.hours.errors, str(refusal)]
        return _raise_page(public_id, form, refusal.status)
    flash(_("%(name)s has %(hours)s now, and hears it by mail.", name=name, hours=total))
    return redirect(url_for(".hr_approvals", state="approved"), 303)


def _of_own_company(session: Session, public_id: UUID) -> Pledge:
    pledge = queries.of_company(session, public_id, current_company_id(Role.HR))
    approval.require_approver(session, current_actor(), pledge, clock.today())
    return pledge


def _raise_page(
    public_id: UUID, form: RaiseForm, status: int = 200, *, sure: bool = False
) -> ResponseReturnValue:
    session = db.request_session()
    pledge = _of_own_company(session, public_id)
    if not form.hours.raw_data:
        form.hours.data = pledge.tranches[-1].minutes
    form.seen.data = str(pledge.minutes)
    page = render_template(
        "pledges/raise.html",
        pledge=pledge,
        form=form,
        hours=queries.hours_of(session, [pledge])[pledge.id],
        left=queries.budget_left(session, pledge.employment, pledge.from_date.year, but=pledge.id),
        after=service.minutes_after(pledge, form.hours.data, clock.today()) if sure else None,
        open=pledge.state == PledgeState.APPROVED and pledge.until_date >= clock.today(),
    )
    return page, status


def _scope(desk: str) -> ColumnElement[bool]:
    if desk == "hr":
        return queries.company_scope(current_company_id(Role.HR))
    if desk == "team":
        actor = current_actor()
        company = current_company_id(Role.MANAGER)
        return queries.team_scope(db.request_session(), company, actor.user_id or 0, clock.today())
    return queries.operator_scope()


def _approvals(desk: str) -> ResponseReturnValue:
    """The queue, and what is done with the chosen rows of it."""
    form = DecisionForm()
    status = 200
    problem: str | None = None
    if form.is_submitted():
        form.validate()
        chosen = _chosen(request.form.getlist("chosen"))
        act = request.form.get("act", "")
        if not chosen:
            problem, status = _("Choose at least one pledge."), 422
        elif form.validate():
            try:
                return _decide(desk, act, chosen, form.reason.data)
            except Invalid as refusal:
                form.add_errors(refusal)
                status = 422
            except DomainError as refusal:
                if refusal.status == 404:
                    raise
                problem, status = str(refusal), refusal.status
        else:
            status = 422
    asked = request.values if request.method == "POST" else request.args
    return _queue_page(desk, form, problem, asked.get("state", ""), asked.get("q", "")), status


def _decide(desk: str, act: str, chosen: list[tuple[UUID, int | None]], reason: str) -> ResponseReturnValue:
    actor, now = current_actor(), clock.now()
    if act not in ("approve", "refuse", "take_back"):
        raise Invalid(_("Choose what to do with these pledges."))
    with db.unit_of_work() as session:
        if act == "approve":
            done = service.approve_many(session, chosen, actor=actor, now=now)
        elif act == "refuse":
            done = service.refuse_many(session, [c[0] for c in chosen], reason, actor=actor, now=now)
        else:
            done = service.withdraw_approvals(session, [c[0] for c in chosen], reason, actor=actor, now=now)
        count, total = len(done), hours(sum(p.minutes for p in done))
    if act == "approve":
        flash(
            ngettext(
                "One pledge approved, %(hours)s.",
                "%(num)d pledges approved, %(hours)s.",
                count,
                hours=total,
            )
        )
    elif act == "refuse":
        flash(
            ngettext(
                "One pledge refused. The employee gets your reason by mail.",
                "%(num)d pledges refused. The employees get your reason by mail.",
                count,
            )
        )
    else:
        flash(
            ngettext(
                "One approval taken back. The employee gets your reason by mail.",
                "%(num)d approvals taken back. The employees get your reason by mail.",
                count,
            )
        )
    state = "approved" if act == "take_back" else None
    return redirect(url_for(f".{desk}_approvals", q=request.values.get("q") or None, state=state), 303)


def _chosen(values: list[str]) -> list[tuple[UUID, int | None]]:
    """What the rows' checkboxes say: the pledge, and the minutes that were shown. Nonsense is left out."""
    chosen = []
    for value in values[:200]:
        id_, _colon, seen = value.partition(":")
        try:
            chosen.append((UUID(id_), int(seen) if seen else None))
        except ValueError:
            continue
    return chosen


def _queue_page(desk: str, form: DecisionForm, problem: str | None, state: str, text: str) -> str:
    session = db.request_session()
    approved = state == "approved"
    sort = request.args.get("sort", "waiting")
    page = queries.approval_queue(
        session,
        scope=_scope(desk),
        day=clock.today(),
        asker_id=current_actor().user_id or 0,
        text=text[:100],
        sort=sort,
        after=request.args.get("after"),
        state=PledgeState.APPROVED if approved else PledgeState.SUBMITTED,
    )
    return render_template(
        "pledges/approvals.html",
        page=page,
        form=form,
        problem=problem,
        endpoint=f".{desk}_approvals",
        approved=approved,
        raises=desk == "hr",
        q=text,
        sort=sort if sort in queries.SORTS else "waiting",
        paged=bool(request.args.get("after")),
        picked=set(request.form.getlist("chosen")),
        language=_language(),
    )


def pledge_state(pledge: Pledge) -> tuple[str, str]:
    """The shape and the word of a pledge's state."""
    words = {
        PledgeState.DRAFT: ("", _("Draft")),
        PledgeState.SUBMITTED: ("held", _("Waits for approval")),
        PledgeState.APPROVED: ("ok", _("Approved")),
        PledgeState.REFUSED: ("due", _("Not approved")),
    }
    if pledge.state != PledgeState.ENDED or pledge.end_reason is None:
        return words[pledge.state]
    return "less", {"expired": _("Over"), "withdrawn": _("Taken back"), "left": _("Ended")}[pledge.end_reason]


bp.add_app_template_filter(pledge_state, "pledge_state")
