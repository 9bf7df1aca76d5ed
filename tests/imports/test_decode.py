"""From bytes to a table: encodings, separators, workbooks, and files that are none."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from timebank.imports import workbook
from timebank.imports.decode import Row, decode
from timebank.imports.errors import FileRefused


def xlsx(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_encoding_separator_and_line_end_reads_the_same(encoding, separator, newline):
    text = newline.join(separator.join(r) for r in [["naam", "prijs"], ["Zoë", "3"], ["Café", "4"]])
    table = decode(text.encode(encoding))
    assert table.header == ("naam", "prijs")
    assert [r.cells for r in table.rows] == [("Zoë", "3"), ("Café", "4")]
    assert table.separator == separator


def test_blank_rows_count_for_numbers_and_nothing_else():
    table = decode(b"a;b\n\n1;2\n;\n \t;  \n3;4\n\n")
    assert table.rows == [Row(3, ("1", "2")), Row(6, ("3", "4"))]


def test_a_line_break_in_a_quoted_cell_is_one_row():
    table = decode(b'a;b\n"one\ntwo; three";"say ""hi"""\n1;2\n')
    assert table.rows == [Row(2, ("one\ntwo; three", 'say "hi"')), Row(3, ("1", "2"))]


def test_known_headings_settle_the_separator_when_counting_does_not():
    data = b"name, short;phase, now\nx, y;z, q\n"
    assert (
        decode(data, lambda header: sum(h in ("name, short", "phase, now") for h in header)).separator == ";"
    )


def test_excels_own_separator_line_is_no_row():
    table = decode(b"sep=;\r\na;b,c\r\n1;2\r\n")
    assert (table.header, table.rows) == (("a", "b,c"), [Row(2, ("1", "2"))])


def test_a_quotation_mark_that_never_closes_refuses_the_file_instead_of_losing_rows():
    with pytest.raises(FileRefused) as refused:
        decode(b'a;b\n1;2\n3;"4\n5;6\n')
    assert refused.value.code == "open_quote"
    assert refused.value.params == {"row": 3}


FOUR = "nr;naam;adres;dienst\n1;An;a@x;P\n"


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ('2;"Bo;b@x;P\n3;Cy";c@x;P\n', 1),  # two rows become one of the right length
        ('2;"Bo;b@x;P\n3;Cy;c@x;P\n4;"Di";d@x;P\n', 2),  # the next mark opens a cell in truth
        ('2;Bo;b@x;"P\r\n3;Cy;c@x;P\r\n4;Di;d@x;P"\r\n', 2),
    ],
)
def test_a_stray_quotation_mark_refuses_the_file_instead_of_making_one_row_of_several(rows, lines):
    with pytest.raises(FileRefused) as refused:
        decode((FOUR + rows + "5;Ed;e@x;P\n").encode())
    assert (refused.value.code, refused.value.params) == ("stray_quote", {"row": 3, "lines": lines})
    assert "\n" not in str(refused.value)


def test_prose_of_several_lines_with_separators_is_one_cell():
    table = decode((FOUR + '2;Bo;;"een; twee; drie\nvier; vijf\n""zes""; zeven"\n').encode())
    assert table.rows[1].cells[3] == 'een; twee; drie\nvier; vijf\n"zes"; zeven'


