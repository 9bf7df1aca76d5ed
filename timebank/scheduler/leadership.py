"""One leader among any number of scheduler processes: the nightly run and the outbox are done once."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Any

import structlog
from sqlalchemy import NullPool, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from timebank import db

log = structlog.get_logger(__name__)

LOCK_NUMBER = 7_346_852_963  # any number, the same for all schedulers of one database


class Leadership:
    """Held while this process lives and reaches the database; a standby takes over at its next `hold`."""

    def __init__(self, database_url: str) -> None:
        url = make_url(database_url)
        self._held: IO[bytes] | Any | None = None
        self._file: Path | None = None
        if url.get_backend_name() == "sqlite":
            self._file = Path(f"{url.database}.scheduler-lock")
        else:
            self._engine = db.make_engine(database_url, poolclass=NullPool, pool_pre_ping=False)

    def hold(self) -> bool:
        """Take the lead if nobody has it; whether this process leads now."""
        return self._hold_file() if self._file is not None else self._hold_advisory()

    def _hold_file(self) -> bool:
        if self._held is not None:
            return True
        assert self._file is not None
        handle = self._file.open("ab")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return False
        self._held = handle
        return True

    def _hold_advisory(self) -> bool:
        try:
            if self._held is None:
                connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                taken = connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": LOCK_NUMBER}).scalar()
                if not taken:
                    connection.close()
                    return False
                self._held = connection
                return True
            # The lock lives as long as its connection: one that broke has lost it.
            self._held.execute(text("SELECT 1"))
        except SQLAlchemyError:
            log.warning("leadership_lost")
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the lead back."""
        held, self._held = self._held, None
        if held is not None:
            try:
                held.close()
            except SQLAlchemyError:
                log.info("leadership_connection_gone")
