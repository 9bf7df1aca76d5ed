"""A test client that behaves like a browser: it sends real tokens and keeps cookies."""

from __future__ import annotations

import re
import secrets
from typing import Any, ClassVar

import argon2
from flask.globals import _cv_app
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

PASSWORD = "long enough to be a password"
# The parameters are part of the hash, so a cheap one is quick to check.
PASSWORD_HASH = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

TOKEN = re.compile(r'name="csrf_token"[^>]*\bvalue="([^"]+)"|\bvalue="([^"]+)"[^>]*name="csrf_token"')


class TimebankClient(FlaskClient):
    """Requests see what the test arranged, and the test sees what requests did."""

    arranging: ClassVar[Session | None] = None

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        # An open transaction would hold SQLite's only write lock while the request waits for it.
        if self.arranging is not None and self.arranging.in_transaction():
            self.arranging.commit()
        # A request must not borrow the test's application context: it would share `g` with all other requests.
        token = _cv_app.set(None)  # type: ignore[arg-type]
        try:
            return super().open(*args, **kwargs)
        finally:
            _cv_app.reset(token)
            if self.arranging is not None:
                self.arranging.expire_all()

    def csrf_token(self) -> str:
        """A token that belongs to this client's session, as any page would have given it."""
        with self.session_transaction() as session:
            raw = session.setdefault("csrf_token", secrets.token_hex(20))
        key = self.application.config.get("WTF_CSRF_SECRET_KEY") or self.application.secret_key
        return str(URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(raw))

    def post_form(self, url: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Post `data` as a form with a valid token. With `htmx=True` as htmx does it."""
        headers = dict(options.pop("headers", {}))
        if options.pop("htmx", False):
            headers["HX-Request"] = "true"
        return self.post(
            url, data={"csrf_token": self.csrf_token(), **(data or {})}, headers=headers, **options
        )

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        """Sign in through the page, with the token that stands in its form. Fails unless it worked."""
        found = TOKEN.search(self.get("/sign-in").text)
        assert found, "the sign-in page has no csrf_token field"
        answer = self.post(
            "/sign-in", data={"email": email, "password": password, "csrf_token": found[1] or found[2]}
        )
        assert answer.status_code in (302, 303), f"{email} could not sign in: {answer.status}"
        return answer
