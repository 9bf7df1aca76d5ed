"""The web server as it runs in production, on a free port, for tests with a real browser."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from config import Settings
from tests.support import forks

START_LIMIT = 60.0


class LiveServer:
    """gunicorn with one worker on the database of `settings`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log = Path(tempfile.mkstemp(prefix="timebank-web", suffix=".log")[1])
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        """What the server wrote so far."""
        return self._log.read_text(errors="replace")

    def __enter__(self) -> LiveServer:
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(("127.0.0.1", 0))
            self.port = door.getsockname()[1]
            environ = forks.environment(
                self._settings.database_url,
                TIMEBANK_SECRET_KEY=self._settings.secret_key,
                TIMEBANK_BASE_URL=self.url,
            )
            self._process = forks.start(_serve, door, environ=environ, output=self._log)
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join(5)
        if self._process.exitcode is None:
            assert self._process.pid
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.join()
        if error is not None:
            sys.stderr.write(f"--- the web server's log\n{self.log}\n")
        self._log.unlink()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline and self._process.is_alive():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.request("GET", "/healthz")
                connection.getresponse()
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            finally:
                connection.close()
        self._process.kill()
        raise RuntimeError(f"The web server did not start:\n{self.log}")


def _serve(door: socket.socket) -> None:
    from gunicorn.app.wsgiapp import run

    options = (
        *("--worker-class=gthread", "--threads=8", "--workers=1", "--no-control-socket"),
        *("--graceful-timeout=1", "--log-level=warning", f"--bind=fd://{door.fileno()}"),
    )
    sys.argv = ["gunicorn", *options, "wsgi:app"]
    run()
