"""Pages and fragments about what runs tell: why no match, why a match in full, scarcity, fairness."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from timebank import db
from timebank.auth.models import Role
from timebank.auth.web import current_actor, role_required
from timebank.coaching import queries as requests
from timebank.coaching.models import RequestState
from timebank.matching import queries as runs
from timebank.matching.insight import operator_words, queries, words
from timebank.matching.words import RULES
from timebank.pledges import queries as pledges
from timebank.pledges.models import PledgeState
from timebank.taxonomy.models import Phase
from timebank.taxonomy.places import FLANDERS, region_name
from timebank.taxonomy.words import language_name
from timebank.web.locale import language
from timebank.web.respond import is_htmx

bp = Blueprint("insight", __name__, template_folder="../templates")

PLOTTED = 10  # the bars of a plot


# --- why no match -----------------------------------------------------------------------------------------------------


@bp.get("/matching/pledges/<uuid:public_id>/why-not")
@role_required(Role.EMPLOYEE)
def pledge_why_not(public_id: UUID) -> ResponseReturnValue:
    """Why the actor's own pledge has no proposal; a fragment for its page, or a page of its own."""
    session = db.request_session()
    pledge = pledges.own(session, public_id, current_actor())
    told = queries.why_not_pledge(session, pledge) if pledge.state == PledgeState.APPROVED else None
    context: dict[str, Any] = {"told": told, "looked": pledge.state == PledgeState.APPROVED}
    if told:
        names = queries.skill_names(session, language())
        context.update(
            rule=words.NO_REQUEST.get(told.row.rule or ""),
            outbid=words.outbid_pledge(told.row, told.run.parameters) if told.row.rule is None else [],
            steps=words.steps(told.row, told.run.seats or 0, words.LEFT_PLACES),
            small=0,
            advice=[
                (each.text, _pledge_field(public_id, each.field))
                for each in words.advice_for_pledge(told.row, names)
            ],
        )
    back = url_for("pledges.detail", public_id=public_id)
    return _fragment("insight/_why_not.html", _("Why no match yet?"), back, **context)


def _pledge_field(public_id: UUID, field: str) -> str:
    """Where the employee changes it: hours on the page of the pledge, days by a pledge for other days."""
    if field == "hours":
        return url_for("pledges.detail", public_id=public_id, _anchor=field)
    if field in ("from_date", "until_date"):
        return url_for("pledges.new", _anchor=field)
    return url_for("pledges.edit", public_id=public_id, _anchor=field)


@bp.get("/matching/requests/<uuid:public_id>/why-not")
@role_required(Role.COORDINATOR)
def request_why_not(public_id: UUID) -> ResponseReturnValue:
    """Why a seat of the initiative's own request stays empty; a fragment for its page, or a page of its own."""
    session = db.request_session()
    request = requests.own(session, public_id, current_actor())
    is_open = request.state == RequestState.OPEN
    told = queries.why_not_request(session, request) if is_open else None
    context: dict[str, Any] = {"told": told, "looked": is_open}
    if told:
        names = queries.skill_names(session, language())
        context.update(
            rule=RULES[told.row.rule] if told.row.rule else None,
            outbid=words.outbid_request(
                told.row,
                told.run.parameters,
                shares=queries.got_a_coach(session, request, told.run),
            )
            if told.row.rule is None
            else [],
            steps=words.steps(told.row, told.run.pledges or 0, words.LEFT_PEOPLE),
            small=words.SMALL,
            advice=[
                (each.text, url_for("coaching.edit", public_id=public_id, _anchor=each.field))
                for each in words.advice_for_request(told.row, names)
            ],
        )
    back = url_for("coaching.detail", public_id=public_id)
    return _fragment("insight/_why_not.html", _("Why nobody yet?"), back, **context)


def _fragment(template: str, title: str, back: str, **context: Any) -> ResponseReturnValue:
    """The fragment alone for htmx, else within a page of its own."""
    if is_htmx():
        return render_template(template, **context)
    return render_template("insight/alone.html", template=template, title=title, back=back, **context)


# --- scarcity ---------------------------------------------------------------------------------------------------------


