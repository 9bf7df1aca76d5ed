"""Dutch and French say all that the source texts say, with the same names in the same places."""

from __future__ import annotations

import functools
import re

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from config import ROOT

NAMES = re.compile(r"%\((\w+)\)")
FOLDER = ROOT / "timebank" / "translations"


@functools.cache
def source_texts() -> Catalog:
    """Every text that code and templates mark for translation."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    catalog = Catalog()
    found = extract_from_dir(
        ROOT / "timebank", methods, options, keywords={**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None}
    )
    for file, line, text, _comments, context in found:
        catalog.add(text, None, [(file, line)], context=context)
    return catalog


@functools.cache
def translations(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def every_form(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_every_text_is_translated(language: str) -> None:
    catalog = translations(language)
    missing = []
    for message in source_texts():
        own = catalog.get(message.id, message.context)
        if message.id and (own is None or own.fuzzy or not all(every_form(own.string))):
            missing.append(f"{message.locations[0][0]}:{message.locations[0][1]}: {message.id!r}")
    assert not missing, f"{len(missing)} texts without {language}:\n" + "\n".join(sorted(missing))


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_translations_keep_the_names_of_their_placeholders(language: str) -> None:
    wrong = []
    for message in translations(language):
        if message.id and all(every_form(message.string)):
            wanted = set(NAMES.findall(" ".join(every_form(message.id))))
            used = {name for form in every_form(message.string) for name in NAMES.findall(form)}
            lacking = wanted - set(NAMES.findall(every_form(message.string)[-1]))
            if used - wanted or lacking:
                wrong.append(f"{message.id!r}: {message.string!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_catalogues_hold_nothing_that_is_no_longer_said(language: str) -> None:
    texts = source_texts()
    stale = [message.id for message in translations(language) if message.id and texts.get(message.id) is None]
    assert stale == []
