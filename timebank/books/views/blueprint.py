"""The blueprint that the pages of this room hang on, and what they share."""

from __future__ import annotations

from flask import Blueprint

from timebank.auth.models import Role
from timebank.auth.web import current_actor, current_company_id

bp = Blueprint("books", __name__, template_folder="../templates")


def names_initiatives() -> bool:
    """Whether the reader of a company's book is told whom single bookings are for: its auditor is. HR sees the hours of
    each pledge by name, and beside them a booking would tell who coaches where."""
    return current_company_id() in current_actor().organisations(Role.AUDITOR)
