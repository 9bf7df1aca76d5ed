"""A small application of its own that shows every component, with made-up people and figures."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg.errors
from flask import Blueprint, Flask, flash, g, make_response, render_template, request
from flask_login import AnonymousUserMixin, LoginManager, UserMixin
from sqlalchemy.exc import IntegrityError, OperationalError
from wtforms import BooleanField, RadioField, SelectField

from config import Settings
from timebank import errors, web
from timebank.web import forms as f
from timebank.web import picker
from timebank.web.access import public
from timebank.web.respond import flash_with_act, respond
from timebank.web.templating import DAYS

SKILLS = [
    (1, "Boekhouding vzw"),
    (2, "Begroting"),
    (3, "Grafische vormgeving"),
    (4, "Hersteltechniek"),
    (5, "Samenaankoop organiseren"),
]
LEVELS = [(1, "een begin"), (2, "zelfstandig"), (3, "expert")]
MONTHS = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov"]
GIVEN = (62, 88, 104, 131, 120, 142, 48, 36, 150, 186, 121)
PLEDGED = (140, 150, 160, 160, 160, 170, 80, 60, 190, 200, 200)


class Person(UserMixin):
    """Who looks at the gallery."""

    id = 1
    name = "Lien Maes"
    language = None
    desks = ("employee", "hr")


class Stranger(AnonymousUserMixin):
    language = None
    desks = ()


class GalleryForm(f.BaseForm):
    """One field of each kind."""

    title = f.Text("Wat heb je nodig?")
    story = f.LongText("Het verhaal", required=False)
    postcode = f.PostcodeField("Postcode")
    minutes = f.HoursField("Hoeveel uren")
    first = f.DateField("Van")
    theme = SelectField(
        "Thema", choices=f.choices([("repair", "Kringloop en herstel"), ("energy", "Energie")])
    )
    shape = RadioField("Wanneer", choices=f.choices([("slots", "Vaste momenten"), ("open", "Open einde")]))
    languages = f.CheckboxesField("Talen", choices=f.choices([("nl", "Nederlands"), ("fr", "Frans")]))
    week = f.CheckboxesField(
        "Je week",
        choices=f.choices(
            [(f"{day}-{half}", f"{day} {half}") for day in DAYS for half in ("am", "pm", "ev")]
        ),
    )
    remote = BooleanField("Ook op afstand")


bp = Blueprint("gallery", __name__, template_folder="templates")


@bp.route("/gallery", methods=["GET", "POST"])
@public
def gallery() -> Any:
    picked = (
        picker.read("skills", request.form)
        if request.method == "POST"
        else picker.Picked([(1, 3), (3, 2)], False)
    )
    form = GalleryForm(
        data={"first": date(2026, 12, 1), "week": ["tue-pm", "fri-am"], "shape": "slots", "remote": True}
    )
    if request.method == "POST" and not picked.changed:
        form.validate()
    names = dict(SKILLS)
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    page = render_template(
        "gallery.html",
        form=form,
        now=now,
        chosen=[(skill, names[skill], level) for skill, level in picked.chosen],
        groups=[("Financiën", SKILLS[:2]), ("Techniek", SKILLS[2:])],
        levels=LEVELS,
        months=[(m, 60 * a, 60 * b) for m, a, b in zip(MONTHS, GIVEN, PLEDGED, strict=True)],
        story=[
            (now + timedelta(days=11), "h", "Eerste sessie bij De Klok"),
            (now, "g", "Babbelonië bevestigde 3 uur"),
        ],
    )
    return page, 422 if form.errors else 200


@bp.get("/gallery/skills")
@public
def skills() -> Any:
    found = [(skill, name) for skill, name in SKILLS if request.args["q"].lower() in name.lower()]
    return render_template("gallery_skills.html", found=found)


@bp.post("/gallery/act")
@public
def act() -> Any:
    flash("2 toezeggingen goedgekeurd, 28 uur.")
    return respond("gallery_row.html", otherwise="/gallery", text="Goedgekeurd")


@bp.get("/gallery/told")
@public
def told() -> Any:
    flash_with_act("2 toezeggingen goedgekeurd, 28 uur.", "Maak ongedaan", "/gallery/act")
    flash("Kies eerst een rij.", "error")
    return gallery()


MEETINGS: dict[str, type[Exception]] = {
    "deadlock": psycopg.errors.DeadlockDetected,
    "serialization": psycopg.errors.SerializationFailure,
    "no_lock": psycopg.errors.LockNotAvailable,
}


@bp.get("/raise/<name>")
@public
def fail(name: str) -> Any:
    if name in MEETINGS:
        raise OperationalError("update", {}, MEETINGS[name]("a secret in the message"))
    if name == "locked":
        busy = sqlite3.OperationalError("database is locked")
        busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise OperationalError("begin", {}, busy)
    if name == "lost":
        raise OperationalError("select", {}, Exception("the server went away"))
    if name == "taken":
        row = "DETAIL:  Key (note, email)=(two\nlines, ann@example.org) already exists."
        raise IntegrityError("insert", {}, psycopg.errors.UniqueViolation(f"duplicate key\n{row}"))
    if name == "bug":
        raise ZeroDivisionError("a secret in the message")
    if name == "invalid":
        raise errors.Invalid("Drie velden kloppen niet.", {"title": "Te lang."})
    raise getattr(errors, name)("De vraag is al ingevuld.")


@bp.get("/hr")
@bp.get("/today")
def desk() -> Any:
    return render_template("gallery_desk.html")


@bp.get("/unreadable-person")
@public
def unreadable() -> Any:
    g.pop("_login_user", None)
    return make_response("reached")


def make_app(**changes: Any) -> Flask:
    """The gallery's application. Query `?as=person` signs in."""
    values: dict[str, Any] = {
        "env": "test",
        "secret_key": "tests-only-" + "k" * 32,
        "base_url": "http://localhost",
        **changes,
    }
    app = Flask(__name__, static_folder=None, template_folder=str(Path(__file__).parent / "templates"))
    app.config.update(SETTINGS=Settings(database_url="sqlite://", **values), SECRET_KEY=values["secret_key"])
    manager = LoginManager(app)
    manager.anonymous_user = Stranger
    manager.request_loader(lambda incoming: Person() if incoming.args.get("as") == "person" else None)
    web.init_app(app)
    app.register_blueprint(bp)
    return app
