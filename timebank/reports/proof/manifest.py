"""The words of a package: what stands in its manifest and its signature, and how these are written."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from hashlib import sha256
from heapq import nsmallest
from typing import Any

from timebank.ledger.entries import canonical

FORMAT = "timebank-report/1"
MANIFEST = "manifest.json"
SIGNATURE = "signature.json"
CHAIN = "chain.csv"
CHAIN_COLUMNS = ("number", "payload_hash", "hash")
JSON_REPORT = "report.json"
CSV_REPORT = "report.csv"
EVIDENCE = "evidence.csv"
PROOF = "proof.jsonl"
SAMPLE = "sample.csv"
TIE_OUT = "tie-out.csv"
TIE_OUT_COLUMNS = ("total", "report_minutes", "facts_minutes", "lines_minutes", "difference")
SAMPLE_SIZE = 25


def encode(content: Any) -> bytes:
    """The one way in which a manifest or a signature is written."""
    return (canonical(content) + "\n").encode()


def decode(content: bytes) -> Any:
    """What `encode` wrote. Raises ValueError when it is not written in that very way."""
    found = json.loads(content)
    if encode(found) != content:
        raise ValueError("it is not written as it was made")
    return found


def signature(key_id: str, public_key: bytes, signed: bytes) -> dict[str, str]:
    return {
        "algorithm": "Ed25519",
        "key_id": key_id,
        "public_key": base64.b64encode(public_key).decode(),
        "signature": base64.b64encode(signed).decode(),
    }


def sample_of(numbers: Iterable[int], seed: str, size: int) -> list[int]:
    """So many of the entries as nobody could choose: those with the smallest SHA-256 of seed and number."""

    def place(number: int) -> bytes:
        return sha256(f"{seed}:{number}".encode()).digest()

    return sorted(nsmallest(size, numbers, key=place))
