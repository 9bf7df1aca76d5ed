"""How acts answer: a card for htmx, a redirect without it, and a refusal where the person acted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from timebank import db
from timebank.auth.web import current_actor
from timebank.errors import DomainError, Invalid, NotFound, NotPermitted
from timebank.matches.models import Match, Side
from timebank.matches.service import loading
from timebank.web.respond import is_htmx

T = TypeVar("T")


def act(
    doing: Callable[[Session], T], *, done: str | Callable[[T], str], to: str | Callable[[T], str]
) -> ResponseReturnValue:
    """Do it in a unit of work, say what happened and lead on.

    What others did first, or what came too late, is told on the page that follows, since the person should see how it
    stands now. What does not exist, is not permitted or is badly filled in goes to whoever handles that.
    """
    try:
        with db.unit_of_work() as session:
            result = doing(session)
            message = done(result) if callable(done) else done
            target = to(result) if callable(to) else to
    except (NotFound, NotPermitted, Invalid):
        raise
    except DomainError as refusal:
        flash(str(refusal), "due")
        return lead_on(to if isinstance(to, str) else request.referrer or "/")
    flash(message)
    return lead_on(target)


def lead_on(url: str) -> ResponseReturnValue:
    """To another page; htmx is told to load it whole."""
    if is_htmx():
        answer = make_response("", 200)
        answer.headers["HX-Redirect"] = url
        return answer
    return redirect(url, 303)


def page(template: str, form: Any, **context: Any) -> ResponseReturnValue:
    """A page with a form: 422 when what was sent needs a change."""
    refused = form.is_submitted() and bool(form.errors or form.form_errors)
    return render_template(template, form=form, **context), (422 if refused else 200)


def side_now(match: Match) -> Side:
    """On which side of the match the person stands. Raises NotFound for neither."""
    return loading.side_of(match, current_actor())
