"""What people type becomes a value or a sentence, and is never lost."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask_babel import Babel
from werkzeug.datastructures import MultiDict

from timebank.errors import Invalid
from timebank.web import forms as f


class Sample(f.BaseForm):
    class Meta:
        csrf = False

    name = f.Text("Name")
    nick = f.Text("Nick", required=False)
    story = f.LongText("Story", required=False)
    email = f.Email("E-mail", required=False)
    site = f.Website("Site", required=False)
    postcode = f.PostcodeField("Postcode", required=False)
    hours = f.HoursField("Hours", required=False)
    places = f.WholeNumberField("Places", least=1, most=50, required=False)
    day = f.DateField("Day", required=False)
    causes = f.CheckboxesField(
        "Causes", choices=f.choices([(1, "a"), (2, "b"), (3, "c"), (4, "d")]), coerce=int, most=3
    )


@pytest.fixture(autouse=True)
def _context():
    app = Flask(__name__)
    app.secret_key = "x"
    Babel(app)
    with app.test_request_context():
        yield


def submit(**values: object) -> Sample:
    form = Sample(MultiDict({"name": "Ann", **values}))
    form.valid = form.validate()
    return form


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("2,5", 150),
        ("2.5", 150),
        ("2:30", 150),
        ("2u30", 150),
        ("2 uur 30", 150),  # as pages say it
        ("1 Heure 01", 61),
        ("30 minuten", 30),
        ("90 minutes", 90),
        ("2 h", 120),
        ("8", 480),
        (",5", 30),
        ("0,25", 15),
    ],
)
def test_hours_are_read_as_people_write_them(typed, minutes):
    form = submit(hours=typed)
    assert form.valid
    assert form.hours.data == minutes


@pytest.mark.parametrize("typed", ["-2", "two", "1e3", "999999999", "2:75", "0", "1.000", "٣", "2\x00"])
def test_hours_that_make_no_sense_are_refused_and_shown_again(typed):
    form = submit(hours=typed)
    assert len(form.errors["hours"]) == 1
    assert form.hours._value() == typed


@pytest.mark.parametrize("typed", ["2026-03-31", "31/03/2026", "31-3-2026", "31.03.2026"])
def test_dates_are_read_in_several_notations(typed):
    assert submit(day=typed).day.data == date(2026, 3, 31)


@pytest.mark.parametrize("typed", ["31/02/2026", "2026-13-01", "soon", "01/01/0001"])
def test_a_date_that_does_not_exist_stays_in_a_plain_field(typed):
    form = submit(day=typed)
    assert len(form.errors["day"]) == 1
    assert 'type="text"' in form.day()
    assert typed in form.day()
    assert 'type="date"' in submit(day="2026-03-31").day()


@pytest.mark.parametrize("typed", ["Zoë", "Ωμέγα", "محمد", "李", "שלום"])
def test_names_may_be_in_any_script(typed):
    assert submit(name=typed).name.data == typed


@pytest.mark.parametrize("typed", ["a\x00b", "bell\x07", "two\nlines", "\x1b[31m", "a\x85b"])
def test_control_characters_are_refused_in_one_line(typed):
    assert "name" in submit(name=typed + ".").errors


def test_a_story_keeps_its_lines_and_tabs():
    form = submit(story="one\r\ntwo\tthree\r\n")
    assert form.story.data == "one\ntwo\tthree"


def test_characters_that_turn_the_direction_are_taken_out():
    assert submit(name="gnp.\u202eexe").name.data == "gnp.exe"


@pytest.mark.parametrize("typed", ["", "  ", "\u200f", "\u202e", "\u200b\u00a0"])
def test_what_cannot_be_seen_does_not_count_as_filled_in(typed):
    assert "name" in submit(name=typed).errors


def test_a_text_of_100_kb_is_refused_with_its_length():
    form = submit(story="x" * 100_000)
    assert "5000" in form.errors["story"][0]
    assert len(form.story.data) == 100_000


@pytest.mark.parametrize(
    "typed", ["ann", "ann@", "@x.be", "a b@x.be", "a@b", "a..b@x.be", "a@x.be\nBcc: b@x.be", "x" * 300,
     "=?utf-8?q?a=0ab?=@acme.be", "ann\u2028b@x.be"],
)  # fmt: skip
def test_addresses_of_no_usual_form_are_refused(typed):
    assert "email" in submit(email=typed).errors


def test_an_address_is_lower_case():
    assert submit(email=" Ann.Peeters+work@Example.BE ").email.data == "ann.peeters+work@example.be"


@pytest.mark.parametrize(
    "typed", ["javascript:alert(1)", "data:text/html,x", "http://", "no spaces.be/x y", "ftp://x.be"]
)
def test_a_web_address_is_http(typed):
    assert "site" in submit(site=typed).errors


def test_a_web_address_gets_a_scheme():
    assert submit(site="www.example.be/over").site.data == "https://www.example.be/over"


def test_postcodes_have_four_digits():
    assert submit(postcode="B-9000").postcode.data == "9000"
    assert "postcode" in submit(postcode="90000").errors


def test_whole_numbers_have_limits():
    assert submit(places="50").places.data == 50
    assert "places" in submit(places="51").errors
    assert "places" in submit(places="-1").errors


def test_at_most_three_causes():
    assert submit(causes=[]).valid
    form = Sample(MultiDict([("name", "x"), *[("causes", str(i)) for i in (1, 2, 3, 4)]]))
    assert not form.validate()
    assert "causes" in form.errors


def test_a_refusal_of_a_service_stands_beside_its_field():
    form = submit()
    form.add_errors(
        Invalid("no", {"postcode": "Belgium has no such postcode.", "elsewhere": "Something else."})
    )
    assert form.errors["postcode"] == ["Belgium has no such postcode."]
    assert form.form_errors == ["Something else."]
    form.add_errors(Invalid("The whole thing is wrong."))
    assert "The whole thing is wrong." in form.form_errors
