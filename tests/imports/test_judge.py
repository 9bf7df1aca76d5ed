"""Verdicts of rows, headings, and the file of refused rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from timebank.imports import values as v
from timebank.imports.columns import Column, Headings
from timebank.imports.decode import decode
from timebank.imports.errors import FileRefused
from timebank.imports.judge import Judgement, Note, Values, Verdict, judge
from timebank.imports.rejects import rejects_csv

COLUMNS = (
    Column("number", v.text(), {"en": "number", "nl": "nummer", "fr": "numéro"}, required=True),
    Column("email", v.email, {"en": "email", "nl": "e-mail", "fr": "courriel"}, required=True),
    Column("last_name", v.text(20), {"en": "last name", "nl": "naam", "fr": "nom"}, ("name",), required=True),
    Column("from", v.day, {"en": "from", "nl": "van", "fr": "du"}),
    Column("until", v.day, {"en": "until", "nl": "tot", "fr": "au"}),
    Column("language", v.choice(v.LANGUAGES), {"en": "language", "nl": "taal", "fr": "langue"}, empty="nl"),
)


class People:
    """A kind with what it holds in memory."""

    name = "people"
    whole_list = False
    columns = COLUMNS
    uniques = (("number",), ("email",))

    def __init__(self, held: dict[str, Values] | None = None) -> None:
        self.held = held or {}

    def begin(self, columns: Any) -> None:
        return None

    def settle(self, values: Values) -> None:
        return None

    def key(self, columns: tuple[str, ...], values: Values) -> Any:
        return values.get(columns[0])

    def likely(self, values: Values) -> Any:
        return None

    def check(self, values: Values) -> Iterable[Note]:
        if values.get("from") and values.get("until") and values["until"] < values["from"]:
            yield Note("until", "order")

    def compare(self, values: Values) -> Verdict:
        held = self.held.get(values["number"])
        return Verdict.NEW if held is None else Verdict.SAME if held == values else Verdict.CHANGED

    def seen(self, key: Any) -> None:
        return None

    def hinges(self, values):
        return False

    def late(self):
        return ()

    def accept(self, values: Values, verdict: Verdict) -> None:
        self.held[values["number"]] = values

    def warn(self, values: Values) -> Iterable[Note]:
        return [Note("last_name", "unknown")] if values["last_name"] == "Nobody" else []


def judged(text: str, kind: People | None = None) -> Judgement:
    kind = kind or People()
    headings = Headings(kind.columns)
    table = decode(text.encode(), headings.recognised)
    return judge(table, headings.map(table.header), kind)


def verdicts(result: Judgement) -> list[str]:
    return [r.verdict.value + (f" {r.note.column} {r.note.reason}" if r.note else "") for r in result.rows]


HEADER = "number;email;last name;from;until;language\n"


def test_the_first_fault_in_column_order_is_named():
    result = judged(
        HEADER + ";x;y\n1;x;\n2;a@b.be;Ann;yesterday;tomorrow\n3;c@b.be;Bo;2026-02-01;2026-01-01;xx\n"
    )
    assert verdicts(result) == [
        "refused number missing",
        "refused email email",
        "refused from date",
        "refused until order",
    ]


def test_the_order_of_the_files_own_columns_does_not_matter():
    result = judged("language;last name;number;email\nxx;;1;a@b.be\n")
    assert verdicts(result) == ["refused last_name missing"]


def test_a_second_row_is_compared_with_the_first_accepted_one():
    result = judged(
        HEADER
        + "1;broken;Ann\n1;A@B.be ;Ann;;;nl\n1;a@b.be;Ann;;;\n1;a@b.be;Anna\n1;a@b.be;Ann;never\n"
        + "2;a@b.be;Bo\n2;b@b.be;Bo\n"
    )
    assert verdicts(result) == [
        "refused email email",
        "new",
        "same",
        "refused number duplicate",
        "refused number duplicate",
        "refused email duplicate",
        "new",
    ]


def test_what_is_held_decides_between_new_changed_and_same():
    kind = People()
    assert verdicts(judged(HEADER + "1;a@b.be;Ann\n2;b@b.be;Bo\n", kind)) == ["new", "new"]
    again = judged(HEADER + "1;a@b.be;Ann\n2;b@b.be;Bob\n3;c@b.be;Cleo\n", People(dict(kind.held)))
    assert verdicts(again) == ["same", "changed", "new"]
    assert [r.values and r.values["last_name"] for r in again.rows] == [None, "Bob", "Cleo"]


def test_the_summary_has_the_agreed_shape():
    result = judged(HEADER + "\n1;a@b.be;Nobody\n2;x;Bo\n")
    assert result.summary(missing=4) == {
        "rows": 2,
        "new": 1,
        "changed": 0,
        "same": 0,
        "missing": 4,
        "refused": [{"row": 4, "column": "email", "reason": "email"}],
        "warnings": [{"row": 3, "column": "last_name", "reason": "unknown"}],
    }


def test_headings_are_known_in_three_languages_without_case_accents_and_marks():
    for header in ("Number,E-MAIL,Last_Name", "NUMMER,e mail,Naam", "numero,Courriel,NOM"):
        assert Headings(COLUMNS).map(header.split(",")).places == {"number": 0, "email": 1, "last_name": 2}


def test_unknown_columns_are_named_and_our_own_heading_beats_an_alias():
    mapped = Headings(COLUMNS).map(["name", "number", "email", "last name", "Cost centre", ""])
    assert mapped.places["last_name"] == 3
    assert mapped.unknown == ("name", "Cost centre")


def test_a_missing_required_column_refuses_the_file():
    with pytest.raises(FileRefused) as refused:
        Headings(COLUMNS).map(["number", "language"])
    assert (refused.value.code, refused.value.params) == ("no_column", {"columns": ["email", "last_name"]})


def test_two_headings_for_one_column_refuse_the_file_until_settled_by_hand():
    header = ["number", "email", "e-mail", "naam"]
    with pytest.raises(FileRefused) as refused:
        Headings(COLUMNS).map(header)
    assert refused.value.code == "twin_columns"
    by_hand = {"number": 0, "email": 2, "last_name": 3, "language": None}
    assert Headings(COLUMNS).map(header, by_hand).places == {"number": 0, "email": 2, "last_name": 3}


def test_refused_rows_come_back_as_a_file_that_can_be_mended_and_sent_again():
    text = HEADER + '=1;x;"An; n";;;\n1;a@b.be;Ann\n2;@x;"=cmd"\n'
    rejects = rejects_csv(judged(text))
    assert rejects.startswith(b"\xef\xbb\xbf")
    table = decode(rejects)
    assert table.header[-4:] == ("refused_row", "refused_column", "reason", "explanation")
    assert [r.cells[-4:-1] for r in table.rows] == [("2", "email", "email"), ("4", "email", "email")]
    assert table.rows[1].cells[1:3] == ("'@x", "'=cmd")

    mended = rejects.decode("utf-8-sig").replace("'@x", "c@x.be").replace(";x;", ";b@b.be;")
    again = judged(mended)
    assert verdicts(again) == ["new", "new"]
    assert again.rows[0].values["number"] == "=1"
    assert again.rows[0].values["last_name"] == "An; n"
    assert again.rows[1].values["last_name"] == "=cmd"
    assert again.mapped.unknown == ("refused_row", "refused_column", "reason", "explanation")


def test_a_file_of_refused_rows_that_is_refused_again_keeps_its_shape():
    once = rejects_csv(judged(HEADER + "1;x;Ann\n"))
    twice = rejects_csv(judged(once.decode("utf-8-sig")))
    assert decode(once).rows[0].cells == decode(twice).rows[0].cells
