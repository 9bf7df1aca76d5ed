"""Logins, sign-in, roles, and the one table of permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def init_app(app: Flask) -> None:
    """Protect every page, and know who asks for it."""
    from timebank.auth import web

    web.init_app(app)
