"""The public pages: home, open requests, the catalogue of initiatives, and what Timebank says of itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from timebank import clock, db
from timebank.coaching import queries as coaching
from timebank.hub import hero, queries, shown
from timebank.hub.queries import Sought
from timebank.matching import stars
from timebank.taxonomy import queries as taxonomy
from timebank.taxonomy import words
from timebank.taxonomy.models import Phase
from timebank.taxonomy.picking import level_names
from timebank.web import navigation
from timebank.web.access import public
from timebank.web.locale import language
from timebank.web.person import person

bp = Blueprint("hub", __name__, template_folder="templates")
words.register(bp)
bp.add_app_template_filter(shown.languages_in_choice)

# The longest search that is looked at; nobody types more.
LONGEST = 100


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """What Timebank is, for strangers; one's own desk for who has one."""
    desk = navigation.current_desk()
    if desk is not None:
        return redirect(navigation.HOME[desk], 303)
    session = db.request_session()
    today = clock.today()
    waiting = coaching.open_requests(session, on=today, limit=12, language=language()).rows
    # Those for whom nobody was proposed yet come first; the list is short and says so itself.
    waiting.sort(key=lambda row: row.free_seats == 0)
    return render_template(
        "hub/home.html",
        hero=hero.draw(),
        figures=queries.figures(session, on=today),
        asks=[shown.ask(row) for row in waiting[:4]],
        year=today.year,
    )


# --- open requests --------------------------------------------------------------------------------------------------


@bp.get("/open-requests")
@public
def open_requests() -> ResponseReturnValue:
    """All open requests, longest waiting first."""
    session = db.request_session()
    today = clock.today()
    chosen = _chosen("q", "skill", "region", "online")
    page = coaching.open_requests(
        session,
        on=today,
        text=chosen["q"],
        skill=chosen["skill"] or None,
        region=chosen["region"] or None,
        remote=chosen["online"] == "1",
        after=request.args.get("after"),
        language=language(),
    )
    counts = queries.requests_by_region(session, on=today)
    asked = sorted(
        ((skill.code, skill.name(language())) for skill in queries.skills_asked(session, on=today)),
        key=lambda option: option[1].casefold(),
    )
    return render_template(
        "hub/open_requests.html",
        asks=[shown.ask(row) for row in page.rows],
        total=sum(counts.values()),
        chosen=chosen,
        skills=asked,
        regions=shown.region_options(counts, chosen["region"], language()),
        next=_next(".open_requests", page.next, chosen),
        later="after" in request.args,
    )


@bp.get("/open-requests/<uuid:public_id>")
@public
def open_request(public_id: UUID) -> ResponseReturnValue:
    """One request, with what a coach wants to know before saying "I can help"."""
    session = db.request_session()
    asked = coaching.open_request(session, public_id, on=clock.today())
    user = person()
    return render_template(
        "hub/open_request.html",
        request_=asked,
        text=asked.text(language()),
        count=coaching.seat_counts(session, [asked])[asked.id],
        levels=dict(level_names(asked=True)),
        region=asked.place.municipality.nuts2,
        is_employee=user is not None and "employee" in user.desks,
        starred=asked.id in stars.starred_requests(session, user.id if user else None, [asked.id]),
    )


# --- initiatives ----------------------------------------------------------------------------------------------------


@bp.get("/initiatives")
@public
def initiatives() -> ResponseReturnValue:
    """The catalogue."""
    session = db.request_session()
    chosen = _chosen("q", "cause", "phase", "region")
    phases = shown.phases()
    sought = Sought(
        text=chosen["q"],
        cause=chosen["cause"],
        phase=Phase(chosen["phase"]) if chosen["phase"] in phases else None,
        region=chosen["region"],
    )
    page = queries.initiatives(session, sought, after=request.args.get("after"))
    spots = queries.spots(session, sought)
    counts = queries.by_region(spots)
    total = queries.in_region(counts, sought.region)
    return render_template(
        "hub/initiatives.html",
        page=page,
        rows=[shown.catalogue_row(each, language()) for each in page.rows],
        total=total,
        spots=[
            {"lat": spot.latitude, "lon": spot.longitude}
            for spot in spots
            if queries.in_region({spot.nuts2: 1}, sought.region)
        ],
        provinces=shown.provinces(counts, language()),
        chosen=chosen,
        causes=[(cause.code, cause.name(language())) for cause in taxonomy.causes(session)],
        phases=phases,
        regions=shown.region_options(counts, chosen["region"], language()),
        next=_next(".initiatives", page.next, chosen),
        later="after" in request.args,
    )


