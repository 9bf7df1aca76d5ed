"""Stored files with an expiry: uploads between preview and apply, exports, snapshots of runs.

They live in the database, so that any worker on any machine can serve them. Large ones are kept in pieces, so that
nobody ever has to hold one as a whole.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Final

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, delete, insert, select
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from timebank.db import Base, PublicId, read_session
from timebank.errors import NotFound

PIECE: Final = 1 << 20


class StoredFile(PublicId, Base):
    """A file; only its owner, or nobody but the system, may fetch it. Without `expires_at` it stays."""

    __tablename__ = "stored_files"
    __table_args__ = (CheckConstraint("size >= 0", name="size_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)


class StoredPiece(Base):
    """A piece of a large file, whose own `content` is then empty."""

    __tablename__ = "stored_pieces"

    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


def store(
    session: Session,
    content: bytes,
    *,
    name: str,
    media_type: str,
    owner_id: int | None,
    now: datetime,
    expires_at: datetime | None,
) -> StoredFile:
    """Keep `content` until `expires_at` (for ever without one)."""
    file = StoredFile(
        name=name[:200],
        media_type=media_type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        owner_id=owner_id,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(file)
    session.flush()  # gives it its id
    return file


def store_large(
    session: Session,
    source: IO[bytes],
    *,
    name: str,
    media_type: str,
    owner_id: int | None,
    now: datetime,
    expires_at: datetime | None,
) -> StoredFile:
    """Keep all of `source` in pieces. It is there once the caller commits, and then as a whole."""
    file = store(
        session, b"", name=name, media_type=media_type, owner_id=owner_id, now=now, expires_at=expires_at
    )
    digest, number = hashlib.sha256(), 0
    source.seek(0)
    while piece := source.read(PIECE):
        digest.update(piece)
        session.execute(insert(StoredPiece).values(file_id=file.id, number=number, content=piece))
        number += 1
    file.size, file.sha256 = source.tell(), digest.hexdigest()
    session.flush()
    return file


def pieces(file: StoredFile) -> Iterator[bytes]:
    """The content of a file that was stored in pieces. Each is read by itself, so that whoever downloads slowly keeps
    no connection to the database."""
    for number in range(-(-file.size // PIECE)):
        with read_session() as session:
            piece = session.scalars(
                select(StoredPiece.content).where(
                    StoredPiece.file_id == file.id, StoredPiece.number == number
                )
            ).one()
        yield piece


def fetch(session: Session, public_id: uuid.UUID, *, owner_id: int | None, now: datetime) -> StoredFile:
    """The owner's file.

    Raises NotFound when it is somebody else's, gone or expired.
    """
    file = session.scalar(select(StoredFile).where(StoredFile.public_id == public_id))
    if file is None or file.owner_id != owner_id or (file.expires_at is not None and file.expires_at <= now):
        raise NotFound("no such file")
    return file


def purge(session: Session, *, now: datetime) -> None:
    """Delete what has expired."""
    expired = select(StoredFile.id).where(StoredFile.expires_at <= now)
    session.execute(delete(StoredPiece).where(StoredPiece.file_id.in_(expired)))
    session.execute(delete(StoredFile).where(StoredFile.expires_at <= now))
