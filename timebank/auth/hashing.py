"""Passwords (argon2id) and one-time tokens: only their hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from flask import current_app
from flask_babel import gettext as _

from timebank.errors import Invalid

SHORTEST_PASSWORD: Final = 10
# Long enough to meet the rule and known to everybody all the same.
TOO_KNOWN: Final = (
    "password",
    "wachtwoord",
    "motdepasse",
    "qwertyuiop",
    "azertyuiop",
    "1234567890",
    "timebank",
)


@lru_cache(maxsize=4)
def _hasher(time_cost: int, memory_cost: int, parallelism: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=parallelism)


def _configured() -> PasswordHasher:
    config = current_app.config
    return _hasher(config["ARGON2_TIME_COST"], config["ARGON2_MEMORY_COST"], config["ARGON2_PARALLELISM"])


@lru_cache(maxsize=4)
def _hash_of_nobody(hasher: PasswordHasher) -> str:
    return hasher.hash(secrets.token_urlsafe(32))


def hash_password(password: str) -> str:
    return _configured().hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether it is the password. Without a hash it takes as long, and is never right."""
    hasher = _configured()
    try:
        right = hasher.verify(password_hash or _hash_of_nobody(hasher), password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
    return right and password_hash is not None


def refreshed(password: str, password_hash: str | None) -> str | None:
    """A hash of the right password with today's settings, or None where the old hash has them already."""
    hasher = _configured()
    if password_hash is None or not hasher.check_needs_rehash(password_hash):
        return None
    return hasher.hash(password)


def check_strength(password: str, email: str, field: str = "password") -> None:
    """Raises Invalid for a password that is short, or that others would try first."""
    message = None
    if len(password) < SHORTEST_PASSWORD:
        message = _("Use at least %(count)s characters.", count=SHORTEST_PASSWORD)
    elif (
        len(set(password)) < 4
        or password.casefold()
        in (
            email.casefold(),
            email.partition("@")[0].casefold(),
        )
        or (
            any(password.casefold().strip("0123456789!.?*") == known for known in TOO_KNOWN)
            or password.isdigit()
        )
    ):
        message = _("This password is easily guessed. Choose another.")
    if message:
        raise Invalid(message, {field: message})


def new_token() -> str:
    """A token for a link or a cookie, with 256 bits of chance."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token. It is random, so a plain hash cannot be turned round."""
    return hashlib.sha256(token.encode()).hexdigest()
