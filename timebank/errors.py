"""What a business act may refuse, by type. `timebank.web` maps each to a status and a page once.

`message` is a translated, possibly lazy, sentence for the person who acted; it says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping


class DomainError(Exception):
    """A refusal that the person should read."""

    status = 409

    def __init__(self, message: object) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


class NotFound(DomainError):
    """There is no such thing, or the asker may not know of it."""

    status = 404


class NotPermitted(DomainError):
    """The asker may know of it, but may not do this."""

    status = 403


class WrongState(DomainError):
    """The thing is no longer, or not yet, in a state that allows the act."""


class Expired(DomainError):
    """The answer came after its last moment."""


class Conflict(DomainError):
    """Somebody else was first, or what happened since forbids it."""


class InsufficientHours(DomainError):
    """An account holds fewer minutes than the act needs."""


class TooMany(DomainError):
    """Asked too often; try again later."""

    status = 429


class Invalid(DomainError):
    """Input that breaks a rule; `fields` gives a message for each field, so that forms can show it there."""

    status = 422

    def __init__(self, message: object, fields: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})
