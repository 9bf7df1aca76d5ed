"""What cells can hold, and the reason code of what they cannot."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.imports import values as v
from timebank.imports.errors import BadValue

SKILLS = v.names_of(
    [
        ("bookkeeping", ["boekhouding vzw", "comptabilité ASBL", "bookkeeping"]),
        ("plain-writing", ["copywriting, klare taal", "rédaction, langage clair", "plain writing"]),
        ("logistics", ["logistiek, aankoop", "logistique, achats", "logistics, purchasing"]),
        ("group-buying", ["samenaankoop", "organisation d’achats groupés", "group buying"]),
    ]
)


def reason(parse, cell):
    with pytest.raises(BadValue) as bad:
        parse(cell)
    return bad.value.reason


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-03-31", date(2026, 3, 31)),
        ("31/03/2026", date(2026, 3, 31)),
        ("31-03-26", date(2026, 3, 31)),
        ("24-07-07", date(2007, 7, 24)),
        ("1/2/2026", date(2026, 2, 1)),
        ("01.02.2026", date(2026, 2, 1)),
        ("2026-03-31 00:00:00", date(2026, 3, 31)),
        ("31/03/2026 8:30", date(2026, 3, 31)),
        ("29-02-24", date(2024, 2, 29)),
    ],
)
def test_dates_in_every_notation(cell, day):
    assert v.day(cell) == day


@pytest.mark.parametrize(
    "cell", ["2021-13-01", "gisteren", "29-02-23", "31/04/2026", "03/31/2026", "2026-03", "0000-01-01", "1-2/2026",
             "2026-03-31 25:00", "45000", "٣١/٠٣/٢٠٢٦"],
)  # fmt: skip
def test_no_such_date(cell):
    assert reason(v.day, cell) == "date"


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_notation_of_a_date_is_the_same_day(day):
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%y", "%d-%m-%Y", "%d/%m/%y"):
        assert v.day(day.strftime(form)) == day


@pytest.mark.parametrize(
    ("cell", "fte"),
    [("0,8", "0.8"), ("80%", "0.8"), ("80 %", "0.8"), ("1", "1"), ("0.5", "0.5"), (",5", "0.5")],
)
def test_fractions_with_comma_point_or_percent(cell, fte):
    assert v.fraction(cell) == Decimal(fte)


@pytest.mark.parametrize(
    "cell", ["0", "0%", "-1", "2,5", "101%", "voltijds", "1e9", "NaN", "Infinity", "1,,5", "١"]
)
def test_no_fraction_of_full_time(cell):
    assert reason(v.fraction, cell) == "number"


def test_hours_are_whole_minutes_within_their_range():
    hours = v.minutes("0.5", "1000")
    assert [hours(c) for c in ("0,5", "6.5", "7,25", "1000")] == [30, 390, 435, 60000]
    for cell in ("0,49", "1000,01", "-4", "acht", "1e9", "8%", "8 u"):
        assert reason(hours, cell) == "number"
    assert reason(v.whole(1, 50), "2,5") == "number"
    assert v.whole(1, 50)("2.0") == 2


@given(st.integers(30, 60_000))
def test_hours_written_in_decimals_give_their_minutes(minutes):
    text = f"{minutes / 60:.4f}"
    assert v.minutes("0.5", "1000")(text.replace(".", ",")) == minutes == v.minutes("0.5", "1000")(text)


@pytest.mark.parametrize(
    "cell", ["0566.988.259", "0566988259", "BE 0566.988.259", "BE0566988259", "566988259"]
)
def test_an_enterprise_number_with_or_without_dots(cell):
    assert v.enterprise_number(cell) == "0566988259"


@pytest.mark.parametrize(
    "cell", ["0566.988.258", "2123456789", "abc", "0123.456.789", "05669882590", "-", ""]
)
def test_wrong_check_digits(cell):
    assert reason(v.enterprise_number, cell) == "enterprise_number"


@given(st.integers(1, 19_999_999))
def test_of_a_hundred_endings_one_is_right(first_eight):
    right = 97 - first_eight % 97
    assert v.enterprise_number(f"{first_eight:08d}{right:02d}") == f"{first_eight:08d}{right:02d}"
    assert reason(v.enterprise_number, f"{first_eight:08d}{(right + 1) % 100:02d}") == "enterprise_number"


@pytest.mark.parametrize(
    "cell",
    ["a@b.be", "first.last+tag@sub-domain.example", "o'neil@x.example", "zoë@café.example", "1@2.example"],
)
def test_addresses(cell):
    assert v.email(cell) == cell


def test_addresses_are_lower_cased():
    assert v.email("MONIQUE@DELTA.EXAMPLE") == "monique@delta.example"


@pytest.mark.parametrize(
    "cell", ["x at y.be", "a@b", "@b.be", "a@", "a@@b.be", "a b@c.be", "a.@b.be", ".a@b.be", "a..b@c.be", "a@-b.be",
             "a@b..be", "a@b.be,c@d.be", "<a@b.be>", "a@b.1", "=?utf-8?q?a=0ab?=@acme.be", "a\u2028b@c.be"],
)  # fmt: skip
def test_no_address(cell):
    assert reason(v.email, cell) == "email"


def test_a_long_address_is_named_for_its_length():
    assert reason(v.email, "a" * 200 + "@b.be") == "length"


@given(st.text(max_size=250))
def test_no_text_makes_the_address_parser_fail_or_give_upper_case(cell):
    try:
        found = v.email(cell)
    except BadValue:
        return
    assert found == cell.lower()


def test_yes_and_no_in_three_languages():
    assert all(map(v.yes_no, ["yes", "Ja", "OUI", "x1"[1:], "true", "waar", "vrai"]))
    assert not any(map(v.yes_no, ["no", "Nee", "NON", "0", "false", "onwaar", "faux"]))
    assert reason(v.yes_no, "misschien") == "unknown"


def test_half_days_in_three_languages():
    several = v.several(v.half_day)
    assert several("mon-am|Thu-PM") == ("mon-am", "thu-pm")
    assert several("ma-vm | do-nm") == several("lun-matin|jeu-pm") == ("mon-am", "thu-pm")
    assert reason(several, "mon-am|mon-xx") == "unknown"
    assert len(v.HALF_DAYS) == 21


def test_skills_by_code_or_name_with_levels_and_commas_in_names():
    parse = v.skills(SKILLS, 2)
    assert parse("bookkeeping:3|plain-writing") == (("bookkeeping", 3), ("plain-writing", 2))
    assert parse("copywriting, klare taal") == (("plain-writing", 2),)
    assert parse("Copywriting, Klare Taal:3") == (("plain-writing", 3),)
    assert parse("bookkeeping, group buying:1") == (("bookkeeping", 2), ("group-buying", 1))
    assert parse("logistiek, aankoop|comptabilite asbl : 1") == (("bookkeeping", 1), ("logistics", 2))
    assert parse("organisation d'achats groupés") == (("group-buying", 2),)
    assert parse("bookkeeping:1|bookkeeping:3||") == (("bookkeeping", 3),)
    for cell in (
        "toveren",
        "bookkeeping:4",
        "bookkeeping:0",
        "bookkeeping:",
        "bookkeeping|toveren",
        "bookkeeping:x",
    ):
        assert reason(parse, cell) == "unknown"


def test_postcodes():
    parse = v.postcode({"1000", "9420"})
    assert parse("1000") == parse("B-1000") == "1000"
    for cell in ("9999", "B-12", "0999", "10000", "Gent", "1000 Brussel"):
        assert reason(parse, cell) == "postcode"


def test_cells_are_trimmed_normalised_and_free_of_control_characters():
    assert v.clean("  Zoe\u0308\u00a0") == "Zo\u00eb"
    assert v.clean("a\tb\nc") == "a\tb\nc"
    for char in "\x00\x07\x0b\x1f\x7f\x85":
        assert reason(v.clean, f"a{char}") == "text"
    assert reason(v.text(), "x" * 201) == "length"
    assert v.text()("x" * 200)


def test_a_website_may_not_run_in_the_readers_page():
    assert v.website("example.org/x") == "https://example.org/x"
    assert v.website("http://example.org") == "http://example.org"
    assert v.website("example.org:8080") == "https://example.org:8080"
    assert reason(v.website, "javascript:alert(1)") == "text"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_a_cell_made_safe_for_a_spreadsheet_is_read_again_as_it_was(cell):
    safe = v.formula_safe(cell)
    assert not safe.lstrip().startswith(("=", "+", "-", "@"))
    assert v.clean(safe) == v.clean(cell)


@pytest.mark.parametrize("separator", [";", ",", "\t", "; "])
def test_what_another_separator_would_cut_off_is_no_formula_either(separator: str) -> None:
    cell = v.formula_safe_anywhere(f"Foo{separator}=1+1")
    assert cell == f"Foo{separator}'=1+1"
    assert v.formula_safe_anywhere("=1") == "'=1"
    assert v.formula_safe_anywhere("Repaircafé, Gent") == "Repaircafé, Gent"


def test_breaks_within_a_name_are_blanks_and_stay_in_a_description():
    assert v.text()("An \r\n\r\n Claes\tMaes") == "An Claes Maes"
    assert v.text(v.LONG_TEXT_LENGTH)("one\r\ntwo") == "one\ntwo"


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\u202f"])
def test_blanks_of_every_width_stand_before_a_percent_sign_and_in_numbers(blank):
    assert v.fraction(f"80{blank}%") == Decimal("0.8")
    assert v.enterprise_number(f"0566{blank}988{blank}259") == "0566988259"


def test_an_address_that_would_be_too_long_is_refused_rather_than_cut():
    assert reason(v.website, "x.example/" + "a" * 190) == "length"
    assert len(v.website("x.example/" + "a" * 182)) == v.TEXT_LENGTH
