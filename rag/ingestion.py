"""The write path: files and uploads to documents, passages and vectors in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic

from embeddings.base import Embedder
from rag.attached import Identity, by_file, unpacked
from rag.entries import (
    SourceFile,
    embed,
    entry_of,
    keeps_its_parse,
    moved_entry,
    texts_by_key,
)
from rag.errors import DocumentDamaged, FileRefused, NotFound
from rag.loading.formats import loader_of, why_unsupported
from rag.loading.parser import Parser
from rag.splitting import Splitter
from rag.store.base import Entry, PassageStore, Stored, Vector
from rag.types import Attachment, IngestReport, Outcome, Status

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

    `gone` are the ids that documents of these files had before they were moved, and those of what
    they had attached and have no more.
    """

    entries: list[Entry] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    texts: dict[bytes, str] = field(default_factory=dict)
    passages: int = 0
    size: int = 0

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.texts.update(texts_by_key(entry))
        self.passages += len(entry.passages)


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
        self._notes: dict[Identity, str | None] = {}  # until their documents have a line
        self._known: Mapping[Identity, Stored] = {}
        self._attached: Mapping[Identity, Sequence[Stored]] = {}
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
        self._known = {(s.root, s.source): s for s in stored}
        self._attached = by_file(self._known)
        total = sum(file.size for file in files)
        self._progress = Progress(0, len(files), 0, total, 0)
        outcomes: list[Outcome] = []
        pending = _Pending()
        for file in files:
            began = monotonic()
            taken = self._taken(file, pending)
            outcomes += taken
            waits = taken[0].status in _WRITTEN
            if waits:
                pending.size += file.size
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

    def _taken(self, file: SourceFile, pending: _Pending) -> list[Outcome]:
        """What became of a file, which comes first, and of what is attached to it: added, replaced
        and removed in the same commit.
        """
        known = self._known.get((file.root, file.source))
        attached = self._attached.get((file.root, file.source), ())
        try:
            data = file.read()
            sha256 = hashlib.sha256(data).hexdigest()
            if known and known.sha256 == sha256 and self._are_current(file, known, *attached):
                return unchanged([known, *attached])
            former = file.moved_from
            if former and former.sha256 != sha256:  # it has changed since it was found
                former = None
            file = replace(file, size=len(data), moved_from=former)
            moved = self._moved(file)
            entry, attachments = (moved, ()) if moved else self._read(file, data)
        except FileRefused as error:
            return [refused(file.source, error, known or file.moved_from, file.size)]
        outcomes = [self._put(entry, file, pending)]
        for one in unpacked(file, attachments, self._read):
            line = self._put(one, file, pending) if isinstance(one, Entry) else refused(*one)
            outcomes.append(line)
        there = {outcome.document_id for outcome in outcomes}
        gone = [s for s in attached if s.document_id not in there]
        pending.gone += [s.document_id for s in (*gone, *self._before(former))]
        return outcomes + [replace(one, status=Status.REMOVED) for one in unchanged(gone)]

    def _before(self, former: Stored | None) -> Sequence[Stored]:
        """The documents of a file at its former path: its own, and those of its attachments."""
        if former is None:
            return ()
        return (former, *self._attached.get((former.root, former.source), ()))

    def _moved(self, file: SourceFile) -> Entry | None:
        """What is stored of a moved file under its new path, if that is what it would become; one
        with attachments is read again.
        """
        former = file.moved_from
        if former is None or not keeps_its_parse(former, file.source):
            return None
        if len(self._before(former)) > 1:
            return None
        with suppress(NotFound, DocumentDamaged):
            document, _ = self._store.document(former.document_id)
            return moved_entry(document, file, self._splitter, self._embedder.fingerprint)
        return None

    def _are_current(self, file: SourceFile, *stored: Stored) -> bool:
        """Whether documents were made as they would be now."""
        return all(
            not why_unsupported(s.source)
            and (s.loader, s.splitter) == (loader_of(s.source), self._splitter.name)
            and (s.has_original or not file.is_upload)
            for s in stored
        )

    def _read(self, file: SourceFile, data: bytes) -> tuple[Entry, Sequence[Attachment]]:
        parsed = self._parser.parse(file.source, data)
        self._notes[file.root, file.source] = parsed.note
        sha256 = hashlib.sha256(data).hexdigest()
        entry = entry_of(
            self._collection, file, sha256, parsed, self._splitter, self._embedder.fingerprint
        )
        return replace(entry, original=data if file.is_kept else None), parsed.attachments

    def _put(self, entry: Entry, file: SourceFile, pending: _Pending) -> Outcome:
        """The line of what becomes of a file or, with the file it came in, of an attachment."""
        pending.add(entry)
        origin = entry.document.origin
        note = self._notes.pop((origin.root, origin.source), None)
        line = Outcome(origin.source, Status.ADDED, origin.document_id, size=origin.size, note=note)
        if (origin.root, origin.source) in self._known:
            return replace(line, status=Status.REPLACED)
        moved_from = file.moved_from.source if file.moved_from else file.source
        was = self._known.get((origin.root, origin.source.replace(file.source, moved_from, 1)))
        return replace(line, status=Status.MOVED, reason=was_at(was, origin.title)) if was else line

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
            remove=pending.gone,
        )
        self._reused += len(pending.texts) - len(missing)
        self._worked(0, began)
        self._advance(size=pending.size)


def unchanged(stored: Iterable[Stored]) -> list[Outcome]:
    """The lines of documents that stay as they are."""
    return [Outcome(s.source, Status.UNCHANGED, s.document_id, size=s.size) for s in stored]


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
