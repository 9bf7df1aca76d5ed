"""Timebank. `create_app` puts the web application together from its features; importing the package costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings

__version__ = "0.1.0"

# Modules that hold a blueprint `bp`, and modules whose import registers subscribers to events.
BLUEPRINTS = (
    "timebank.auth.views",
    "timebank.notifications.views",
    "timebank.organisations.views",
    "timebank.pledges.views",
    "timebank.coaching.views",
    "timebank.agreements.views",
    "timebank.matches.views",
    "timebank.matching.views",
    "timebank.matching.insight.views",
    "timebank.books.views",
    "timebank.reports.views",
    "timebank.reports.certificates.views",
    "timebank.reports.exports.views",
    "timebank.reports.proof.views",
    "timebank.imports.views",
    "timebank.hub.views",
    "timebank.scheduler.views",
)
SUBSCRIBERS = (
    "timebank.audit.subscribers",
    "timebank.auth.subscribers",
    "timebank.organisations.subscribers",
    "timebank.pledges.subscribers",
    "timebank.coaching.subscribers",
    "timebank.agreements.subscribers",
    "timebank.matches.subscribers",
    "timebank.matching.subscribers",
    "timebank.books.subscribers",
)


def create_app(settings: Settings | None = None) -> Flask:
    """The web application for `settings`, those of the environment by default."""
    from datetime import timedelta
    from importlib import import_module

    from flask import Flask
    from werkzeug.middleware.proxy_fix import ProxyFix

    import config
    from timebank import db, web

    settings = settings or config.load()
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes + 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        SESSION_COOKIE_NAME="timebank",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        WTF_CSRF_TIME_LIMIT=None,  # a form that was filled in for a day must still be accepted
    )
    if settings.proxies:
        # Only as many steps back as are ours: what stands before them anybody could have written.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    db.init_engine(settings.database_url)
    app.teardown_appcontext(lambda _error: db.close_read_session())
    for name in SUBSCRIBERS:
        import_module(name)
    web.init_app(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(name).bp)
    import_module("timebank.auth").init_app(app)
    return app
