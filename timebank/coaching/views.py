"""Pages of this room."""

from flask import Blueprint

bp = Blueprint("coaching", __name__, template_folder="templates")
