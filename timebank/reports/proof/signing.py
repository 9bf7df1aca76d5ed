"""Signing with the installation's key, and the keys that others check with (Ed25519, RFC 8032)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import ConfigError, Settings
from timebank import events
from timebank.auth.actor import Actor
from timebank.errors import NotPermitted, WrongState
from timebank.reports.events import SigningKeyRotated
from timebank.reports.proof.models import SigningKey

ALGORITHM = "Ed25519"


@dataclass(frozen=True)
class Signer:
    """A key that signs."""

    private: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        return key_id_of(self.public_key)

    def sign(self, content: bytes) -> bytes:
        return self.private.sign(content)


def key_id_of(public_key: bytes) -> str:
    return hashlib.sha256(public_key).hexdigest()[:16]


def is_signed(content: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether the holder of the private key signed these very bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def current_signer(session: Session, settings: Settings, *, now: datetime) -> Signer:
    """The key to sign with; made at first use, by one of those who come at once.

    A key that the present secret key does not open, since that was changed, is retired and followed by a new one.
    Raises ConfigError when the key of the settings is none.
    """
    if settings.signing_key is not None:
        signer = _from_settings(settings.signing_key)
        row = _current(session)
        if row is None or row.key_id != signer.key_id:
            _replace(session, row, signer, None, now)
        return signer
    row = _current(session)
    opened = _open(row, settings) if row else None
    return opened or _make(session, row, settings, now)


def rotate(session: Session, settings: Settings, *, actor: Actor, now: datetime) -> Signer:
    """Retire the current key and make a new one. What the old one signed stays authentic.

    Raises NotPermitted for anybody but the system, WrongState where the key comes from the settings.
    """
    if not actor.is_system:
        raise NotPermitted(_l("Your role does not allow this."))
    if settings.signing_key is not None:
        raise WrongState(
            "the key is that of TIMEBANK_SIGNING_KEY: put another there, and it is used from then on"
        )
    signer = _make(session, _current(session), settings, now)
    key = session.scalars(select(SigningKey).where(SigningKey.key_id == signer.key_id)).one()
    events.record(session, SigningKeyRotated(actor=actor, at=now, subject=key.public_id, key_id=key.key_id))
    return signer


def published(session: Session) -> list[SigningKey]:
    """All keys that ever signed, newest first."""
    return list(session.scalars(select(SigningKey).order_by(SigningKey.id.desc())))


def key_set(session: Session, issuer: str) -> dict[str, Any]:
    """What stands at the well-known address."""
    return {
        "issuer": issuer,
        "keys": [
            {
                "key_id": key.key_id,
                "algorithm": key.algorithm,
                "public_key": base64.b64encode(key.public_key).decode(),
                "created_at": key.created_at.isoformat(timespec="seconds"),
                "retired_at": key.retired_at.isoformat(timespec="seconds") if key.retired_at else None,
            }
            for key in published(session)
        ],
    }


def keys_of(content: Any) -> set[bytes]:
    """The public keys of such a key set. Raises ValueError for anything else."""
    try:
        return {base64.b64decode(key["public_key"], validate=True) for key in content["keys"]}
    except (KeyError, TypeError, ValueError):
        raise ValueError("it holds no keys as /.well-known/timebank-keys.json does") from None


# --- rows -----------------------------------------------------------------------------------------------------------


def _current(session: Session) -> SigningKey | None:
    return session.scalar(select(SigningKey).where(SigningKey.retired_at.is_(None)).with_for_update())


def _open(row: SigningKey, settings: Settings) -> Signer | None:
    if row.private_key is None:
        return None
    try:
        key = load_pem_private_key(row.private_key.encode(), settings.secret_key.encode())
    except ValueError:
        return None
    return Signer(key) if isinstance(key, Ed25519PrivateKey) else None


def _make(session: Session, row: SigningKey | None, settings: Settings, now: datetime) -> Signer:
    signer = Signer(Ed25519PrivateKey.generate())
    locked = signer.private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(settings.secret_key.encode())
    )
    if _replace(session, row, signer, locked.decode(), now):
        return signer
    return current_signer(session, settings, now=now)


def _replace(
    session: Session, row: SigningKey | None, signer: Signer, private_key: str | None, now: datetime
) -> bool:
    """Let a key follow another; False when somebody else made one at this very moment."""
    if row is not None:
        row.retired_at, row.private_key = now, None
        session.flush()
    known = session.scalar(select(SigningKey).where(SigningKey.key_id == signer.key_id))
    try:
        with session.begin_nested():
            if known is not None:
                known.retired_at = None
            else:
                session.add(
                    SigningKey(
                        key_id=signer.key_id,
                        algorithm=ALGORITHM,
                        public_key=signer.public_key,
                        private_key=private_key,
                        created_at=now,
                        retired_at=None,
                    )
                )
            session.flush()
    except IntegrityError:
        return False
    return True


def _from_settings(pem: str) -> Signer:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            "TIMEBANK_SIGNING_KEY is no unlocked Ed25519 key in PEM: make one with: openssl genpkey -algorithm ed25519"
        )
    return Signer(key)
