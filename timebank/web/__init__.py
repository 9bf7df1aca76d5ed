"""Layout, look and what every page shares: languages, protection headers, error pages, logs. It imports no feature.

Importing this package costs nothing, since the build, which has no Flask, imports `timebank.web.assets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def init_app(app: Flask) -> None:
    """Give the application its look and its protections. Reads `app.config["SETTINGS"]`."""
    from timebank.web import (
        assets_urls,
        error_pages,
        locale,
        logging,
        navigation,
        security,
        templating,
        views,
    )

    logging.init_app(app)
    security.init_app(app)
    locale.init_app(app)
    templating.init_app(app)
    assets_urls.init_app(app)
    navigation.init_app(app)
    error_pages.init_app(app)
    app.register_blueprint(views.bp)
