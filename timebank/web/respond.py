"""The answer to an act: the part of the page that changed for htmx, a redirect for everybody else."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue


def is_htmx() -> bool:
    """Whether htmx asks, and so wants only a part of the page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def respond(template: str, otherwise: str, **context: Any) -> ResponseReturnValue:
    """Render `template` for htmx, with what was flashed as a toast beside it; else go to `otherwise`."""
    if not is_htmx():
        return redirect(otherwise, 303)
    return render_template(template, **context) + render_template("toasts.html", beside=True)


def flash_with_act(text: object, label: object, url: str) -> None:
    """Say what happened, with one act beside it, such as undoing it; the act is posted to `url`."""
    flash({"text": str(text), "label": str(label), "url": url}, "act")  # type: ignore[arg-type]
