"""What can be wrong with a file as a whole, or with one cell."""

from __future__ import annotations

from typing import Any


class FileRefused(Exception):
    """The file as a whole cannot be read; nothing of it is used. `code` names why, `params` fill its sentence."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        from timebank.imports.messages import refusal

        return refusal(self)


class BadValue(Exception):
    """A cell that cannot be what its column holds; `reason` is one of the codes in `messages.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
