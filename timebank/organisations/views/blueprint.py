"""The one blueprint of this room, and what its pages share."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, request

from timebank.organisations.numbers import written

bp = Blueprint("organisations", __name__, template_folder="../templates")
bp.add_app_template_filter(written, "enterprise_number")


def asked(name: str, longest: int = 100) -> str:
    """A short text from the address, as people type into a search field."""
    return request.args.get(name, "").replace("\0", "").strip()[:longest]


def asked_id(name: str = "after") -> UUID | None:
    """A public id from the address; nonsense counts as none."""
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None
