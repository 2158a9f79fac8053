"""What comes inside a file: which documents came with which, and how attachments are unpacked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from rag.entries import SourceFile
from rag.errors import FileRefused
from rag.store.base import Entry, Stored
from rag.types import Attachment

MOST = 200
"""Documents that one file brings with it."""
DEEPEST = 3
"""Mails within mails."""

Identity = tuple[str, str]
"""Root and source."""
Read = Callable[[SourceFile, bytes], tuple[Entry, Sequence[Attachment]]]


def by_file(known: Mapping[Identity, Stored]) -> Mapping[Identity, Sequence[Stored]]:
    """The documents that came inside another one, by the outermost that they came in."""
    found: dict[Identity, list[Stored]] = defaultdict(list)
    for (root, source), stored in known.items():
        for end in (at for at, character in enumerate(source) if character == "/"):
            if (root, source[:end]) in known:
                found[root, source[:end]].append(stored)
                break
    return found


def with_own_file(stored: Iterable[Stored]) -> list[Stored]:
    """Those that did not come inside another one."""
    known = {(s.root, s.source): s for s in stored}
    inside = {s.document_id for group in by_file(known).values() for s in group}
    return [s for s in known.values() if s.document_id not in inside]


def unpacked(
    file: SourceFile, attachments: Sequence[Attachment], read: Read
) -> Iterator[Entry | tuple[str, FileRefused]]:
    """What becomes of a file's attachments and of theirs, each after what it came in: what is to
    be stored, or the source and why it is refused.
    """
    waiting = [(1, file.source, attachment) for attachment in reversed(attachments)]
    taken = 0
    while waiting:
        depth, outer, attachment = waiting.pop()
        source, data = f"{outer}/{attachment.name}", attachment.data
        part = SourceFile(file.root, source, len(data), partial(bytes, data), attached=True)
        try:
            if depth > DEEPEST:
                raise FileRefused(f"more than {DEEPEST} mails deep: save it as a file")
            if taken >= MOST:
                raise FileRefused(f"more than {MOST} attachments: save it as a file")
            entry, inner = read(part, data)
        except FileRefused as error:
            yield source, error
            continue
        taken += 1
        waiting += [(depth + 1, source, one) for one in reversed(inner)]
        yield entry
