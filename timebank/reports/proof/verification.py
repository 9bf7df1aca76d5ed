"""Checking a package without the system it came from: its bytes, its signature, its chain, and its figures.

*Consistent*: hashes, chain and sums agree with each other. *Authentic*: besides, it was signed with a key that the
issuer is known to have. Whoever forges can recompute the first, not the second.
"""

from __future__ import annotations

import base64
import csv
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import zip_longest
from typing import IO, Any

from flask_babel import lazy_gettext as _l

from timebank.ledger.entries import canonical, figure_of, hash_payload, link
from timebank.ledger.models import AccountKind, TransactionKind
from timebank.reports.proof import evidence, signing
from timebank.reports.proof import manifest as words
from timebank.reports.proof.archive import Changed, Reader, Unreadable

__all__ = ["Result", "Unreadable", "verify"]

MOST_BYTES = 16 * 1024**3
LONGEST_MANIFEST = 1 << 20
LONGEST_REPORT = 64 << 20
MOST_BREAKS = 20


@dataclass
class Result:
    """What was found. `held` says what was checked and holds, `breaks` what does not, in the reader's language.

    `known_key` is whether the key is among those of the issuer, none where those were not at hand.
    """

    company: str = ""
    from_date: str = ""
    until_date: str = ""
    made_at: str = ""
    issuer: str = ""
    key_id: str = ""
    known_key: bool | None = None
    held: list[Any] = field(default_factory=list)
    breaks: list[Any] = field(default_factory=list)

    @property
    def consistent(self) -> bool:
        return not self.breaks

    @property
    def authentic(self) -> bool:
        return self.consistent and self.known_key is True


def verify(file: IO[bytes], *, keys: Collection[bytes] | None, most_bytes: int = MOST_BYTES) -> Result:
    """Check a package against the public `keys` that its issuer is known to have, none where they are not at hand.

    Raises Unreadable for a file that is no package.
    """
    result = Result()
    check = _Check(file, result, most_bytes)
    try:
        check.all(keys)
    except _Broken as broken:
        result.breaks.append(broken.what)
    except Changed as changed:
        result.breaks.append(changed.what)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError, csv.Error):
        # What no program of ours wrote: signed or not, it is no report.
        result.breaks.append(_l("What it holds is not written as a report is."))
    return result


class _Broken(Exception):
    def __init__(self, what: Any) -> None:
        super().__init__(what)
        self.what = what


