"""Which language a page speaks: the person's, else the browser's choice on this site, else its settings, else Dutch."""

from __future__ import annotations

from pathlib import Path

from babel import Locale
from flask import Flask, has_request_context, request
from flask_babel import Babel, get_locale

from timebank.web.person import person

LANGUAGES = ("nl", "fr", "en")
NAMES = {"nl": "Nederlands", "fr": "Français", "en": "English"}
# Dates and numbers as Belgians write them, in whatever language; English has no Belgian form of its own.
FORMATS = {"nl": "nl_BE", "fr": "fr_BE", "en": "en_GB"}
COOKIE = "timebank_language"

babel = Babel()


def init_app(app: Flask) -> None:
    """Choose the language of every request."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "nl")
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Europe/Brussels")
    babel.init_app(
        app,
        locale_selector=select_language,
        default_translation_directories=str(Path(__file__).parents[1] / "translations"),
    )
    app.jinja_env.globals.update(locale_code=language, language_names=NAMES)


def select_language() -> str:
    """The language of this request; Dutch outside any."""
    if not has_request_context():
        return "nl"
    # A person's choice stands on the account, so that it follows to another browser.
    user = person()
    if user is not None and user.language in LANGUAGES:
        return str(user.language)
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or "nl"


def language() -> str:
    """The two letters of the language that is spoken now."""
    locale = get_locale()
    return locale.language if locale and locale.language in LANGUAGES else "nl"


def formats() -> Locale:
    """How dates and numbers are written in the language that is spoken now."""
    return Locale.parse(FORMATS[language()])
