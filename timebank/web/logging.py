"""Logs: JSON in production, readable lines in development. They hold ids and numbers, never names or addresses."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from typing import TYPE_CHECKING, Final

import structlog
from flask import Flask, Response, g, has_request_context, request
from structlog.typing import EventDict, WrappedLogger

if TYPE_CHECKING:
    from config import Settings

log = structlog.get_logger("timebank.web")

# It ends where something else begins that may follow it; what people wrote may have several lines.
_DETAIL: Final = re.compile(
    r"^DETAIL: .*?(?=^(?:HINT:|CONTEXT:|\[SQL|\(Background|The above exception|Traceback )|\Z)",
    re.MULTILINE | re.DOTALL,
)


def request_id() -> str:
    """The reference number of this request, shown on error pages and in every line of its log."""
    if not has_request_context():
        return ""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(4)
    value: str = g.request_id
    return value


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if has_request_context():
        event.setdefault("request", request_id())
    return event


def _without_rows(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """PostgreSQL says which values of which row it refused: people's data."""
    if "exception" in event:
        event["exception"] = _DETAIL.sub("DETAIL: left out\n", event["exception"])
    return event


def configure(settings: Settings) -> None:
    """Set up structlog and the standard library's logging to write the same lines to stderr."""
    json = settings.production
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default shows the values of variables, among them secrets and people's data.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_rows,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [
        h for h in root.handlers if not isinstance(h, logging.StreamHandler) or _is_capture(h)
    ]
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    for noisy in ("werkzeug", "alembic", "numba"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # A timer that finds its last round still at work leaves this one out, as it should: no reason to warn.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _is_capture(handler: logging.Handler) -> bool:
    # Test runners add handlers of their own, of which some are stream handlers.
    return type(handler) is not logging.StreamHandler


def init_app(app: Flask) -> None:
    """Write one line for every request, and give it a reference number."""
    configure(app.config["SETTINGS"])

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def tell(response: Response) -> Response:
        if request.endpoint != "static_file":
            log.info(
                "request",
                method=request.method,
                endpoint=request.endpoint,
                status=response.status_code,
                ms=round(1000 * (time.perf_counter() - g.get("started", time.perf_counter())), 1),
            )
        response.headers["X-Request-ID"] = request_id()
        return response