@bp.get("/operator/scarcity")
@role_required(Role.OPERATOR)
def scarcity() -> ResponseReturnValue:
    """What is scarce by skill, language and region, in the prices of the last run."""
    session = db.request_session()
    found = queries.newest_insight(session)
    if found is None:
        return render_template("insight/scarcity.html", run=None)
    run, insight = found
    names = queries.skill_names(session, language())
    tables = {
        "skill": _cells(insight.scarcity["skill"], names),
        "language": _cells(
            insight.scarcity["language"], {code: language_name(code) for code in ("nl", "fr", "en")}
        ),
        "region": _cells(insight.scarcity["region"], _regions()),
    }
    return render_template(
        "insight/scarcity.html",
        run=run,
        tables=tables,
        plotted=PLOTTED,
        empty_by_region={code: cell["minutes"] for code, cell in insight.scarcity["region"].items()},
        wishes=[words.wish_sentence(wish, names, language()) for wish in insight.wishes],
    )


def _cells(cells: dict[str, dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    """What is asked or has a price: where most hours lack first, then the dearest."""
    rows = [
        {"name": names.get(key, key), **cell} for key, cell in cells.items() if cell["asked"] or cell["price"]
    ]
    return sorted(rows, key=lambda row: (-row["minutes"], -(row["price"] or 0), row["name"]))


def _regions() -> dict[str, str]:
    return {
        code: region_name(code, language()) for code in (*FLANDERS, "BE31", "BE32", "BE33", "BE34", "BE35")
    }


@bp.get("/hr/wanted")
@role_required(Role.HR)
def wanted_by_hr() -> ResponseReturnValue:
    """For which coaches requests wait, as a company can act on it."""
    return _wanted("hr")


@bp.get("/initiative/wanted")
@role_required(Role.COORDINATOR)
def wanted_by_initiative() -> ResponseReturnValue:
    """For which coaches requests wait, as an initiative can act on it."""
    return _wanted("initiative")


def _wanted(desk: str) -> ResponseReturnValue:
    """Of requests, which are public, and of nobody's pledge."""
    session = db.request_session()
    found = queries.newest_insight(session)
    names = queries.skill_names(session, language())
    return render_template(
        "insight/wanted.html",
        desk=desk,
        run=found[0] if found else None,
        wishes=[(words.wish_sentence(wish, names, language()), wish["minutes"]) for wish in found[1].wishes]
        if found
        else [],
    )


# --- of one run -------------------------------------------------------------------------------------------------------


@bp.get("/operator/runs/<uuid:run_id>/fairness")
@role_required(Role.OPERATOR)
def fairness(run_id: UUID) -> ResponseReturnValue:
    """Who is served before and after a run, and what its policy cost; a fragment for its page, or a page."""
    session = db.request_session()
    run = runs.run(session, run_id)
    found = queries.insight(session, run)
    names: dict[str, dict[str, str]] = {
        "region": _regions(),
        "phase": {
            Phase.IDEA.value: _("idea"),
            Phase.DEVELOPMENT.value: _("development"),
            Phase.SCALING.value: _("scaling"),
        },
        "work_form": queries.work_form_names(session, language()) if found else {},
        "size": operator_words.SIZES,
    }
    return _fragment(
        "insight/_fairness.html",
        _("Fairness"),
        url_for("matching.show_run", public_id=run_id),
        insight=found,
        kinds=[
            (kind, title, operator_words.groups(found.served[kind], names[kind]))
            for kind, title in operator_words.KINDS.items()
        ]
        if found
        else [],
    )


@bp.get("/operator/runs/<uuid:run_id>/matches/<uuid:match_id>")
@role_required(Role.OPERATOR)
def match(run_id: UUID, match_id: UUID) -> ResponseReturnValue:
    """Why a run proposed this match, with all points and prices; people stand under their pseudonyms."""
    session = db.request_session()
    run = runs.run(session, run_id)
    found = queries.match_of_run(session, run, match_id)
    names = {**queries.skill_names(session, language()), **queries.cause_names(session, language())}
    return render_template(
        "insight/match.html",
        run=run,
        match=found,
        text=found.request.text(language()),
        terms=operator_words.terms(found.reasons, names),
        language=language(),
    )
