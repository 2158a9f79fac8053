"""The write path: files and uploads to documents, passages and vectors in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

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
UPLOADS = "uploads"
"""The root of everything that came over HTTP."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be ingested: who it is, and how to read it when its turn comes."""

    root: str
    source: str
    size: int
    read: Callable[[], bytes]


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
    """Documents that wait to be encoded and committed together."""

    entries: list[Entry] = field(default_factory=list)
    texts: dict[bytes, str] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)


class Ingestion:
    """Brings one collection in step with files; every batch is committed as it is done."""

    def __init__(
        self, collection: str, store: PassageStore, embedder: Embedder, parser: Parser
    ) -> None:
        self._collection = collection
        self._store = store
        self._embedder = embedder
        self._parser = parser
        self._splitter = Splitter(embedder.count_tokens, embedder.max_tokens)
        self._encoded = 0
        self._reused = 0

    def run(
        self, files: Sequence[SourceFile], progress: Callable[[Progress], None] = ignore_progress
    ) -> IngestReport:
        """Adds and replaces; a file that fails is reported and the rest go on."""
        known = {(s.root, s.source): s for s in self._store.stored(self._collection)}
        total = sum(file.size for file in files)
        outcomes: list[Outcome] = []
        pending = _Pending()
        done = 0
        for number, file in enumerate(files, start=1):
            self._take(file, known.get((file.root, file.source)), pending)
            if len(pending.texts) >= BATCH:
                outcomes += self._commit(pending)
                pending = _Pending()
            done += file.size
            progress(Progress(number, len(files), done, total, self._encoded))
        outcomes += self._commit(pending)
        return IngestReport(tuple(outcomes), self._encoded, self._reused)

    def _take(self, file: SourceFile, known: Stored | None, pending: _Pending) -> None:
        try:
            data = file.read()
            sha256 = hashlib.sha256(data).hexdigest()
            if known and self._is_current(known, sha256):
                outcome = Outcome(file.source, Status.UNCHANGED, known.document_id)
            else:
                entry = self._entry(file, sha256, self._parser.parse(file.source, data))
                self._enqueue(entry, pending)
                status = Status.REPLACED if known else Status.ADDED
                outcome = Outcome(file.source, status, entry.document.origin.document_id)
        except FileRefused as error:
            outcome = refused(file.source, error, known)
        pending.outcomes.append(outcome)

    def _is_current(self, known: Stored, sha256: str) -> bool:
        made = (known.sha256, known.loader, known.splitter)
        return made == (sha256, loader_of(known.source), self._splitter.name)

    def _entry(self, file: SourceFile, sha256: str, parsed: Parsed) -> Entry:
        document = Document(
            origin=Origin(
                document_id=document_id(self._collection, file.root, file.source),
                collection=self._collection,
                root=file.root,
                source=file.source,
                title=parsed.title or PurePosixPath(file.source).stem,
                date=parsed.date,
                language=parsed.language,
                sha256=sha256,
                text_sha256=hashlib.sha256(parsed.text.encode()).hexdigest(),
                loader=parsed.loader,
            ),
            text=parsed.text,
            headings=parsed.headings,
            pages=parsed.pages,
            page_labels=parsed.page_labels,
            skipped=parsed.skipped,
        )
        entry = split_entry(document, self._splitter, self._embedder.fingerprint)
        if not entry.passages:
            raise FileRefused("no text to index")
        return entry

    def _enqueue(self, entry: Entry, pending: _Pending) -> None:
        pending.entries.append(entry)
        pending.texts.update(
            zip(entry.vector_keys, encoded_texts(entry.document, entry.passages), strict=True)
        )

    def _commit(self, pending: _Pending) -> list[Outcome]:
        if pending.entries:
            missing = self._store.missing(pending.texts)
            vectors = embed(self._embedder, {key: pending.texts[key] for key in missing})
            self._store.commit(
                self._collection, self._embedder.fingerprint, put=pending.entries, vectors=vectors
            )
            self._encoded += len(missing)
            self._reused += len(pending.texts) - len(missing)
        return pending.outcomes


def refused(source: str, error: FileRefused, known: Stored | None = None) -> Outcome:
    """The line of a file that can't be indexed; a former version of it is not thrown away."""
    kept = "; its former version stays indexed" if known else ""
    document_id = known.document_id if known else None
    return Outcome(source, Status.REFUSED, document_id, f"{error}{kept}", type(error))


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


def embed(embedder: Embedder, texts: dict[bytes, str]) -> dict[bytes, Vector]:
    """The vectors of texts, under the same keys."""
    return dict(zip(texts, embedder.embed_passages(list(texts.values())), strict=True))


def rebuild(store: PassageStore, embedder: Embedder, collection: str) -> int:
    """Cuts and encodes every stored document anew; returns how many passages were encoded.

    Questions are answered from the former vectors until the one transaction at the end.
    """
    splitter = Splitter(embedder.count_tokens, embedder.max_tokens)
    encoded = 0
    texts: dict[bytes, str] = {}

    def stage() -> int:
        missing = store.missing(texts)
        store.stage(embed(embedder, {key: texts[key] for key in missing}))
        texts.clear()
        return len(missing)

    for document in store.everything(collection):
        entry = split_entry(document, splitter, embedder.fingerprint)
        texts.update(zip(entry.vector_keys, encoded_texts(document, entry.passages), strict=True))
        if len(texts) >= BATCH:
            encoded += stage()
    encoded += stage()
    store.replace_all(
        collection,
        embedder.fingerprint,
        (
            split_entry(document, splitter, embedder.fingerprint)
            for document in store.everything(collection)
        ),
    )
    return encoded
