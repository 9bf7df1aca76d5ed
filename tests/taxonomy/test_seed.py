from __future__ import annotations

import pytest
from sqlalchemy import func, select

from timebank import db
from timebank.taxonomy import bits, places, queries, service
from timebank.taxonomy.models import Cause, Municipality, Postcode, Skill, TermKind

pytestmark = pytest.mark.usefixtures("app")


def test_seeding_twice_changes_nothing() -> None:
    def counts() -> list[int | None]:
        with db.read_session() as session:
            return [
                session.scalar(select(func.count()).select_from(t))
                for t in (Skill, Cause, Postcode, Municipality)
            ]

    before = counts()
    with db.unit_of_work() as session:
        service.seed(session)
    assert counts() == before
    assert all(before)


def test_every_skill_has_a_name_in_three_languages_and_its_own_place_in_the_masks() -> None:
    with db.read_session() as session:
        skills = queries.skills(session)
    assert len({s.position for s in skills}) == len(skills)
    assert all(s.name(language) for s in skills for language in bits.LANGUAGES)


@pytest.mark.parametrize(
    ("code", "municipality", "nuts2", "latitude", "longitude"),
    [
        ("9000", "Gent", "BE23", 51.05, 3.72),
        ("3000", "Leuven", "BE24", 50.88, 4.70),
        ("1000", "Brussel", "BE10", 50.85, 4.35),
        ("3500", "Hasselt", "BE22", 50.93, 5.34),
        ("8400", "Oostende", "BE25", 51.22, 2.92),
    ],
)
def test_a_postcode_lies_where_it_lies(
    code: str, municipality: str, nuts2: str, latitude: float, longitude: float
) -> None:
    with db.read_session() as session:
        place = queries.postcode(session, code)
        assert place is not None
        assert place.municipality.name("nl") == municipality
        assert place.municipality.nuts2 == nuts2
        assert abs(place.latitude - latitude) < 0.06
        assert abs(place.longitude - longitude) < 0.09


def test_a_plane_of_metres_gives_the_distance_between_ghent_and_hasselt() -> None:
    with db.read_session() as session:
        ghent, hasselt = queries.postcode(session, "9000"), queries.postcode(session, "3500")
    assert ghent is not None and hasselt is not None
    km = ((ghent.x - hasselt.x) ** 2 + (ghent.y - hasselt.y) ** 2) ** 0.5 / 1000
    assert 108 < km < 122


def test_skills_are_found_without_accents_and_in_any_language() -> None:
    with db.read_session() as session:
        assert "fundraising" in [s.code for s in queries.search_skills(session, "recolte de fonds", "nl")]
        assert queries.search_skills(session, "boekhouding", "nl")[0].code == "bookkeeping"
        assert queries.search_skills(session, "zzz", "nl") == []


def test_terms_hold_work_forms_functions_and_roles() -> None:
    with db.read_session() as session:
        assert {t.code for t in queries.terms(session, TermKind.FUNCTION)} == {
            "culture",
            "learning",
            "social-movement",
            "community-building",
        }


def test_bits_go_there_and_back() -> None:
    assert bits.languages_of(bits.language_bits(["fr", "nl"])) == ["nl", "fr"]
    assert bits.half_days_of(bits.week_bits(["sun-ev", "mon-am"])) == ["mon-am", "sun-ev"]
    assert bits.week_bits(bits.HALF_DAYS) == bits.ANY_TIME
    with pytest.raises(ValueError, match="not in tuple"):
        bits.week_bits(["mon-night"])


def test_regions_have_names_in_three_languages() -> None:
    assert places.region_name("BE23", "fr") == "Flandre orientale"
    assert set(places.FLANDERS) <= set(places.REGION_NAMES)
