"""Sessions as iCalendar (RFC 5545), for a mail's attachment and for downloads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID


@dataclass(frozen=True)
class CalendarEntry:
    """One session. A cancelled one takes the entry out of the calendars that hold it."""

    uid: UUID
    starts_at: datetime
    ends_at: datetime
    summary: str
    location: str
    description: str = ""
    cancelled: bool = False


def calendar_text(entries: Iterable[CalendarEntry], *, now: datetime) -> str:
    """A calendar with these entries. Times are in UTC, so that no reader needs a time zone's rules."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Timebank//Timebank//EN", "CALSCALE:GREGORIAN"]
    for entry in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{entry.uid}@timebank",
            f"DTSTAMP:{_utc(now)}",
            f"DTSTART:{_utc(entry.starts_at)}",
            f"DTEND:{_utc(entry.ends_at)}",
            f"SUMMARY:{_text(entry.summary)}",
            f"LOCATION:{_text(entry.location)}",
            *([f"DESCRIPTION:{_text(entry.description)}"] if entry.description else []),
            f"STATUS:{'CANCELLED' if entry.cancelled else 'CONFIRMED'}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(_fold(line) for line in lines)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,")
    return escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", r"\n")


def _fold(line: str) -> str:
    """At most 75 octets a line, never cutting a character in two."""
    parts: list[str] = []
    current, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > 75:
            parts.append(current)
            current, size = " ", 1
        current += character
        size += octets
    parts.append(current)
    return "\r\n".join(parts) + "\r\n"
