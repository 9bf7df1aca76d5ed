"""Queueing mail in the transaction that causes it, and sending what is due later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from flask import current_app
from flask_babel import force_locale
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import Settings
from timebank import db, marks
from timebank.notifications import smtp
from timebank.notifications.models import OutboxMessage

log = structlog.get_logger()

# How long to wait after the first, second … failed attempt; after the last one the message has failed.
BACKOFF: Final = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 720, 1440))


def queue(
    session: Session,
    *,
    key: str,
    kind: str,
    email: str,
    user_id: int | None,
    language: str,
    subject: str,
    body: str,
    now: datetime,
    send_after: datetime | None = None,
    calendar: str | None = None,
    secret: str | None = None,
) -> None:
    """Queue a plain-text mail; the same `key` again queues nothing. `calendar` is an iCalendar text to attach.

    `secret` is the token of a one-time link in the body: once the mail was delivered, or given up, the body keeps it
    no longer. Where mail is read in the browser instead (`read_here`) it stays, since that page is the mailbox: the
    link ends there by being used or by its own last day.
    """
    if session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == key)) is not None:
        return
    session.add(
        OutboxMessage(
            key=key,
            kind=kind,
            email=email,
            user_id=user_id,
            language=language,
            # A line break in a subject would begin another header.
            subject=" ".join(subject.split())[:300],
            body=body.strip() + "\n",
            calendar=calendar,
            secret=secret,
            created_at=now,
            send_after=send_after or now,
        )
    )
    session.flush()  # the same key again, later in this transaction, must find it


def queued(session: Session, keys: Sequence[str]) -> set[str]:
    """Which of `keys` were queued before, sent or not; few enough for one statement."""
    return set(session.scalars(select(OutboxMessage.key).where(OutboxMessage.key.in_(keys))))


def unqueue(session: Session, key: str) -> bool:
    """Take back a mail that nobody began to send; whether there was one."""
    waiting = delete(OutboxMessage).where(
        OutboxMessage.key == key,
        OutboxMessage.attempts == 0,
        OutboxMessage.sent_at.is_(None),
        OutboxMessage.failed_at.is_(None),
    )
    return session.execute(waiting.returning(OutboxMessage.id)).scalar() is not None


@contextmanager
def in_language(language: str | None) -> Iterator[None]:
    """Translate into the recipient's language inside the block; Dutch for one who never chose."""
    with force_locale(language or "nl"):
        yield


def link(path: str) -> str:
    """The full address of a page of this installation."""
    return f"{_settings().base_url}/{path.removeprefix('/')}"


def read_here(session: Session) -> bool:
    """Whether people read their mail at /dev/mail: without a mail server outside production, and in a demo."""
    settings = _settings()
    return marks.is_demo(session) or (settings.smtp_url is None and not settings.production)


def send_due(now: datetime, limit: int = 50) -> int:
    """Send what is due, the oldest first; returns how many messages left.

    Safe to run in several processes at once: a message is taken by one of them. One that dies between sending and
    noting so sends the message a second time, under the same Message-ID. Without a mail server, development and tests
    keep the messages where they can be read; production leaves them waiting.
    """
    settings = _settings()
    if settings.smtp_url is None:
        return 0 if settings.production else _keep(now, limit)
    letters = _take(now, limit)
    sent = 0
    with smtp.Postman(settings.smtp_url, settings.mail_from) as postman:
        for letter in letters:
            try:
                postman.deliver(letter.message)
            except smtp.Undeliverable as error:
                _note_failure(letter, error, now)
            except Exception as error:
                # One letter never keeps the others: whatever it is that stops it, they leave.
                log.error("mail_broke", message=str(letter.public_id), exc_info=error)
                _note_failure(letter, smtp.Undeliverable(type(error).__name__, permanent=False), now)
            else:
                _note_success(letter, now)
                sent += 1
    return sent


@dataclass(frozen=True)
class _Letter:
    public_id: UUID
    attempt: int
    message: smtp.Message


def _take(now: datetime, limit: int) -> list[_Letter]:
    # Taken by moving its next attempt away: when this process dies, the message comes back by itself.
    with db.unit_of_work() as session:
        rows = _due(session, now, limit)
        for row in rows:
            row.attempts += 1
            row.send_after = now + BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
        return [
            _Letter(
                row.public_id,
                row.attempts,
                smtp.Message(
                    row.public_id, row.email, row.language, row.subject, row.body, row.calendar, now
                ),
            )
            for row in rows
        ]


def _due(session: Session, now: datetime, limit: int) -> Sequence[OutboxMessage]:
    return session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.sent_at.is_(None),
            OutboxMessage.failed_at.is_(None),
            OutboxMessage.send_after <= now,
        )
        .order_by(OutboxMessage.send_after, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def _keep(now: datetime, limit: int) -> int:
    with db.unit_of_work() as session:
        rows = _due(session, now, limit)
        for row in rows:
            row.sent_at = now
        return len(rows)


def _note_success(letter: _Letter, now: datetime) -> None:
    with db.unit_of_work() as session:
        message = _locked(session, letter)
        message.sent_at, message.last_error = now, None
        if not read_here(session):
            message.strike_secret()


def _locked(session: Session, letter: _Letter) -> OutboxMessage:
    return session.scalars(
        select(OutboxMessage).where(OutboxMessage.public_id == letter.public_id).with_for_update()
    ).one()


def _note_failure(letter: _Letter, error: smtp.Undeliverable, now: datetime) -> None:
    final = error.permanent or letter.attempt > len(BACKOFF)
    log.warning("mail_not_sent", message=str(letter.public_id), attempt=letter.attempt, final=final)
    with db.unit_of_work() as session:
        message = _locked(session, letter)
        if message.sent_at is not None:
            return
        message.last_error = str(error)[:500]
        if final:
            message.failed_at = now
            if not read_here(session):
                message.strike_secret()


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
