"""One leader among any number of scheduler processes: the nightly run and the outbox are done once."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

import structlog
from sqlalchemy import Connection, NullPool, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from timebank import db

log = structlog.get_logger(__name__)

LOCK_NUMBER = 7_346_852_963  # any number, the same for all schedulers of one database


class Leadership:
    """Held while this process lives and reaches the database; a standby takes over at its next `hold`."""

    def __init__(self, database_url: str) -> None:
        url = make_url(database_url)
        self._handle: IO[bytes] | None = None
        self._connection: Connection | None = None
        self._file: Path | None = None
        if url.get_backend_name() == "sqlite":
            self._file = Path(f"{url.database}.scheduler-lock")
        else:
            self._engine = db.make_engine(database_url, poolclass=NullPool, pool_pre_ping=False)

    def hold(self) -> bool:
        """Take the lead if nobody has it; whether this process leads now."""
        return self._hold_advisory() if self._file is None else self._hold_file(self._file)

    def _hold_file(self, path: Path) -> bool:
        if self._handle is not None:
            return True
        handle = path.open("ab")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return False
        self._handle = handle
        return True

    def _hold_advisory(self) -> bool:
        try:
            if self._connection is not None:
                # The lock lives as long as its connection: one that broke has lost it.
                self._connection.execute(text("SELECT 1"))
                return True
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if not connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": LOCK_NUMBER}).scalar():
                connection.close()
                return False
            self._connection = connection
        except SQLAlchemyError:
            log.warning("leadership_lost")
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the lead back."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except SQLAlchemyError:
                log.info("leadership_connection_gone")
