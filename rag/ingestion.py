"""The write path: files and uploads to documents, passages and vectors in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from time import monotonic

from embeddings.base import Embedder
from rag.errors import FileRefused
from rag.loading.formats import loader_of
from rag.loading.parser import Parser
from rag.splitting import Splitter
from rag.store.base import Entry, PassageStore, Stored, Vector, vector_key
from rag.text import paragraphs
from rag.types import (
    Document,
    IngestReport,
    Origin,
    Outcome,
    Parsed,
    Passage,
    Status,
    with_context,
)

BATCH = 512  # passages that are encoded and committed together
_SLICE = 64  # passages that are encoded between two signs of progress
_LEAST_MEASURED = 256  # passages; the pace of fewer says little about that of many
_MOST_REUSED = 0.1  # of the passages encoded
UPLOADS = "uploads"
"""The root of everything that came over HTTP."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be ingested: who it is, and how to read it when its turn comes.

    An upload is not to be had a second time, so the store keeps its bytes.
    """

    root: str
    source: str
    size: int
    read: Callable[[], bytes]

    @property
    def is_upload(self) -> bool:
        return self.root == UPLOADS


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


def document_id(collection: str, root: str, source: str) -> str:
    """The identity of a document: 128 bits in hex, the same after every replacement."""
    identity = "\0".join([collection, root, source])
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


@dataclass(slots=True)
class _Pending:
    """Documents that wait to be encoded and committed together; `size` of their files in bytes."""

    entries: list[Entry] = field(default_factory=list)
    texts: dict[bytes, str] = field(default_factory=dict)
    size: int = 0


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

    def run(self, files: Sequence[SourceFile]) -> IngestReport:
        """Adds and replaces; a file that fails is reported and the rest go on."""
        known = {(s.root, s.source): s for s in self._store.stored(self._collection)}
        total = sum(file.size for file in files)
        self._progress = Progress(0, len(files), 0, total, 0)
        outcomes: list[Outcome] = []
        pending = _Pending()
        for file in files:
            began = monotonic()
            outcome = self._taken(file, known.get((file.root, file.source)), pending)
            outcomes.append(outcome)
            waits = outcome.status in (Status.ADDED, Status.REPLACED)
            if waits:
                pending.size += file.size
                self._worked(file.size, began)
            self._advance(files=1, size=0 if waits else file.size)
            if len(pending.texts) >= BATCH:
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
            file = replace(file, size=len(data))  # it may have grown since it was found
            parsed = self._parser.parse(file.source, data)
            entry = entry_of(
                self._collection, file, sha256, parsed, self._splitter, self._embedder.fingerprint
            )
            if file.is_upload:
                entry = replace(entry, original=data)
        except FileRefused as error:
            return refused(file.source, error, known, file.size)
        pending.entries.append(entry)
        pending.texts.update(texts_by_key(entry))
        status = Status.REPLACED if known else Status.ADDED
        return Outcome(file.source, status, entry.document.origin.document_id, size=file.size)

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
            self._collection, self._embedder.fingerprint, put=pending.entries, vectors=vectors
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


def entry_of(
    collection: str,
    file: SourceFile,
    sha256: str,
    parsed: Parsed,
    splitter: Splitter,
    fingerprint: str,
) -> Entry:
    """What a parsed file becomes. Raises `FileRefused` where nothing of it can be indexed."""
    document = Document(
        origin=Origin(
            document_id=document_id(collection, file.root, file.source),
            collection=collection,
            root=file.root,
            source=file.source,
            title=parsed.title or PurePosixPath(file.source).stem,
            date=parsed.date,
            language=parsed.language,
            sha256=sha256,
            text_sha256=hashlib.sha256(parsed.text.encode()).hexdigest(),
            loader=parsed.loader,
            size=file.size,
        ),
        text=parsed.text,
        headings=parsed.headings,
        pages=parsed.pages,
        page_labels=parsed.page_labels,
        skipped=parsed.skipped,
    )
    entry = split_entry(document, splitter, fingerprint)
    if not entry.passages:
        raise FileRefused("no text to index")
    return entry


def split_entry(document: Document, splitter: Splitter, fingerprint: str) -> Entry:
    """A document cut into passages and ready to be written."""
    passages = splitter.split(document)
    return Entry(
        document=document,
        paragraphs=len(paragraphs(document.text)),
        splitter=splitter.name,
        passages=passages,
        vector_keys=[vector_key(fingerprint, text) for text in encoded_texts(document, passages)],
    )


def encoded_texts(document: Document, passages: Iterable[Passage]) -> Iterator[str]:
    """What the encoder reads of each passage."""
    for passage in passages:
        yield with_context(document.origin.title, passage.heading, passage.text)


def texts_by_key(entry: Entry) -> dict[bytes, str]:
    """What the encoder reads of each passage, under its vector's key."""
    texts = encoded_texts(entry.document, entry.passages)
    return dict(zip(entry.vector_keys, texts, strict=True))


def embed(embedder: Embedder, texts: dict[bytes, str]) -> dict[bytes, Vector]:
    """The vectors of texts, under the same keys."""
    return dict(zip(texts, embedder.embed_passages(list(texts.values())), strict=True))
