"""What a cell can hold: parsers from trimmed text to a value, each raising BadValue with a reason code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from timebank.addresses import can_be_written_to
from timebank.imports.errors import BadValue

Parser = Callable[[str], Any]

TEXT_LENGTH = 200
LONG_TEXT_LENGTH = 5_000


# Embeddings, overrides and isolates: they reorder the text around them, and so can disguise what is written.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def clean(cell: str) -> str:
    """Trimmed, in NFC, without what turns the direction of the text.

    Raises BadValue("text") for control characters other than tab and line break.
    """
    for char in cell:
        if (char < " " and char not in "\t\r\n") or "\x7f" <= char <= "\x9f":
            raise BadValue("text")
    text = unicodedata.normalize("NFC", _TURNING.sub("", cell)).strip(" \t\r\n\u00a0\ufeff\u200b").strip()
    if text[:1] == "'" and text[1:2] in _FORMULA_STARTS:
        # The mark with which spreadsheets, and our own files of refused rows, keep text from running as a formula.
        text = text[1:].strip()
    return text


_FORMULA_STARTS = tuple("=+-@")


def formula_safe(cell: str) -> str:
    """The cell so that no spreadsheet runs it; `clean` takes the mark away again."""
    return (
        "'" + cell
        if cell.lstrip(" \t\r\n\u00a0")[:1] in _FORMULA_STARTS or cell[:1] in ("\t", "\r")
        else cell
    )


_INNER_FORMULA = re.compile(r"([;,\t\r\n][\s\"]*)(?=[=+\-@])")


def formula_safe_anywhere(cell: str) -> str:
    """As `formula_safe`, also for a program that splits the line at another separator than was meant: what would begin
    a cell of its own then is marked, too. Not for what is to be read in again, since it alters prose."""
    return formula_safe(_INNER_FORMULA.sub(r"\1'", cell))


def fold(text: str) -> str:
    """Letters and digits alone, without case and accents: how headings are compared."""
    return "".join(c for c in _plain(text) if c.isalnum())


def fold_word(text: str) -> str:
    """Without case and accents, hyphens as spaces: how words of a closed list are compared."""
    return re.sub(r"[\s_-]+", " ", _plain(text))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("\u2019", "'").casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


# Texts


_BREAK = re.compile("\\s*[\t-\r\x85\u2028\u2029]\\s*")


def text(limit: int = TEXT_LENGTH) -> Parser:
    """A name or title of one line, or with a higher limit a text of several.

    Breaks within a name are blanks: names stand in the middle of letters, where a break would begin a paragraph.
    """

    def parse(cell: str) -> str:
        if len(cell) > limit:
            raise BadValue("length")
        if limit < LONG_TEXT_LENGTH:
            return _BREAK.sub(" ", cell)
        return cell.replace("\r\n", "\n").replace("\r", "\n")

    return parse


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_DOMAIN = re.compile(r"([^\W_]([\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]")


def email(cell: str) -> str:
    """An address of the usual form, in lower case."""
    if len(cell) > TEXT_LENGTH:
        raise BadValue("length")
    local, at, domain = cell.rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise BadValue("email")
    if not can_be_written_to(cell):
        raise BadValue("email")
    return cell.lower()


def website(cell: str) -> str:
    """An http address; one without a scheme gets https. Another scheme could run in the reader's page."""
    if len(cell) > TEXT_LENGTH:
        raise BadValue("length")
    if re.match(r"https?://", cell, re.IGNORECASE):
        return cell
    if re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", cell, re.IGNORECASE):
        raise BadValue("text")
    if len("https://" + cell) > TEXT_LENGTH:
        raise BadValue("length")
    return "https://" + cell


# Dates, numbers

_ISO = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_TIME = re.compile(r"(.*?)[ T]([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)")