class _Check:
    """One pass over a package, from its outside to its figures; what rests on a broken step is not looked at."""

    def __init__(self, file: IO[bytes], result: Result, most_bytes: int) -> None:
        self.result = result
        self.file = file
        self.most_bytes = most_bytes

    def all(self, keys: Collection[bytes] | None) -> None:
        self.archive = Reader(self.file, most_bytes=self.most_bytes)
        missing = {words.MANIFEST, words.SIGNATURE} - set(self.archive.names)
        if missing:
            raise Unreadable(f"it is a zip file, but no report of Timebank: {min(missing)} is missing")
        content = self.archive.read(words.MANIFEST, LONGEST_MANIFEST)
        try:
            self.manifest = words.decode(content)
        except ValueError:
            raise _Broken(_l("%(file)s was changed.", file=words.MANIFEST)) from None
        if self.manifest["format"] != words.FORMAT:
            raise Unreadable(f"it is a report of another format, {str(self.manifest['format'])[:60]}")
        self._tell()
        self._signature(content, keys)
        self._files()
        if self.result.breaks:
            return
        self.report = json.loads(self.archive.read(words.JSON_REPORT, LONGEST_REPORT))
        self._same_report()
        if words.PROOF in self.manifest["files"]:
            self._figures(self._proof())
        else:
            for _entry in self._chain():
                pass
            self._tell_chain()
            self.result.held.append(
                _l(
                    "The package holds no evidence, so that its totals were not recomputed. An auditor's package does."
                )
            )

    def _tell(self) -> None:
        report, result = self.manifest["report"], self.result
        result.company, result.made_at = str(report["company"]), str(report["made_at"])
        result.from_date, result.until_date = str(report["from"]), str(report["until"])
        result.issuer = str(self.manifest["issuer"])

    # --- signature and files ----------------------------------------------------------------------------------------

    def _signature(self, content: bytes, keys: Collection[bytes] | None) -> None:
        try:
            signature = words.decode(self.archive.read(words.SIGNATURE, LONGEST_MANIFEST))
            public_key = base64.b64decode(signature["public_key"], validate=True)
            signed = base64.b64decode(signature["signature"], validate=True)
            whole = signature == words.signature(signing.key_id_of(public_key), public_key, signed)
        except (KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            self.result.breaks.append(_l("%(file)s is not written as a signature is.", file=words.SIGNATURE))
            return
        self.result.key_id = signature["key_id"]
        if not signing.is_signed(content, signed, public_key):
            self.result.breaks.append(
                _l("The signature is not one of this manifest: the package was changed after it was signed.")
            )
            return
        if keys is not None:
            self.result.known_key = public_key in keys
            if not self.result.known_key:
                self.result.breaks.append(
                    _l(
                        "It is signed with the key %(key)s, which is none of the keys of the issuer. Somebody else made"
                        " this package.",
                        key=signature["key_id"],
                    )
                )
                return
        self.result.held.append(
            _l("The signature is one of this manifest (key %(key)s).", key=signature["key_id"])
        )

    def _files(self) -> None:
        listed = self.manifest["files"]
        there = [name for name in self.archive.names if name not in (words.MANIFEST, words.SIGNATURE)]
        for name in sorted(set(listed) ^ set(there)):
            missing = _l("%(file)s stands in the manifest and is not in the package.", file=name)
            beside = _l("%(file)s is in the package and not in its manifest.", file=name)
            self.result.breaks.append(missing if name in listed else beside)
        for name in there:
            if name not in listed:
                continue
            try:
                sums = vars(self.archive.sums(name))
            except Changed as changed:
                self.result.breaks.append(changed.what)
                continue
            if sums != listed[name]:
                self.result.breaks.append(
                    _l("%(file)s was changed: its SHA-256 is not that of the manifest.", file=name)
                )
        if not self.result.breaks:
            self.result.held.append(
                _l("All %(count)s files have the SHA-256 of the manifest.", count=len(there))
            )

    def _same_report(self) -> None:
        said, chain = self.manifest["report"], self.manifest["chain"]
        pairs = {
            "company": (self.report["company"]["name"], said["company"]),
            "from": (self.report["from"], said["from"]),
            "until": (self.report["until"], said["until"]),
            "made_at": (self.report["made_at"], said["made_at"]),
            "transactions": (self.report["ledger"]["transactions"], chain["last"]),
            "head": (self.report["ledger"]["head"], chain["head"]),
        }
        for name, (here, there) in pairs.items():
            self._equal(words.JSON_REPORT, name, here, there)

    def _equal(self, file: str, name: str, here: Any, there: Any) -> None:
        if here != there and len(self.result.breaks) < MOST_BREAKS:
            self.result.breaks.append(
                _l(
                    "%(file)s says %(here)s for %(name)s, but the proof gives %(there)s.",
                    file=file,
                    name=name,
                    here=str(here)[:80],
                    there=str(there)[:80],
                )
            )

    # --- the chain --------------------------------------------------------------------------------------------------

    def _chain(self) -> Iterator[tuple[int, bytes, bytes, bytes]]:
        """(number, payload hash, hash before, hash) of each line. Raises where it breaks."""
        chain = self.manifest["chain"]
        before, number = bytes.fromhex(chain["previous"]), chain["first"] - 1
        reader = csv.reader(self.archive.lines(words.CHAIN))
        if tuple(next(reader)) != words.CHAIN_COLUMNS:
            raise _Broken(_l("%(file)s is not written as a chain is.", file=words.CHAIN))
        for line in reader:
            payload, own = bytes.fromhex(line[1]), bytes.fromhex(line[2])
            if line[0] != str(number + 1) or link(before, payload) != own:
                raise _Broken(_l("The chain breaks at booking %(number)s.", number=number + 1))
            number += 1
            yield number, payload, before, own
            before = own
        if before.hex() != chain["head"] or number != chain["last"]:
            raise _Broken(
                _l("The chain ends at booking %(number)s and not in the head of the manifest.", number=number)
            )

    def _tell_chain(self) -> None:
        chain = self.manifest["chain"]
        self.result.held.append(
            _l(
                "The chain holds from booking %(first)s to %(last)s, head %(head)s.",
                first=chain["first"],
                last=chain["last"],
                head=str(chain["head"])[:16],
            )
        )

    # --- the proof --------------------------------------------------------------------------------------------------

    def _proof(self) -> _Sums:
        """Each payload against the chain and its row of evidence; what they sum to."""
        sums = _Sums(self.manifest["report"]["from"], self.manifest["report"]["until"])
        rows = csv.DictReader(self.archive.lines(words.EVIDENCE))
        if tuple(rows.fieldnames or ()) != evidence.COLUMNS:
            raise _Broken(_l("%(file)s is not written as evidence is.", file=words.EVIDENCE))
        chain = self._chain()
        last = 0
        for line in self.archive.lines(words.PROOF):
            given = json.loads(line)
            number, payload_text = given["number"], given["payload"]
            if number <= last:
                raise _Broken(
                    _l("%(file)s does not follow the chain at %(number)s.", file=words.PROOF, number=number)
                )
            last = number
            entry = next((e for e in chain if e[0] == number), None)
            if entry is None or hash_payload(bytes.fromhex(given["salt"]), payload_text) != entry[1]:
                raise _Broken(
                    _l(
                        "The payload of booking %(number)s does not have the hash that the chain has.",
                        number=number,
                    )
                )
            payload = json.loads(payload_text)
            if canonical(payload) != payload_text or payload["number"] != number:
                raise _Broken(
                    _l("The payload of booking %(number)s is not written as one is.", number=number)
                )
            if payload["book"] != self.manifest["chain"]["book"]:
                raise _Broken(_l("Booking %(number)s is of another company's book.", number=number))
            sums.add(payload)
            if payload["measure"] == "confirmed":
                booking = evidence.Booking(
                    number, "confirmed", payload_text, b"", entry[1], entry[2], entry[3]
                )
                self._row(next(rows, None), booking, payload)
        for _entry in chain:
            pass
        if next(rows, None) is not None:
            raise _Broken(_l("%(file)s has a row that no booking of the proof gives.", file=words.EVIDENCE))
        self._tell_chain()
        return sums

    def _row(self, row: dict[str, Any] | None, booking: evidence.Booking, payload: dict[str, Any]) -> None:
        cells = evidence.proven_cells(booking, payload)
        expected = next(
            csv.reader(
                [b"".join(evidence.csv_lines([cells], (), evidence.FREE)).decode().split("\r\n", 1)[1]]
            )
        )
        names = ("entry", *evidence.FACTS, *evidence.CHAIN)
        for name, there in zip_longest(names, expected):
            here = None if row is None else row[name]
            if here != there:
                raise _Broken(
                    _l(
                        "%(file)s, booking %(number)s: %(name)s is %(here)s, but its payload says %(there)s.",
                        file=words.EVIDENCE,
                        number=booking.number,
                        name=name,
                        here=str(here)[:80],
                        there=str(there)[:80],
                    )
                )

    # --- figures ----------------------------------------------------------------------------------------------------

    def _figures(self, sums: _Sums) -> None:
        before = len(self.result.breaks)
        for row in self.report["key_figures"]:
            expected = sums.figure(row["figure"])
            if expected is not None:
                self._equal(
                    words.JSON_REPORT, row["figure"], row.get("minutes", row.get("numerator")), expected
                )
        for row in self.report["by_month"]:
            for name in ("delivered", "pledged", "reserved", "lapsed"):
                here = row.get(f"{name}_minutes")
                if here is not None:
                    self._equal(
                        words.JSON_REPORT, f"{name}, {row['month']}", here, sums.months[name, row["month"]]
                    )
        for row in csv.DictReader(self.archive.lines(words.CSV_REPORT)):
            expected = sums.figure(row["figure"]) if row["table"] == "key_figures" else None
            if expected is not None:
                self._equal(words.CSV_REPORT, row["figure"], row["numerator"], str(expected))
        for row in csv.DictReader(self.archive.lines(words.TIE_OUT)):
            self._equal(words.TIE_OUT, row["total"], row["lines_minutes"], str(sums.totals[row["total"]]))
            self._equal(words.TIE_OUT, row["total"], row["difference"], "0")
        sample = self.manifest["sample"]
        entries = [int(row["entry"]) for row in csv.DictReader(self.archive.lines(words.SAMPLE))]
        drawn = words.sample_of(sums.confirmed, sample["seed"], sample["size"])
        self._equal(words.SAMPLE, "entry", entries, drawn)
        if len(self.result.breaks) == before:
            self.result.held.append(
                _l(
                    "All totals were recomputed from the payloads of %(count)s bookings:"
                    " %(minutes)s minutes delivered.",
                    count=sums.bookings,
                    minutes=sums.totals["delivered"],
                )
            )


NAMES = {"granted": "pledged", "reserved": "reserved", "lapsed": "lapsed"}


class _Sums:
    """What the payloads of a period sum to; each from the lines that it moves, not from what it says of itself."""

    def __init__(self, from_date: str, until_date: str) -> None:
        self.from_date, self.until_date = date.fromisoformat(from_date), date.fromisoformat(until_date)
        self.bookings = 0
        self.totals: Counter[str] = Counter()
        self.months: Counter[tuple[str, str]] = Counter()
        self.people: Counter[str] = Counter()
        self.initiatives: Counter[str] = Counter()
        self.confirmed: list[int] = []

    def add(self, payload: dict[str, Any]) -> None:
        number = payload["number"]
        if not self.from_date <= date.fromisoformat(payload["activity_date"]) <= self.until_date:
            raise _Broken(_l("Booking %(number)s is not of this period.", number=number))
        lines = [(_kind_of(line["account"]), line["minutes"]) for line in payload["lines"]]
        figure = figure_of(TransactionKind(payload["kind"]), lines)
        category = payload["facts"]["category"]
        if (figure.measure, figure.category, figure.minutes) != (
            payload["measure"],
            category,
            payload["minutes"],
        ):
            raise _Broken(
                _l("The lines of booking %(number)s give another figure than it says.", number=number)
            )
        name = NAMES.get(figure.measure) or ("delivered" if category == "delivery" else str(category))
        self.bookings += 1
        self.totals[name] += figure.minutes
        self.months[name, payload["activity_date"][:7]] += figure.minutes
        if figure.measure == "confirmed":
            self.confirmed.append(number)
        if name == "delivered":
            self.initiatives[payload["facts"]["initiative"]] += figure.minutes
            if payload["facts"]["employee"] is not None:
                self.people[payload["facts"]["employee"]] += figure.minutes

    def figure(self, name: str) -> int | None:
        """The numerator of a key figure, none for those that rest on more than the ledger."""
        if name in ("delivered", "pledged", "reserved", "lapsed"):
            return self.totals[name]
        if name in ("hours_per_participant", "hours_per_employee"):
            return self.totals["delivered"]
        if name == "around":
            return sum(self.totals[kind] for kind in ("travel", "preparation", "management"))
        if name == "participation":
            return sum(minutes > 0 for minutes in self.people.values())
        if name == "initiatives":
            return sum(minutes > 0 for minutes in self.initiatives.values())
        return None


def _kind_of(account: str) -> AccountKind:
    """The kind in an account's name. Raises ValueError for no such name."""
    owner, *parts = account.split(":")
    return AccountKind(parts[0] if owner == "company" else parts[1])
