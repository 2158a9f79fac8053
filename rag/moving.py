"""Which files are those of documents that have vanished, under another path: by size and hash."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from rag.entries import SourceFile
from rag.errors import FileRefused
from rag.store.base import Stored


def moves(vanished: Sequence[Stored], new: Sequence[SourceFile]) -> dict[str, Stored]:
    """By the path of each new file that has a vanished document's bytes, that document.

    None is given to two files; one of the same name comes first. Only files of a size that has
    vanished are read, as far as sizes are known.
    """
    by_name: dict[tuple[str, str], list[Stored]] = defaultdict(list)
    for stored in reversed(vanished):
        by_name[stored.sha256, PurePosixPath(stored.source).name].append(stored)
    hashed = list(_hashed(new, {stored.size for stored in vanished}))
    found: dict[str, Stored] = {}
    for source, sha256 in hashed:
        if same := by_name.get((sha256, PurePosixPath(source).name)):
            found[source] = same.pop()
    by_bytes: dict[str, list[Stored]] = defaultdict(list)
    for (sha256, _), left in by_name.items():
        by_bytes[sha256] += left
    for source, sha256 in hashed:
        if source not in found and by_bytes[sha256]:
            found[source] = by_bytes[sha256].pop()
    return found


def _hashed(files: Sequence[SourceFile], sizes: set[int | None]) -> Iterator[tuple[str, str]]:
    """The paths and hashes of files of these sizes; of all, where one is not known."""
    for file in files:
        if file.size in sizes or None in sizes:
            try:
                yield file.source, hashlib.sha256(file.read()).hexdigest()
            except FileRefused:  # its own turn will tell
                continue
