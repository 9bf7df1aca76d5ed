"""The desks and what stands in their bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, request, session
from flask_babel import lazy_gettext as _l

from timebank.web.person import person


@dataclass(frozen=True)
class Item:
    """A link of a bar; `tab` says whether it is among the few that a phone shows at once."""

    label: Any
    path: str
    tab: bool = True
    within: tuple[str, ...] = ()  # other addresses that belong under it


DESKS: dict[str, tuple[Item, ...]] = {
    "employee": (
        Item(_l("Today"), "/today"),
        Item(_l("My pledges"), "/pledges"),
        Item(_l("Agenda"), "/agenda"),
        Item(_l("My hours"), "/hours"),
    ),
    "manager": (Item(_l("Approve"), "/team/approvals"), Item(_l("Late hours"), "/team/late-hours")),
    "hr": (
        Item(_l("Overview"), "/hr"),
        Item(_l("Approve"), "/hr/approvals", within=("/hr/late-hours",)),
        Item(_l("Staff"), "/hr/staff"),
        Item(_l("Agreements"), "/hr/agreements", tab=False),
        Item(_l("Policy"), "/hr/policy", tab=False),
        Item(_l("Ledger"), "/hr/ledger", tab=False),
        Item(_l("Report"), "/hr/report", within=("/hr/exports",)),
    ),
    "auditor": (
        Item(_l("Report"), "/hr/report", within=("/hr/exports",)),
        Item(_l("Ledger"), "/hr/ledger"),
    ),
    "initiative": (
        Item(_l("Today"), "/initiative"),
        Item(_l("Requests"), "/requests"),
        Item(_l("Coaches"), "/coaches"),
        Item(_l("Hours"), "/initiative/hours"),
        Item(_l("Agreements"), "/initiative/agreements", tab=False),
        Item(_l("Our initiative"), "/initiative/profile", tab=False, within=("/initiative/people",)),
    ),
    "operator": (
        Item(_l("Worklist"), "/operator"),
        Item(_l("Admissions"), "/operator/admissions"),
        Item(_l("Organisations"), "/operator/organisations"),
        Item(_l("Approvals"), "/operator/approvals", tab=False, within=("/operator/late-hours",)),
        Item(_l("Requests"), "/operator/requests", tab=False),
        Item(_l("Matching"), "/operator/runs", within=("/operator/weights", "/operator/scarcity")),
        Item(_l("Import"), "/operator/import", tab=False),
    ),
}
PUBLIC = (
    Item(_l("Open requests"), "/open-requests"),
    Item(_l("Initiatives"), "/initiatives"),
    Item(_l("How it works"), "/how-it-works"),
    Item(_l("Join in"), "/join", tab=False),
)
DESK_NAMES = {
    "employee": _l("Employee"),
    "manager": _l("Manager"),
    "hr": _l("HR"),
    "auditor": _l("Auditor"),
    "initiative": _l("Initiative"),
    "operator": _l("Operator"),
}
HOME = {
    "employee": "/today",
    "manager": "/team/approvals",
    "hr": "/hr",
    "auditor": "/hr/report",
    "initiative": "/initiative",
    "operator": "/operator",
}


def current_desk() -> str | None:
    """The desk that the person works at now: that of the page, else the one chosen, else the first."""
    user = person()
    desks: list[str] = list(user.desks) if user else []
    if not desks:
        return None
    chosen = session.get("desk")
    here = [desk for desk in desks if any(_is_under(request.path, item.path) for item in DESKS[desk])]
    if chosen in desks and (not here or chosen in here):
        return str(chosen)
    return here[0] if here else desks[0]


def items() -> tuple[Item, ...]:
    """The links of the bar."""
    desk = current_desk()
    return DESKS[desk] if desk else PUBLIC


def is_current(item: Item) -> bool:
    """Whether the page that is shown stands under this link: the longest path that fits."""
    fitting = {
        path: each for each in items() for path in (each.path, *each.within) if _is_under(request.path, path)
    }
    return bool(fitting) and fitting[max(fitting, key=len)] == item


def _is_under(path: str, parent: str) -> bool:
    return path == parent or path.startswith(parent + "/")


def init_app(app: Flask) -> None:
    """Let templates ask for the links."""
    app.jinja_env.globals.update(
        nav_items=items, nav_is_current=is_current, current_desk=current_desk, desk_names=DESK_NAMES
    )
