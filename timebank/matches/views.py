"""Pages of this room."""

from flask import Blueprint

bp = Blueprint("matches", __name__, template_folder="templates")
