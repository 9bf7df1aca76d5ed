"""Discs, plots and the map: what is drawn adds up to what is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_babel import force_locale

from tests.web.gallery import make_app
from timebank.web import assets, places_map
from timebank.web.discs import discs
from timebank.web.plots import column_plot, dot_plot, grid_step, row_plot


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with make_app().app_context(), force_locale("en"):
        yield


def test_up_to_forty_hours_a_disc_is_an_hour() -> None:
    drawn = discs(given=540, held=300, free=600)
    assert (drawn.given, drawn.held, drawn.free, drawn.unit) == (9, 5, 10, 1)
    assert drawn.sentence == "24 hours: 9 hours confirmed, 5 hours agreed, 10 hours free"
    assert list(drawn.marks) == ["g"] * 9 + ["h"] * 5 + [""] * 10
    assert discs(given=2400).given == 40


def test_above_forty_a_disc_is_ten_or_a_hundred_hours_and_says_so() -> None:
    assert (discs(free=41 * 60).free, discs(free=41 * 60).unit) == (4, 10)
    assert (discs(free=1670 * 60).free, discs(free=1670 * 60).unit) == (17, 100)
    sheet = discs(given=1188 * 60, free=482 * 60, most=250)
    assert (sheet.given, sheet.free, sheet.unit) == (119, 48, 10)
    assert sheet.sentence.endswith("one disc is 10 hours here")


def test_parts_of_hours_still_make_up_the_whole() -> None:
    drawn = discs(given=90, held=90, free=60)
    assert drawn.given + drawn.held + drawn.free == 4


def test_a_little_is_one_disc_and_nothing_is_none() -> None:
    assert (discs(held=15).held, discs(held=15).given) == (1, 0)
    assert list(discs().marks) == []


def test_columns_stay_within_the_plot_and_the_table_holds_the_figures() -> None:
    plot = column_plot([("jan", 3720, 8400), ("feb", 0, 0)])
    assert [line.value for line in plot.lines] == [0, 50, 100, 150]
    first, second = plot.bars
    assert first.free_y >= 12
    assert first.given_y + first.given == pytest.approx(206, abs=0.2)
    assert second.given == 0
    assert plot.table[0] == ("jan", "62", "140")


def test_the_figures_of_a_plot_have_one_number_of_decimals() -> None:
    bars = row_plot([("a", 2970), ("b", 5580)])
    assert [bar.said for bar in bars.bars] == ["49.5", "93.0"]
    assert [said for _label, said in bars.table] == ["49.5", "93.0"]
    assert [bar.said for bar in row_plot([("a", 12), ("b", 7)], minutes=False).bars] == ["12", "7"]
    columns = column_plot([("jan", 3720, 8430), ("feb", 60, 60)])
    assert columns.table == [("jan", "62", "140.5"), ("feb", "1", "1.0")]


def test_a_plot_of_nothing_has_an_axis() -> None:
    assert column_plot([]).bars == []
    assert row_plot([]).bars == []
    assert [bar.width for bar in row_plot([("none", 0)]).bars] == [0]


@pytest.mark.parametrize(("highest", "step"), [(0, 1), (5, 1), (6, 2), (24, 5), (200, 50), (1000, 200)])
def test_the_grid_has_at_most_five_round_steps(highest: float, step: int) -> None:
    assert grid_step(highest) == step


def test_distances_on_the_map_are_kilometres() -> None:
    (x1, y1), (x2, y2) = places_map.project(50.879, 4.70), places_map.project(51.054, 3.717)  # Leuven, Gent
    assert ((x1 - x2) ** 2 + (y1 - y2) ** 2) ** 0.5 == pytest.approx(71.5, abs=1)


def test_each_region_of_flanders_and_brussels_has_its_dots() -> None:
    land = places_map.load()
    assert set(land.regions) == {"BE10", "BE21", "BE22", "BE23", "BE24", "BE25"}
    assert sum(1 for _dot in land.dots()) == 579
    x, y = places_map.project(50.93, 5.34)  # Hasselt
    nearest = min((abs(x - a) + abs(y - b), code) for code, dots in land.regions.items() for a, b in dots)
    assert nearest[1] == "BE22"


def test_a_radius_marks_only_what_lies_within() -> None:
    near = dot_plot(me={"lat": 50.879, "lon": 4.70, "label": "Leuven"}, radius_km=10).near
    assert 5 < near.count("M") < 20
    assert dot_plot().near == ""


def test_the_map_names_cities_as_the_reader_does_and_none_twice() -> None:
    with force_locale("fr"):
        assert [city.label for city in dot_plot().cities] == ["Gand", "Anvers", "Hasselt", "Bruges"]
        ghent = {"lat": 51.054, "lon": 3.717, "label": "Gand"}
        assert "Gand" not in [city.label for city in dot_plot([ghent]).cities]


def test_the_build_makes_the_font_with_its_licence_and_the_map(tmp_path: Path) -> None:
    assets.build_font(tmp_path)
    font = (tmp_path / "manrope-latin.woff2").read_bytes()
    assert font[:4] == b"wOF2"
    assert len(font) < 32_000
    assert "SIL OPEN FONT LICENSE" in (tmp_path / "manrope-OFL.txt").read_text(encoding="utf-8").upper()


def test_the_build_compiles_translations(tmp_path: Path) -> None:
    folder = tmp_path / "nl" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Yes"\nmsgstr "Ja"\n',
        encoding="utf-8",
    )
    assets.build_translations(tmp_path)
    assert b"Ja" in (folder / "messages.mo").read_bytes()
