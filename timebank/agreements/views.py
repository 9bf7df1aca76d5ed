"""Pages of this room."""

from flask import Blueprint

bp = Blueprint("agreements", __name__, template_folder="templates")
