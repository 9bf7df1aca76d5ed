"""Who looks at the page, as the layout sees them."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, has_request_context
from flask_login import current_user


def person() -> Any | None:
    """The signed-in user, or None: nobody, outside a request, or while the user cannot be asked for.

    The auth room sets `g.loading_user` while it reads the user, and the error pages do when the data can't be reached:
    what says so must not fail for the same reason.
    """
    if not has_request_context() or g.get("loading_user") or not hasattr(current_app, "login_manager"):
        return None
    user = current_user._get_current_object()
    return user if user is not None and user.is_authenticated else None
