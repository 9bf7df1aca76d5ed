"""Pages of this room: the desks of coach and initiative, one coaching, sessions and hours."""

from flask import Blueprint

bp = Blueprint("matches", __name__, template_folder="../templates")

from timebank.matches.views import coach, hours, initiative, late, match, sessions  # noqa: E402

__all__ = ["bp", "coach", "hours", "initiative", "late", "match", "sessions"]
