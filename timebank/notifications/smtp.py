"""Handing messages to a mail server."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from types import TracebackType
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

TIMEOUT: Final = 20  # seconds for each step of the conversation
LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class Undeliverable(Exception):
    """The server did not take the message; `permanent` when trying again is of no use."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


@dataclass(frozen=True)
class Message:
    """A letter as plain data, so that no database row is held while the server takes its time."""

    public_id: UUID
    email: str
    language: str
    subject: str
    body: str
    calendar: str | None
    at: datetime


class Postman:
    """A connection to the mail server at `url`, opened for the first message and kept for the next ones."""

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Postman:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()

    def deliver(self, message: Message) -> None:
        """Hand over one message. Raises Undeliverable."""
        try:
            letter = self._compose(message)
        except (ValueError, IndexError, TypeError) as error:
            # What cannot be written as a letter today cannot tomorrow. The reason may hold the address: its kind only.
            raise Undeliverable(f"not a letter: {type(error).__name__}", permanent=True) from error
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.send_message(letter)
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._connection and self._connection.rset()
            raise Undeliverable(f"{code} {_text(reason)}", permanent=code >= 500) from error
        except smtplib.SMTPNotSupportedError as error:
            # An address with letters that this server cannot write.
            raise Undeliverable(str(error), permanent=True) from error
        except (smtplib.SMTPException, OSError) as error:
            self._hang_up()
            raise Undeliverable(f"{type(error).__name__}: {error}", permanent=False) from error

    def _connect(self) -> smtplib.SMTP:
        host, secure = self._url.hostname or "", self._url.scheme == "smtps"
        context = ssl.create_default_context()
        connection: smtplib.SMTP
        if secure:
            connection = smtplib.SMTP_SSL(host, self._url.port or 465, timeout=TIMEOUT, context=context)
        else:
            connection = smtplib.SMTP(host, self._url.port or 25, timeout=TIMEOUT)
            connection.ehlo()
            if connection.has_extn("starttls"):
                connection.starttls(context=context)
                connection.ehlo()
            elif self._url.password and host not in LOCAL:
                connection.close()
                raise smtplib.SMTPException("the server offers no encryption, so the password stays here")
        if self._url.username:
            connection.login(unquote(self._url.username), unquote(self._url.password or ""))
        return connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
            self._connection = None

    def _compose(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self._sender
        letter["To"] = message.email
        letter["Subject"] = message.subject
        letter["Date"] = format_datetime(message.at)
        domain = parseaddr(self._sender)[1].rpartition("@")[2] or "localhost"
        letter["Message-ID"] = f"<{message.public_id}@{domain}>"
        letter["Content-Language"] = message.language
        # Vacation replies answer people, not machines.
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.body)
        if message.calendar:
            letter.add_attachment(
                message.calendar, subtype="calendar", filename="session.ics", params={"method": "REQUEST"}
            )
        return letter


def _text(reason: bytes | str) -> str:
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
