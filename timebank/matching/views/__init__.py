"""Pages of this room: the operator's about runs, weights and pairs; stars; the preview beside a pledge."""

from flask import Blueprint

bp = Blueprint("matching", __name__, template_folder="../templates")

from timebank.matching.views import pairs, policy, preview, runs, stars, what_if  # noqa: E402

__all__ = ["bp", "pairs", "policy", "preview", "runs", "stars", "what_if"]
