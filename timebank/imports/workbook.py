"""The first sheet of an `.xlsx` workbook, as text, with the values that were stored in it."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from timebank.imports.errors import FileRefused

MAX_UNPACKED = 200 * 1024 * 1024
MAX_ENTRIES = 2_000
LAST_ROW = 1_048_576
HEADER_WITHIN = 100
WIDEST = 200
# More than a spreadsheet program lets into a cell, and than any column takes: the rest of it need not be carried along.
LONGEST_CELL = 40_000
_CHUNK = 256 * 1024


def rows_of_first_sheet(data: bytes) -> Iterator[tuple[str, ...]]:
    """Every row of the first sheet, blank ones too, so that numbers are those of the sheet. Raises FileRefused."""
    # It takes as long to load as everything else of this room together, and few processes ever read a workbook.
    from openpyxl import load_workbook

    check_archive(data)
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions that it leaves out: none of them holds a value.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            sheet: Any = book.worksheets[0]
            # The size that the file states may be wrong, and then rows would be lost.
            sheet.reset_dimensions()
            width = _width(sheet)
            for number, cells in enumerate(sheet.iter_rows(max_col=width, values_only=True), 1):
                if number > LAST_ROW:
                    raise FileRefused("no_workbook")
                yield tuple(map(cell_text, cells))
    except FileRefused:
        raise
    except Exception as error:  # whatever a broken workbook makes openpyxl or its XML parser raise
        raise FileRefused("no_workbook") from error


def check_archive(data: bytes) -> None:
    """Unpack once without keeping anything: sizes stated in an archive can lie, the bytes that come out cannot."""
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise FileRefused("unpacks_too_large", megabytes=MAX_UNPACKED // (1024 * 1024))
            if "xl/workbook.xml" not in archive.namelist():
                raise FileRefused("no_workbook")
            for entry in entries:
                tail = b""
                with archive.open(entry) as stream:
                    while chunk := stream.read(_CHUNK):
                        unpacked += len(chunk)
                        if unpacked > MAX_UNPACKED:
                            raise FileRefused("unpacks_too_large", megabytes=MAX_UNPACKED // (1024 * 1024))
                        # No spreadsheet program writes entities; they only serve to make a small file grow in memory.
                        # Without its zeros, UTF-16 of either byte order reads as ASCII does.
                        plain = (tail + chunk).replace(b"\0", b"")
                        picture = entry.filename.startswith("xl/media/")
                        if b"<!ENTITY" in plain or (b"<!DOCTYPE" in plain and not picture):
                            raise FileRefused("no_workbook")
                        tail = chunk[-40:]
    except FileRefused:
        raise
    except Exception as error:  # zipfile raises many kinds for a broken or encrypted archive
        raise FileRefused("no_workbook") from error


def unpacked_size(data: bytes) -> int:
    """How many bytes the parts of a workbook say they unpack to, which is also where reading them stops; of another
    file its own size."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return max(len(data), sum(entry.file_size for entry in archive.infolist()))
    except Exception:  # zipfile raises many kinds for a broken archive, which reading it will refuse
        return len(data)


def _width(sheet: Any) -> int:
    for cells in sheet.iter_rows(max_row=HEADER_WITHIN, values_only=True):
        filled = [i for i, value in enumerate(cells, 1) if value is not None and str(value).strip()]
        if filled:
            return min(filled[-1], WIDEST)
    raise FileRefused("empty")


def cell_text(value: Any) -> str:
    """A stored value as a person would type it: whole numbers without a point, dates as 2026-03-31."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:LONGEST_CELL]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # Fifteen digits are what Excel itself keeps and shows: 0.1 + 0.2 is 0.3 there.
        text = (
            format(Decimal(format(value, ".15g")), "f")
            if value == value and abs(value) < 1e300
            else str(value)
        )
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
