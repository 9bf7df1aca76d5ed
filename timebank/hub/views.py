"""Pages of this room."""

from flask import Blueprint

bp = Blueprint("hub", __name__, template_folder="templates")