def day(cell: str) -> date:
    """2026-03-31, 31/03/2026 or 31-03-26 (20xx); a time behind it, as exports write, is left out."""
    with_time = _TIME.fullmatch(cell)
    try:
        if with_time:
            time.fromisoformat(
                with_time[2].rjust(5, "0") if len(with_time[2]) < 6 else with_time[2].rjust(8, "0")
            )
            cell = with_time[1]
        if match := _ISO.fullmatch(cell):
            found = date(int(match[1]), int(match[2]), int(match[3]))
        elif match := _DAY_FIRST.fullmatch(cell):
            year = int(match[4])
            found = date(year if len(match[4]) == 4 else 2000 + year, int(match[3]), int(match[1]))
        else:
            raise BadValue("date")
    except ValueError:
        raise BadValue("date") from None
    if not 1900 <= found.year <= 2199:
        raise BadValue("date")
    return found


_NUMBER = re.compile(r"([+-]?[0-9]{1,12}(?:[.,][0-9]{1,20})?|[+-]?[.,][0-9]{1,20})([ \u00a0\u202f]?%)?")


def number(low: str, high: str, *, percent: bool = False, above: bool = False, whole: bool = False) -> Parser:
    """A decimal from `low` to `high` (`above`: more than `low`), with comma or point, `percent`: or as 80%."""
    least, most = Decimal(low), Decimal(high)

    def parse(cell: str) -> Decimal:
        match = _NUMBER.fullmatch(cell)
        if not match or (match[2] and not percent):
            raise BadValue("number")
        value = Decimal(match[1].replace(",", "."))
        if match[2]:
            value /= 100
        if value < least or value > most or (above and value == least):
            raise BadValue("number")
        if whole and value != value.to_integral_value():
            raise BadValue("number")
        return value

    return parse


def whole(low: int, high: int) -> Parser:
    decimal = number(str(low), str(high), whole=True)
    return lambda cell: int(decimal(cell))


def rounded(low: str, high: str) -> Parser:
    """A number in the range, to the nearest whole one."""
    decimal = number(low, high)
    return lambda cell: int(decimal(cell).quantize(Decimal(1), ROUND_HALF_UP))


def minutes(low: str, high: str) -> Parser:
    """Hours from `low` to `high`, as whole minutes."""
    hours = number(low, high)
    return lambda cell: int((hours(cell) * 60).quantize(Decimal(1), ROUND_HALF_UP))


def fraction(cell: str) -> Decimal:
    """More than 0 to 1, or a percentage; four decimals are kept."""
    value: Decimal = number("0", "1", percent=True, above=True)(cell)
    return max(value.quantize(Decimal("0.0001"), ROUND_HALF_UP), Decimal("0.0001")).normalize()


# Words of a closed list


def choice(words: Mapping[str, str]) -> Parser:
    """One of the known words (any spelling that `fold_word` makes equal), as its code."""
    known = {fold_word(word): code for word, code in words.items()}

    def parse(cell: str) -> str:
        try:
            return known[fold_word(cell)]
        except KeyError:
            raise BadValue("unknown") from None

    return parse


def _vocabulary(codes: Mapping[str, str]) -> dict[str, str]:
    return {
        word.strip(): code
        for code, words in codes.items()
        for word in [code, *words.split(",")]
        if word.strip()
    }


YES_NO = _vocabulary(
    {"yes": "y, ja, j, oui, o, true, waar, vrai, 1", "no": "n, nee, neen, non, false, onwaar, faux, 0"}
)
LANGUAGES = _vocabulary(
    {
        "nl": "Nederlands, néerlandais, Dutch, nl-BE, nld",
        "fr": "Frans, français, French, fr-BE, fra",
        "en": "Engels, anglais, English, en-GB, eng",
    }
)
APPROVALS = _vocabulary(
    {
        "auto": "automatic, automatisch, automatique",
        "hr": "human resources, personeelsdienst, RH, ressources humaines",
        "manager": "leidinggevende, responsable, supérieur, chef",
    }
)
PHASES = _vocabulary(
    {
        "idea": "idee, idée",
        "development": "uitwerking, ontwikkeling, développement, élaboration",
        "scaling": "scaling up, opschaling, opschalen, changement d'échelle",
    }
)

yes_no_word = choice(YES_NO)


def yes_no(cell: str) -> bool:
    return bool(yes_no_word(cell) == "yes")


