"""What a zip container holds, checked before anything in it is inflated."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from rag.errors import FileRefused, TooLarge

MOST_ENTRIES = 10_000
MOST_BYTES = 200_000_000
"""Of all entries together, inflated."""
MOST_RATIO = 100
"""Inflated to deflated, for an entry of more than `ALWAYS_FINE` bytes."""
ALWAYS_FINE = 1_000_000

_FIRST = b"PK\x03\x04"
_LISTED = b"PK\x01\x02"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = 0x1
_SHOWN = 80  # characters of a name
_FRESH = "open it in its program and save it afresh"


class Members(Mapping[str, bytes]):
    """The files of an archive by name, in the order of its directory.

    Each is inflated when it is asked for, never past the size that the directory gives it; a
    damaged one raises `FileRefused` then.
    """

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._entries = {entry.filename: entry for entry in archive.infolist()}

    def __getitem__(self, name: str) -> bytes:
        entry = self._entries[name]
        try:
            return self._archive.read(entry)
        except (BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, struct.error):
            raise FileRefused(f"damaged: {name[:_SHOWN]!r} in it can't be read; {_FRESH}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def is_zip(data: bytes) -> bool:
    """Whether `members` is to judge the content: it is a zip container, or one behind a password,
    which Office wraps in a file of its old kind. A reader's `matches` asks this first, then for
    the member that makes the container a file of its kind.
    """
    return data.startswith((_FIRST, _COMPOUND_FILE))


def members(data: bytes) -> Members:
    """The files in a zip container. Raises `FileRefused`, or `TooLarge` where it would cost too
    much: the sizes are those of its directory, past which nothing is ever inflated.
    """
    if data.startswith(_COMPOUND_FILE):
        raise FileRefused(
            "behind a password, or of an older format under a new name: open it, remove the "
            "password, and save it in the format that its name says"
        )
    if data.count(_LISTED) > MOST_ENTRIES:
        raise TooLarge(f"holds more than {MOST_ENTRIES:,} files; split it")
    try:
        archive = ZipFile(io.BytesIO(data))
    except (BadZipFile, ValueError, OSError, RuntimeError, struct.error):
        raise FileRefused("damaged: the end is missing or changed; fetch it again") from None
    _check(archive.infolist())
    return Members(archive)


def _check(entries: list[ZipInfo]) -> None:
    if len({entry.filename for entry in entries}) < len(entries):
        raise FileRefused(f"holds two files of one name, so what it says is not sure; {_FRESH}")
    for entry in entries:
        if reason := _why_refused(entry):
            raise FileRefused(reason)
        if entry.file_size > max(ALWAYS_FINE, MOST_RATIO * entry.compress_size):
            raise TooLarge(
                f"a file in it grows more than {MOST_RATIO} times when it is inflated; if that "
                "is meant, save the document in another format"
            )
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise TooLarge(f"would inflate to more than {MOST_BYTES:,} bytes; split it")


def _why_refused(entry: ZipInfo) -> str | None:
    name = entry.orig_filename.replace("\\", "/")
    first, *_ = parts = name.split("/")
    if ".." in parts or not first or first.endswith(":"):
        return f"a file in it is called {name[:_SHOWN]!r}, which leads outside; {_FRESH}"
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted: remove the password and add it again"
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return f"compressed in a way that no office program uses; {_FRESH}"
    return None
