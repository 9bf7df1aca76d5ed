"""The transactional outbox: a message stands or falls with the act that caused it, and is sent later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from timebank.db import Base, PublicId

STRUCK = "…"


class OutboxMessage(PublicId, Base):
    """One e-mail to one person, in that person's language. `key` makes queueing it idempotent.

    `secret` is the part of the body that lets somebody in: it is struck out of the body once the mail has left.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint("sent_at IS NULL OR failed_at IS NULL", name="sent_or_failed"),
        Index(
            "ix_outbox_messages_due",
            "send_after",
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(60))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(2))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(String(100))
    calendar: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    send_after: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(500))
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]

    def strike_secret(self) -> None:
        """Leave the words, and nothing that opens a door."""
        if self.secret is not None:
            self.body = self.body.replace(self.secret, STRUCK)
            self.secret = None