_PARTS = {"am": "vm, matin", "pm": "nm, après-midi", "ev": "av, soir, eve, evening, avond"}
_DAYS = {
    "mon": "monday, ma, maandag, lun, lundi",
    "tue": "tuesday, di, dinsdag, mar, mardi",
    "wed": "wednesday, wo, woensdag, mer, mercredi",
    "thu": "thursday, do, donderdag, jeu, jeudi",
    "fri": "friday, vr, vrijdag, ven, vendredi",
    "sat": "saturday, za, zaterdag, sam, samedi",
    "sun": "sunday, zo, zondag, dim, dimanche",
}
HALF_DAYS = tuple(f"{d}-{p}" for d in _DAYS for p in _PARTS)
half_day = choice(
    {
        f"{day_word} {part_word}": f"{day_code}-{part_code}"
        for day_word, day_code in _vocabulary(_DAYS).items()
        for part_word, part_code in _vocabulary(_PARTS).items()
    }
)


# Things that are looked up


def postcode(known: Container[str]) -> Parser:
    """A postcode of Belgium (1000, or B-1000), as four digits."""

    def parse(cell: str) -> str:
        match = re.fullmatch(r"(?:BE?[- ]?)?([0-9]{4})", cell, re.IGNORECASE)
        if not match or match[1] not in known:
            raise BadValue("postcode")
        return match[1]

    return parse


def enterprise_digits(cell: str) -> str | None:
    """The ten digits of an enterprise number as people write it, or None: 0566.988.259, BE 0566 988 259, 566988259."""
    match = re.fullmatch(r"(?:BE)?\s*([0-9][0-9. \u00a0\u202f/-]*[0-9])", cell, re.IGNORECASE)
    digits = re.sub(r"[^0-9]", "", match[1]) if match else ""
    # Nine digits: the old notation, or a workbook that read the number as a number.
    digits = digits.rjust(10, "0") if len(digits) == 9 else digits
    return digits if len(digits) == 10 else None


def enterprise_number(cell: str) -> str:
    """Ten digits, the first 0 or 1, the last two 97 less the first eight modulo 97."""
    digits = enterprise_digits(cell)
    if digits is None or digits[0] not in "01" or int(digits[8:]) != 97 - int(digits[:8]) % 97:
        raise BadValue("enterprise_number")
    return digits


# Lists


def items(cell: str, parse: Parser) -> list[Any]:
    """The parts of a cell: by `|`; without one the whole cell when it is a known value, else by comma."""
    if "|" not in cell:
        try:
            return [parse(cell)]
        except BadValue:
            if "," not in cell:
                raise
    parts = [part.strip() for part in cell.split("|" if "|" in cell else ",")]
    return [parse(part) for part in parts if part]


def several(parse: Parser) -> Parser:
    """A list of such values, each once, in a fixed order: two spellings of one list are the same content."""
    return lambda cell: _filled(tuple(sorted(set(items(cell, parse)))))


def skills(names: Mapping[str, str], default_level: int) -> Parser:
    """A list of skills, by code or name, each with a level 1-3 behind a colon; of one named twice the higher level."""
    known = choice(names)

    def one(cell: str) -> tuple[str, int]:
        try:
            return known(cell), default_level
        except BadValue:
            name, colon, level = cell.rpartition(":")
            if not colon or level.strip() not in ("1", "2", "3"):
                raise
            return known(name.strip()), int(level)

    def parse(cell: str) -> tuple[tuple[str, int], ...]:
        best: dict[str, int] = {}
        for code, level in items(cell, one):
            best[code] = max(level, best.get(code, 0))
        return _filled(tuple(sorted(best.items())))

    return parse


def _filled(values: tuple[Any, ...]) -> tuple[Any, ...]:
    # Nothing but separators in the cell: to the reader it is empty.
    if not values:
        raise BadValue("missing")
    return values


def names_of(rows: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """A vocabulary from rows of (code, names): each code and each name lead to the code; codes win over names."""
    rows = [(code, list(names)) for code, names in rows]
    words = {name: code for code, names in rows for name in names if name}
    folded = {fold_word(code): code for code, _ in rows}
    return {word: code for word, code in words.items() if folded.get(fold_word(word), code) == code} | {
        code: code for code, _ in rows
    }