@bp.get("/initiatives/<slug>")
@public
def initiative(slug: str) -> ResponseReturnValue:
    """Who an initiative is, what it asks and what it was given."""
    session = db.request_session()
    found = queries.initiative(session, slug)
    asks = coaching.open_requests(
        session, on=clock.today(), initiative_id=found.id, limit=50, language=language()
    )
    return render_template(
        "hub/initiative.html",
        initiative=found,
        text=shown.story(found, language()),
        asks=[shown.ask(row, own_page=True) for row in asks.rows],
        received=queries.received_minutes(session, found.public_id),
        region=shown.region(found.nuts2, language()),
        phase=shown.phases()[found.phase.value],
        website=shown.website(found.website),
    )


# --- what Timebank says of itself -----------------------------------------------------------------------------------


@bp.get("/how-it-works")
@public
def how_it_works() -> ResponseReturnValue:
    return render_template("hub/how_it_works.html")


@bp.get("/who-sees-what")
@public
def who_sees_what() -> ResponseReturnValue:
    return render_template("hub/who_sees_what.html")


@bp.get("/privacy")
@public
def privacy() -> ResponseReturnValue:
    return render_template("hub/privacy.html", address=_address())


@bp.get("/accessibility")
@public
def accessibility() -> ResponseReturnValue:
    return render_template("hub/accessibility.html", address=_address())


@bp.get("/help")
@public
def help_page() -> ResponseReturnValue:
    return render_template("hub/help.html", address=_address())


def _address() -> str | None:
    """Where the operator reads mail; none where nobody set one."""
    return shown.mail_address(current_app.config["SETTINGS"].mail_from)


# --- for search engines ---------------------------------------------------------------------------------------------

PAGES = ("home", "open_requests", "initiatives", "how_it_works", "who_sees_what", "privacy", "accessibility")


@bp.get("/robots.txt")
@public
def robots() -> ResponseReturnValue:
    """Only the public pages are for search engines."""
    allowed = ["/$", *(url_for(f".{name}") for name in PAGES if name != "home"), "/join", "/static/"]
    lines = ["User-agent: *", *(f"Allow: {path}" for path in allowed), "Disallow: /"]
    return _plain("\n".join([*lines, f"Sitemap: {_absolute(url_for('.sitemap'))}", ""]), "text/plain")


@bp.get("/sitemap.xml")
@public
def sitemap() -> ResponseReturnValue:
    """The addresses of all public pages; a sitemap may hold 50,000."""
    session = db.request_session()
    pages: list[tuple[str, Any]] = [(url_for(f".{name}"), None) for name in PAGES]
    pages += [
        (url_for(".open_request", public_id=public_id), since)
        for public_id, since in queries.request_addresses(session, on=clock.today(), limit=20_000)
    ]
    pages += [
        (url_for(".initiative", slug=slug), None) for slug in queries.initiative_slugs(session, limit=29_000)
    ]
    body = render_template("hub/sitemap.xml", pages=[(_absolute(path), since) for path, since in pages])
    return _plain(body, "application/xml")


def _plain(body: str, kind: str) -> Response:
    answer = Response(body, mimetype=kind)
    # Nothing in it depends on who asks.
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


@bp.app_template_global()
def absolute(path: str) -> str:
    """The address of a page as the world knows it."""
    return _absolute(path)


def _absolute(path: str) -> str:
    return str(current_app.config["SETTINGS"].base_url).rstrip("/") + path


# --- filters --------------------------------------------------------------------------------------------------------


def _chosen(*names: str) -> dict[str, str]:
    """What the filters say, cut to a length that somebody may type."""
    return {name: request.args.get(name, "").replace("\0", "").strip()[:LONGEST] for name in names}


def _next(endpoint: str, key: str | None, chosen: dict[str, str]) -> str | None:
    """The address of the next page, with the same filters."""
    if key is None:
        return None
    filters: dict[str, Any] = {name: value for name, value in chosen.items() if value}
    return url_for(endpoint, after=key, **filters)
