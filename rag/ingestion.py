"""The write path: files and uploads to documents, passages and vectors in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic

from embeddings.base import Embedder
from rag.entries import (
    SourceFile,
    embed,
    entry_of,
    keeps_its_parse,
    moved_entry,
    texts_by_key,
)
from rag.errors import DocumentDamaged, FileRefused, NotFound
from rag.loading.formats import loader_of
from rag.loading.parser import Parser
from rag.splitting import Splitter
from rag.store.base import Entry, PassageStore, Stored, Vector
from rag.types import IngestReport, Outcome, Status

BATCH = 512  # passages that are encoded and committed together
_SLICE = 64  # passages that are encoded between two signs of progress
_WRITTEN = (Status.ADDED, Status.REPLACED, Status.MOVED)
_LEAST_MEASURED = 256  # passages; the pace of fewer says little about that of many
_MOST_REUSED = 0.1  # of the passages encoded


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is; sizes in bytes."""

    files: int
    total_files: int
    bytes: int
    total_bytes: int
    encoded: int


def ignore_progress(_: Progress) -> None:
    """For callers who do not watch."""


@dataclass(slots=True)
class _Pending:
    """Documents that wait to be encoded and committed together; `size` of their files in bytes.

    `moved` are the ids that documents of these files had before.
    """

    entries: list[Entry] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    texts: dict[bytes, str] = field(default_factory=dict)
    passages: int = 0
    size: int = 0

    def add(self, entry: Entry, moved_from: Stored | None, size: int) -> None:
        self.entries.append(entry)
        self.moved += [moved_from.document_id] if moved_from else []
        self.texts.update(texts_by_key(entry))
        self.passages += len(entry.passages)
        self.size += size


class Ingestion:
    """One run that brings a collection in step with files; every batch is committed as it is done.

    `progress` is called after each file and each slice of passages that is encoded.
    """

    def __init__(
        self,
        collection: str,
        store: PassageStore,
        embedder: Embedder,
        parser: Parser,
        progress: Callable[[Progress], None] = ignore_progress,
    ) -> None:
        self._collection = collection
        self._store = store
        self._embedder = embedder
        self._parser = parser
        self._show = progress
        self._splitter = Splitter(embedder.count_tokens, embedder.max_tokens)
        self._progress = Progress(0, 0, 0, 0, 0)
        self._reused = 0
        self._worked_bytes = 0
        self._worked_seconds = 0.0

    @property
    def pace(self) -> float | None:
        """Bytes a second of the files that were read and encoded; None where those were too few,
        or too much of them was reused, to tell.
        """
        encoded = self._progress.encoded
        if encoded < _LEAST_MEASURED or self._reused > encoded * _MOST_REUSED:
            return None
        return self._worked_bytes / self._worked_seconds

    def run(self, files: Sequence[SourceFile], stored: Iterable[Stored]) -> IngestReport:
        """Adds, replaces and moves, where `stored` are the documents of the collection; a file that
        fails is reported and the rest go on.
        """
        known = {(s.root, s.source): s for s in stored}
        total = sum(file.size for file in files)
        self._progress = Progress(0, len(files), 0, total, 0)
        outcomes: list[Outcome] = []
        pending = _Pending()
        for file in files:
            began = monotonic()
            outcome = self._taken(file, known.get((file.root, file.source)), pending)
            outcomes.append(outcome)
            waits = outcome.status in _WRITTEN
            if waits:
                self._worked(file.size, began)
            self._advance(files=1, size=0 if waits else file.size)
            if pending.passages >= BATCH:
                self._commit(pending)
                pending = _Pending()
        self._commit(pending)
        return IngestReport(tuple(outcomes), self._progress.encoded, self._reused)

    def _worked(self, size: int, began: float) -> None:
        self._worked_bytes += size
        self._worked_seconds += monotonic() - began

    def _advance(self, files: int = 0, size: int = 0, encoded: int = 0) -> None:
        now = self._progress
        self._progress = replace(
            now,
            files=now.files + files,
            bytes=now.bytes + size,
            encoded=now.encoded + encoded,
        )
        self._show(self._progress)

    def _taken(self, file: SourceFile, known: Stored | None, pending: _Pending) -> Outcome:
        try:
            data = file.read()
            sha256 = hashlib.sha256(data).hexdigest()
            if known and self._is_current(known, file, sha256):
                return Outcome(file.source, Status.UNCHANGED, known.document_id, size=len(data))
            former = file.moved_from
            if former and former.sha256 != sha256:  # it has changed since it was found
                former = None
            file = replace(file, size=len(data), moved_from=former)
            entry = self._moved(file) or self._parsed(file, data, sha256)
        except FileRefused as error:
            return refused(file.source, error, known or file.moved_from, file.size)
        pending.add(entry, former, file.size)
        origin = entry.document.origin
        status = Status.REPLACED if known else Status.MOVED if former else Status.ADDED
        reason = was_at(former, origin.title) if former else None
        return Outcome(file.source, status, origin.document_id, reason, size=file.size)

    def _moved(self, file: SourceFile) -> Entry | None:
        """What is stored of a moved file under its new path, if that is what it would become."""
        former = file.moved_from
        if former is None or not keeps_its_parse(former, file.source):
            return None
        with suppress(NotFound, DocumentDamaged):
            document, _ = self._store.document(former.document_id)
            return moved_entry(document, file, self._splitter, self._embedder.fingerprint)
        return None

    def _parsed(self, file: SourceFile, data: bytes, sha256: str) -> Entry:
        parsed = self._parser.parse(file.source, data)
        entry = entry_of(
            self._collection, file, sha256, parsed, self._splitter, self._embedder.fingerprint
        )
        return replace(entry, original=data) if file.is_upload else entry

    def _is_current(self, known: Stored, file: SourceFile, sha256: str) -> bool:
        if file.is_upload and not known.has_original:
            return False
        made = (known.sha256, known.loader, known.splitter)
        return made == (sha256, loader_of(known.source), self._splitter.name)

    def _commit(self, pending: _Pending) -> None:
        if not pending.entries:
            return
        began = monotonic()
        missing = self._store.missing(pending.texts)
        vectors: dict[bytes, Vector] = {}
        # Longest first, as the encoder wants them, so that slices waste nothing on padding.
        keys = sorted(missing, key=lambda key: -len(pending.texts[key]))
        for slice_ in (keys[start : start + _SLICE] for start in range(0, len(keys), _SLICE)):
            vectors |= embed(self._embedder, {key: pending.texts[key] for key in slice_})
            share = pending.size * len(slice_) // len(keys)
            self._advance(size=share, encoded=len(slice_))
            pending.size -= share
        self._store.commit(
            self._collection,
            self._embedder.fingerprint,
            put=pending.entries,
            vectors=vectors,
            remove=pending.moved,
        )
        self._reused += len(pending.texts) - len(missing)
        self._worked(0, began)
        self._advance(size=pending.size)


def refused(
    source: str, error: FileRefused, known: Stored | None = None, size: int | None = None
) -> Outcome:
    """The line of a file that can't be indexed; a former version of it is not thrown away."""
    kept = "; its former version stays indexed" if known else ""
    document_id = known.document_id if known else None
    return Outcome(source, Status.REFUSED, document_id, f"{error}{kept}", type(error), size)


def was_at(former: Stored, title: str) -> str:
    """The reason of a moved file's line. Passages are encoded with the title."""
    anew = "" if title == former.title else "; encoded anew, for its title was its name"
    return f"was at {former.source}{anew}"
