"""Whether citations that somebody kept still hold: in the store, and in the files on this machine.

The rule, for one citation:

- The document is the one with its `document_id`, or without one each document with its `source`.
- `exact`: that document has the same text (`text_sha256`), the quote stands at these very offsets,
  the sentence offsets, where given, lie around it, and the source, where given, is the document's.
- `moved`: the text or the offsets are others now, and the quote stands once in the text, or once
  between the same `prefix` and `suffix`; or else another document has the same text or the same
  bytes and the quote stands there: the file was renamed. The place that is given is the new one.
- `stale`: the document is there and the quote is not, or stands at several places that nothing
  tells apart; or the quote stands, but with a sentence or under a source that were never its own.
- `missing`: there is no such document, and no other with the same text or bytes.
- None of these can be told where the document is damaged and no other holds the quote.

What else a citation says (title, page, heading, paragraph) is not compared; the paragraph that is
given back is counted anew. `file` is a second, independent statement: whether the file that the
document was read from is still the same, byte for byte.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path, PurePosixPath

from rag.entries import UPLOADS
from rag.errors import DocumentDamaged, FileRefused, FileVanished, NotFound
from rag.loading.files import read_bytes
from rag.store.base import PassageStore
from rag.text import paragraphs
from rag.types import Origin, Span

MOST_PLACES = 100
"""Places of one quote that are told apart and counted."""
_OPEN = 4  # documents whose text is kept at hand: the citations of one reply name few


class Standing(StrEnum):
    """Whether a citation holds."""

    EXACT = "exact"
    MOVED = "moved"
    STALE = "stale"
    MISSING = "missing"


class FileState(StrEnum):
    """What became of the file that a document was read from."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"
    UNREACHABLE = "unreachable"  # its folder is not there, or it may not be read


@dataclass(frozen=True, slots=True)
class Claim:
    """What a kept citation says. `sentence_text` are the words shown for its sentence."""

    span: Span
    quote: str
    text_sha256: str
    document_id: str | None = None
    source: str | None = None
    sha256: str | None = None
    sentence: Span | None = None
    sentence_text: str | None = None
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """How a citation stands, and where its quote is now. `status` is None where that can't be told,
    because the stored document is damaged. `file` is None without a document, and for an upload or
    an attachment, which have no file of their own.
    """

    status: Standing | None
    document_id: str | None
    source: str | None
    detail: str
    span: Span | None = None
    paragraph: int | None = None
    file: FileState | None = None

    @property
    def holds(self) -> bool:
        """Whether the quote can be pointed at."""
        return self.status in (Standing.EXACT, Standing.MOVED)


@dataclass(frozen=True, slots=True)
class _Open:
    """A document at hand: its text, where its paragraphs begin, and how its file is."""

    origin: Origin
    text: str
    starts: list[int]
    file: FileState | None


class Verifier:
    """Judges citations one after the other; the module says by which rule. A document of a
    collection that `sees` denies is not there.
    """

    def __init__(
        self, store: PassageStore, max_file_bytes: int, sees: Callable[[str], bool]
    ) -> None:
        self._store = store
        self._sees = sees
        self._max_file_bytes = max_file_bytes
        self._open = lru_cache(_OPEN)(self._opened)

    def verify(self, claim: Claim) -> Verification:
        damaged: list[DocumentDamaged] = []
        named = [_in_named(claim, document) for document in self._named(claim, damaged)]
        best = min(named, key=_rank, default=None)
        if best and best.holds:
            return best
        here = {one.document_id for one in named}
        for document in self._alike(claim, damaged):
            if document.origin.document_id not in here:
                found = _in_text(claim, document)
                if found.holds:
                    return replace(
                        found,
                        status=Standing.MOVED,
                        detail="another document has the same content: its file was renamed",
                    )
        if damaged:
            return Verification(None, claim.document_id, claim.source, str(damaged[0]))
        return best or _missing(claim)

    def _named(self, claim: Claim, damaged: list[DocumentDamaged]) -> Iterator[_Open]:
        ids = [claim.document_id] if claim.document_id else self._store.named(claim.source or "")
        yield from self._each(ids, damaged)

    def _alike(self, claim: Claim, damaged: list[DocumentDamaged]) -> Iterator[_Open]:
        yield from self._each(self._store.alike(claim.text_sha256, claim.sha256), damaged)

    def _each(self, ids: list[str], damaged: list[DocumentDamaged]) -> Iterator[_Open]:
        """Those of the documents that can be read; why others can't be is added to `damaged`."""
        for document_id in ids:
            try:
                if self._sees(self._store.collection_of(document_id)):
                    yield self._open(document_id)
            except NotFound:
                continue  # never there, or removed meanwhile
            except DocumentDamaged as error:
                damaged.append(error)

    def _opened(self, document_id: str) -> _Open:
        document, _ = self._store.document(document_id)
        starts = [paragraph.start for paragraph in paragraphs(document.text)]
        file = file_state(document.origin, self._max_file_bytes)
        return _Open(document.origin, document.text, starts, file)


