"""Zip files of which each byte is fixed: written in one way only, and read back only when they stand in that way.

No date, no attribute and no gap varies, so that the same members give the same bytes, and a changed byte has nowhere
to hide: not in a header, not in the unused bits at the end of what was packed.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from flask_babel import lazy_gettext as _l

DATE = (1980, 1, 1, 0, 0, 0)
DOS_DATE = 0x0021
ATTRIBUTES = 0o100644 << 16
VERSION = 20
UNIX = 3
CHUNK = 1 << 16
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}(\.[a-z0-9]{1,8}){1,2}")
MOST_MEMBERS = 50
LONGEST_LINE = 1 << 20


class Unreadable(Exception):
    """A file that is no such archive at all; the text says why in one line."""


class Changed(Exception):
    """An archive that is not as it was written; `what` says where, in the reader's language."""

    def __init__(self, what: Any) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True)
class Sums:
    """What a member holds, and how it was packed."""

    size: int
    sha256: str
    packed_size: int
    packed_sha256: str


# --- writing --------------------------------------------------------------------------------------------------------


class Writer:
    """Writes members one after the other into a file that can be read back."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=False, compresslevel=6)
        self.sums: dict[str, Sums] = {}

    def add(self, name: str, chunks: Iterable[bytes], *, packed: bool = True) -> None:
        """Add a member. Raises ValueError for a name that readers would refuse, or one that is there already."""
        if not NAME.fullmatch(name) or name in self.sums:
            raise ValueError(f"no member can be called {name}")
        info = zipfile.ZipInfo(name, DATE)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr, info.create_system = ATTRIBUTES, UNIX
        content, size = hashlib.sha256(), 0
        with self._zip.open(info, "w") as member:
            for chunk in chunks:
                content.update(chunk)
                size += len(chunk)
                member.write(chunk)
        start = info.header_offset + _local_header_length(name)
        self.sums[name] = Sums(
            size, content.hexdigest(), info.compress_size, _sha256_of(self._out, start, info.compress_size)
        )

    def close(self) -> None:
        self._zip.close()


def _sha256_of(file: IO[bytes], start: int, length: int) -> str:
    """The hash of a stretch of a file, whose place in it stays where it was."""
    place = file.tell()
    digest = hashlib.sha256()
    for chunk in _stretch(file, start, length):
        digest.update(chunk)
    file.seek(place)
    return digest.hexdigest()


def _stretch(file: IO[bytes], start: int, length: int) -> Iterator[bytes]:
    file.seek(start)
    while length > 0:
        chunk = file.read(min(CHUNK, length))
        if not chunk:
            raise Unreadable("the file ends too early")
        length -= len(chunk)
        yield chunk


# --- reading --------------------------------------------------------------------------------------------------------


class Reader:
    """An archive that is framed as `Writer` does it. Nothing is unpacked before `chunks` is asked."""

    def __init__(self, file: IO[bytes], *, most_bytes: int) -> None:
        """Raises Unreadable for what is no archive or holds more than `most_bytes`, Changed for one that is framed
        in another way."""
        self._file = file
        try:
            with zipfile.ZipFile(file) as found:
                self._members = found.infolist()
        except (
            zipfile.BadZipFile,
            EOFError,
            ValueError,
            struct.error,
            UnicodeError,
            NotImplementedError,
        ) as error:
            raise Unreadable(f"it is not a whole zip file ({error})") from None
        self._check_members(most_bytes)
        self._check_framing()
        self._by_name = {info.filename: info for info in self._members}

    @property
    def names(self) -> list[str]:
        return [info.filename for info in self._members]

    def _check_members(self, most_bytes: int) -> None:
        names = self.names
        if len(names) > MOST_MEMBERS:
            raise Unreadable(f"it holds {len(names)} files, more than a report does")
        for info in self._members:
            # As it stands in the file: zipfile cuts a name at a zero byte.
            if not NAME.fullmatch(info.orig_filename):
                raise Unreadable(
                    f"it holds a file with the name {info.orig_filename[:80]!r}, which no report has"
                )
            if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED) or info.flag_bits & 1:
                raise Unreadable(f"{info.filename} is packed or locked in a way that no report is")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise Unreadable(f"it holds {twice[0]} twice")
        size = sum(info.file_size for info in self._members)
        if size > most_bytes:
            raise Unreadable(
                f"it would unpack to {size} bytes, more than the {most_bytes} that are read here"
            )

    def _check_framing(self) -> None:
        """That headers, directory and end are the very bytes that `Writer` gives these members."""
        place, directory = 0, b""
        for info in self._members:
            name = info.filename.encode()
            sizes = (info.CRC, info.compress_size, info.file_size, len(name), 0)
            how = (0, info.compress_type, 0, DOS_DATE)
            header = struct.pack("<4s5H3L2H", b"PK\3\4", VERSION, *how, *sizes) + name
            if info.header_offset != place or self._at(place, len(header)) != header:
                raise Changed(_l("The archive's header of %(file)s was changed.", file=info.filename))
            directory += (
                struct.pack(
                    "<4s6H3L5H2L",
                    b"PK\1\2",
                    UNIX << 8 | VERSION,
                    VERSION,
                    *how,
                    *sizes,
                    0,
                    0,
                    0,
                    ATTRIBUTES,
                    place,
                )
                + name
            )
            place += len(header) + info.compress_size
        count = len(self._members)
        directory += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), place, 0)
        if self._at(place, len(directory) + 1) != directory:
            raise Changed(_l("The archive's directory was changed."))

    def _at(self, place: int, length: int) -> bytes:
        self._file.seek(place)
        return self._file.read(length)

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's content. Raises Changed when it does not unpack to what its header says, to the byte."""
        info = self._by_name[name]
        left = info.file_size
        packed = _stretch(self._file, info.header_offset + _local_header_length(name), info.compress_size)
        try:
            for chunk in packed if info.compress_type == zipfile.ZIP_STORED else _inflate(packed):
                left -= len(chunk)
                if left < 0:
                    break
                # A reader of another member may have moved the file meanwhile.
                place = self._file.tell()
                yield chunk
                self._file.seek(place)
        except zlib.error:
            left = -1
        if left:
            raise Changed(_l("%(file)s does not unpack to what the archive says.", file=name))

    def read(self, name: str, most: int) -> bytes:
        """A small member as a whole. Raises Changed when it is longer than `most`."""
        if self._by_name[name].file_size > most:
            raise Changed(_l("%(file)s is longer than it can be.", file=name))
        return b"".join(self.chunks(name))

    def lines(self, name: str) -> Iterator[str]:
        """The lines of a member, each with its end. Raises Changed when one is no UTF-8 or endless."""
        rest = b""
        try:
            for chunk in self.chunks(name):
                rest += chunk
                *whole, rest = rest.split(b"\n")
                for line in whole:
                    yield line.decode() + "\n"
                if len(rest) > LONGEST_LINE:
                    raise Changed(_l("%(file)s is longer than it can be.", file=name))
            if rest:
                yield rest.decode()
        except UnicodeDecodeError:
            raise Changed(_l("%(file)s is no text.", file=name)) from None

    def sums(self, name: str) -> Sums:
        """What a member holds and how it is packed, as it stands in the file."""
        info = self._by_name[name]
        content, size = hashlib.sha256(), 0
        for chunk in self.chunks(name):
            content.update(chunk)
            size += len(chunk)
        start = info.header_offset + _local_header_length(name)
        packed = _sha256_of(self._file, start, info.compress_size)
        return Sums(size, content.hexdigest(), info.compress_size, packed)


def _local_header_length(name: str) -> int:
    return 30 + len(name)


def _inflate(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack in pieces of limited length, however well it was packed. Raises zlib.error also for what follows it."""
    unpacker = zlib.decompressobj(-15)
    for chunk in packed:
        while chunk:
            piece = unpacker.decompress(chunk, CHUNK)
            chunk = unpacker.unconsumed_tail
            if piece:
                yield piece
            if unpacker.unused_data:
                raise zlib.error("something follows")
    while piece := unpacker.decompress(unpacker.unconsumed_tail, CHUNK):
        yield piece
    if not unpacker.eof:
        raise zlib.error("the end is missing")
