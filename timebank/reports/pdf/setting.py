"""Setting a document in type: a template of ours and data that can be nothing but data."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from timebank.web.places_map import GENERATED

TEMPLATES = Path(__file__).parent

# What Manrope, and the fonts that come with the typesetter, have letters for: Latin, Greek, Cyrillic, signs, arrows.
_NOT_PRINTED = re.compile(
    "[^\n -~\u00a0-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u04ff\u1e00-\u1eff"
    "\u2009\u2010-\u2027\u202f-\u203a\u20a0-\u20bf\u2190-\u22ff\u25a0-\u25ff]"
)
SQUARE = "\u25a1"


def set_pdf(template: str, data: Mapping[str, Any]) -> bytes:
    """The PDF of a template with this data: tagged, by PDF/UA-1. The same data gives the same bytes."""
    import typst  # slow to load, and seldom asked

    found = typst.compile(
        TEMPLATES / template,
        root=TEMPLATES,
        format="pdf",
        font_paths=[GENERATED],
        ignore_system_fonts=True,
        # Read by the template as JSON: a text in it is shown as it is, whatever it looks like.
        sys_inputs={"data": json.dumps(_printable(data), ensure_ascii=False)},
        pdf_standards=["ua-1"],
    )
    return bytes(found)


def _printable(data: Any) -> Any:
    """The data with a square for each sign that no font here has, since a PDF that is to be read aloud may have no
    letter without a shape."""
    if isinstance(data, Mapping):
        return {key: _printable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_printable(value) for value in data]
    if not isinstance(data, str):
        return data
    text = unicodedata.normalize("NFC", data.replace("\r\n", "\n"))
    return _NOT_PRINTED.sub(lambda found: "" if _has_no_shape(found[0]) else SQUARE, text)


def _has_no_shape(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf", "Mn", "Me", "Cs")