def file_state(origin: Origin, max_bytes: int) -> FileState | None:
    """Whether a document's file still is what was ingested; None for an upload or an attachment,
    which have none of their own.
    """
    if origin.root == UPLOADS:
        return None
    root = Path(origin.root)
    if not root.is_dir():
        return FileState.UNREACHABLE
    try:
        data = read_bytes(root, origin.source, max_bytes)
    except FileVanished:
        outer = PurePosixPath(origin.source).parents
        inside = any(os.path.isfile(root / folder) for folder in outer)
        return None if inside else FileState.GONE
    except FileRefused:
        return FileState.UNREACHABLE
    same = hashlib.sha256(data).hexdigest() == origin.sha256
    return FileState.SAME if same else FileState.CHANGED


def _rank(one: Verification) -> int:
    return list(Standing).index(one.status or Standing.MISSING)


def _in_named(claim: Claim, document: _Open) -> Verification:
    """How the citation stands in the document that it names."""
    if claim.source not in (None, document.origin.source):
        return _stale(document, "the document with this id has another source")
    return _in_text(claim, document)


def _in_text(claim: Claim, document: _Open) -> Verification:
    """How the citation stands in a document, whatever that is called."""
    unchanged = document.origin.text_sha256 == claim.text_sha256
    # A slice may end beyond the text, and then its length gives the wrong offset away.
    is_there = claim.span.of(
        document.text
    ) == claim.quote and claim.span.end - claim.span.start == len(claim.quote)
    if unchanged and is_there:
        if not _is_in_its_sentence(claim, document.text):
            return _stale(document, "the quote stands there, but its sentence does not")
        return _at(document, claim.span, Standing.EXACT, "the same words at the same place")
    places = _told_apart(claim, document.text)
    if len(places) != 1:
        return _stale(document, _why_stale(len(places), unchanged))
    length = len(claim.quote)
    span = Span(places[0], places[0] + length)
    return _at(document, span, Standing.MOVED, _why_moved(span == claim.span, unchanged))


def _is_in_its_sentence(claim: Claim, text: str) -> bool:
    sentence = claim.sentence
    if sentence is None:
        return True
    around = sentence.contains(claim.span) and sentence.end <= len(text)
    return around and claim.sentence_text in (None, sentence.of(text))


def _told_apart(claim: Claim, text: str) -> list[int]:
    """Where the quote stands: one place if there is one, or one between the same words."""
    places = _places(text, claim.quote)
    if len(places) > 1:
        between = _places(text, claim.quote, claim.prefix, claim.suffix)
        return between if len(between) == 1 else places
    return places


def _places(text: str, quote: str, before: str = "", after: str = "") -> list[int]:
    """Where a quote stands between these words, overlaps counted, up to MOST_PLACES."""
    words = before + quote + after
    places: list[int] = []
    at = text.find(words)
    while at >= 0 and len(places) < MOST_PLACES:
        places.append(at + len(before))
        at = text.find(words, at + 1)
    return places


def _why_stale(places: int, unchanged: bool) -> str:
    if places:
        more = " or more" if places == MOST_PLACES else ""
        return f"the quote stands at {places}{more} places now, and nothing tells them apart"
    if unchanged:
        return "the text is unchanged and never held this quote"
    return "the text has changed and does not hold the quote any more"


def _why_moved(same_place: bool, unchanged: bool) -> str:
    if unchanged:
        return "the text is unchanged, but the quote stands at another place than was said"
    if same_place:
        return "the text has changed elsewhere; the quote stands where it stood"
    return "the text has changed, and the quote stands at another place"


def _at(document: _Open, span: Span, status: Standing, detail: str) -> Verification:
    return Verification(
        status=status,
        document_id=document.origin.document_id,
        source=document.origin.source,
        detail=detail,
        span=span,
        paragraph=max(1, bisect_right(document.starts, span.start)),
        file=document.file,
    )


def _stale(document: _Open, detail: str) -> Verification:
    origin = document.origin
    return Verification(
        Standing.STALE, origin.document_id, origin.source, detail, file=document.file
    )


def _missing(claim: Claim) -> Verification:
    return Verification(
        Standing.MISSING, claim.document_id, claim.source, "there is no such document any more"
    )
