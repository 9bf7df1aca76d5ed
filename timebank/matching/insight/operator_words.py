"""What the operator reads of a match and of who is served, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from timebank.taxonomy.picking import level_names
from timebank.web.format import number

# --- the terms of a weight


def terms(reasons: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[tuple[str, int]]:
    """Each term in words with its points; `names` are those of skills and causes by code."""
    return [(_term(reason, names), int(reason["points"])) for reason in reasons]


def _term(reason: Mapping[str, Any], names: Mapping[str, str]) -> str:
    name = names.get(reason.get("code", ""), "")
    levels = dict(level_names())
    kind = reason["term"]
    if kind == "skill":
        return str(
            _(
                "%(skill)s: %(level)s, %(asked)s is asked",
                skill=name,
                level=levels[reason["level"]],
                asked=levels[reason["asked"]],
            )
        )
    if kind == "nice":
        return str(_("%(skill)s: %(level)s, which is welcome", skill=name, level=levels[reason["level"]]))
    if kind == "cause":
        return str(_("%(cause)s: a cause that the coach chose", cause=name))
    if kind == "near":
        return str(
            _(
                "%(km)s km away, within a radius of %(radius)s km",
                km=number(reason["km"]),
                radius=number(reason["radius_km"]),
            )
        )
    if kind == "waiting":
        return str(ngettext("Waits for %(num)d day", "Waits for %(num)d days", int(reason["days"])))
    if kind == "star":
        return str(_("A star of the coach") if reason["by"] == "coach" else _("A star of the initiative"))
    plain = {
        "remote": _("At a distance"),
        "base": _("Every match"),
        "pinned": _("Put together by the operator"),
    }
    return str(plain.get(kind, kind))


# --- groups of the page about fairness

KINDS: dict[str, Any] = {
    "region": _l("By region"),
    "phase": _l("By phase"),
    "work_form": _l("By work form"),
    "size": _l("By size of the request"),
}
SIZES: dict[str, Any] = {
    "one": _l("one coach"),
    "few": _l("two or three coaches"),
    "many": _l("four coaches or more"),
}


@dataclass(frozen=True)
class Group:
    """A group's name with its shares before and after, None where nothing is asked."""

    name: str
    seats: int
    before: int
    after: int
    minutes_before: int
    minutes_after: int

    @property
    def share_before(self) -> float | None:
        return self.before / self.seats if self.seats else None

    @property
    def share_after(self) -> float | None:
        return self.after / self.seats if self.seats else None


def groups(shares: Mapping[str, Mapping[str, int]], names: Mapping[str, Any]) -> Sequence[Group]:
    """The groups of one kind by name, those without a name last."""
    return [
        Group(
            str(names.get(key, _("Not given"))),
            share["seats"],
            share["before"],
            share["after"],
            share["minutes_before"],
            share["minutes_after"],
        )
        for key, share in sorted(shares.items(), key=lambda item: (item[0] not in names, item[0]))
    ]