def test_long_paragraphs_may_hold_more_commas_than_a_row():
    prose = (
        "cijfers, begroting, subsidies, planning en nog veel meer, van januari tot maart, elke week.\n" * 3
    )
    table = decode(f'nr,naam,adres,wat\n1,An,a@x,"{prose}"\n2,Bo,b@x,kort\n'.encode())
    assert table.rows == [Row(2, ("1", "An", "a@x", prose)), Row(3, ("2", "Bo", "b@x", "kort"))]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \r\n\r\n", "empty"),
        (b";;\n;;\n", "empty"),
        (b"\xd0\xcf\x11\xe0 old", "old_workbook"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "locked_workbook"),
        ("a;b".encode("utf-16"), "utf16"),
        (b"\x89PNG\r\n\x1a\n", "no_table"),
        (b"a\x00b;c\n1;2\n", "no_table"),
        (b"caf\xe9 \x81;b\n", "no_text"),
        (b"PK\x03\x04 nothing", "no_workbook"),
        (b"x" * (20 * 1024 * 1024 + 1), "too_large"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(data, code):
    with pytest.raises(FileRefused) as refused:
        decode(data)
    assert refused.value.code == code
    assert "\n" not in str(refused.value)


def test_a_workbook_gives_stored_values_as_a_person_would_type_them():
    data = xlsx(
        ["number", "date", "moment", "part", "yes", "text"],
        [
            10000,
            date(2026, 3, 31),
            datetime(2026, 3, 31, 8, 30),  # noqa: DTZ001 - a workbook knows no zone
            0.8,
            True,
            " Zoë ",
        ],
        [],
        [10001.0, None, None, 0.1 + 0.2, False, "=1+1"],
    )
    table = decode(data)
    assert table.rows[0] == Row(2, ("10000", "2026-03-31", "2026-03-31 08:30:00", "0.8", "yes", " Zoë "))
    # A formula that was never computed has no stored value.
    assert table.rows[1] == Row(4, ("10001", "", "", "0.3", "no", ""))


def test_only_the_first_sheet_is_read():
    book = Workbook()
    book.active.append(["a"])
    book.active.append(["1"])
    book.create_sheet("other").append(["b"])
    out = io.BytesIO()
    book.save(out)
    assert decode(out.getvalue()).header == ("a",)


def bomb(entry: bytes, part: str = "xl/media/image1.bin") -> bytes:
    out = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(xlsx(["a"], ["1"])))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
        target.writestr(part, entry)
    return out.getvalue()


def test_a_decompression_bomb_is_refused_by_what_comes_out_of_it(monkeypatch):
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 5 * 1024 * 1024)
    data = bomb(bytes(8 * 1024 * 1024))
    assert len(data) < 100_000
    with pytest.raises(FileRefused) as refused:
        decode(data)
    assert refused.value.code == "unpacks_too_large"


def test_a_workbook_with_entities_or_very_many_parts_is_refused(monkeypatch):
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be"):
        with pytest.raises(FileRefused):
            workbook.check_archive(bomb('<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'.encode(encoding)))
        with pytest.raises(FileRefused):
            workbook.check_archive(bomb("<!DOCTYPE x []><x/>".encode(encoding), "xl/sheet2.xml"))
    assert workbook.unpacked_size(bomb(bytes(1_000_000))) > 1_000_000
    monkeypatch.setattr(workbook, "MAX_ENTRIES", 3)
    with pytest.raises(FileRefused):
        decode(xlsx(["a"], ["1"]))


def test_no_more_of_a_cell_is_read_than_any_column_takes():
    assert len(workbook.cell_text("x" * 1_000_000)) == workbook.LONGEST_CELL


def test_a_row_far_below_the_last_possible_one_does_not_run_for_ever():
    source = xlsx(["a"], ["1"])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = content.replace(b'<row r="2"', b'<row r="999999999"').replace(
                    b'r="A2"', b'r="A999999999"'
                )
            new.writestr(name, content)
    with pytest.raises(FileRefused):
        decode(out.getvalue())


@given(st.binary(max_size=400))
def test_any_bytes_give_a_table_or_a_reason(data):
    try:
        table = decode(data)
    except FileRefused:
        return
    assert table.header
    assert [row.number for row in table.rows] == sorted({row.number for row in table.rows})


cell = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(str.strip)


@given(st.lists(st.tuples(cell, cell.filter(bool)), min_size=1, max_size=8), st.sampled_from(";,\t"))
def test_what_a_csv_writer_writes_comes_back(rows, separator):
    import csv

    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([("left", "right"), *rows])
    table = decode(out.getvalue().encode(), lambda header: sum(h in ("left", "right") for h in header))
    assert [r.cells for r in table.rows] == rows
