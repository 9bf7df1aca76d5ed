"""The keys that this installation signs reports with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from timebank.db import Base, PublicId

CURRENT = text("retired_at IS NULL")


class SigningKey(PublicId, Base):
    """A pair of keys, of which one is current. `key_id` are the first 16 hex digits of the public key's SHA-256.

    `private_key` is a PEM locked with the installation's secret key, so that a copy of the database alone signs
    nothing; it is empty where the key comes from a file, and once it is retired.
    """

    __tablename__ = "signing_keys"
    __table_args__ = (
        CheckConstraint("algorithm = 'Ed25519'", name="algorithm_known"),
        CheckConstraint("length(public_key) = 32", name="public_key_is_32_bytes"),
        CheckConstraint("retired_at IS NULL OR private_key IS NULL", name="no_private_key_if_retired"),
        Index(
            "uq_signing_keys_current",
            "algorithm",
            unique=True,
            postgresql_where=CURRENT,
            sqlite_where=CURRENT,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(String(16), unique=True)
    algorithm: Mapped[str] = mapped_column(String(20), default="Ed25519")
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    private_key: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
