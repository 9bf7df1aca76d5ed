"""Static files: ours, those generated at installation, and those of packages, each under an address that changes with
its content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from flask import Flask, abort, send_file, url_for
from flask.typing import ResponseReturnValue

from timebank.web.access import public

OURS = Path(__file__).parent / "static"
YEAR = 365 * 24 * 3600


def _packaged() -> dict[str, Path]:
    """Files that installed packages bring, by the name under which we serve them."""
    return {
        "vendor/bootstrap.min.css": Path(
            str(files("flask_bootstrap").joinpath("static/bootstrap5/css/bootstrap.min.css"))
        ),
        "vendor/htmx.min.js": Path(str(files("js_lib_htmx").joinpath("static/htmx/htmx.min.js"))),
    }


@cache
def _path(name: str) -> Path | None:
    packaged = _packaged()
    if name in packaged:
        return packaged[name]
    path = (OURS / name).resolve()
    return path if path.is_file() and path.is_relative_to(OURS.resolve()) else None


@cache
def _version() -> str:
    """One version for all files, so that the addresses within style sheets carry it as well."""
    digest = hashlib.sha256()
    for path in sorted([*(each for each in OURS.rglob("*") if each.is_file()), *_packaged().values()]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of a static file.

    Raises LookupError for one that is not there.
    """
    if _path(name) is None:
        raise LookupError(f"There is no static file {name}: was `python -m timebank.web.assets` run?")
    return url_for("static_file", version=_version(), name=name)


def init_app(app: Flask) -> None:
    """Serve static files."""

    @app.get("/static/<version>/<path:name>", endpoint="static_file")
    @public
    def serve(version: str, name: str) -> ResponseReturnValue:
        path = _path(name)
        if path is None:
            abort(404)
        response = send_file(path, conditional=True)
        fresh = version == _version()
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if fresh else "no-cache"
        return response

    @app.get("/favicon.ico", endpoint="favicon")
    @public
    def favicon() -> ResponseReturnValue:
        response = send_file(OURS / "mark.svg", mimetype="image/svg+xml")
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response

    app.jinja_env.globals["static_url"] = static_url
