"""The one object that every door holds: HTTP, command line and evaluation."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from embeddings.base import Embedder
from rag.answering import Query, answer
from rag.encoders import Encoders
from rag.entries import UPLOADS
from rag.errors import (
    Conflict,
    FileRefused,
    InvalidInput,
    ModelMismatch,
    NotFound,
    ReadOnly,
    StoreBusy,
    no_collection,
    no_document,
)
from rag.feedback import Feedback, FeedbackFile, Said, Verdict, question_of
from rag.filters import EVERYTHING, Filters
from rag.ingestion import Ingestion, Progress, ignore_progress
from rag.loading.choosing import EVERY_FILE, Globs
from rag.loading.files import read_bytes
from rag.loading.parser import Parser
from rag.pace import PaceFile
from rag.reading.base import Reader
from rag.rebuilding import Rebuilds
from rag.settings import LONGEST_QUESTION, MOST_PASSAGES
from rag.store.base import CollectionRecord, Overview, PassageStore, Snapshot, Stored
from rag.syncing import Plan, Planner, uploads
from rag.tuning import Tuning, Tunings
from rag.types import (
    Document,
    DocumentRecord,
    IngestReport,
    Origin,
    Reply,
    Span,
    Turn,
)
from rag.verifying import Claim, Verification, Verifier

_log = logging.getLogger(__name__)

DEFAULT_COLLECTION = "default"
MOST_FOLDERS = 1_000  # of a collection that are listed
COLLECTION_NAME = r"[a-z0-9][a-z0-9_-]{0,62}"


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it was ingested."""

    name: str
    sha256: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service is made of. The models are functions: loading one takes a while, and listing
    documents needs none. `embedder` names the configured one.
    """

    store: PassageStore
    embedder: str
    load_embedder: Callable[[str], Embedder]
    load_reader: Callable[[], Reader]
    parser: Parser
    tunings: Tunings
    feedback: FeedbackFile
    pace: PaceFile
    max_file_bytes: int
    read_only: bool = False
    max_question_chars: int = LONGEST_QUESTION
    max_top_k: int = MOST_PASSAGES


class Service:
    """Ask, search, verify, ingest, list and forget. Any thread may call any method.

    `rebuilds` encodes anew.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self._encoders = Encoders(parts.embedder, parts.load_embedder, parts.store)
        self._loading = threading.Lock()
        self.rebuilds = Rebuilds(parts.store, self._encoders, self._compact_soon)
        self._compacting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compact")

    @property
    def writable(self) -> bool:
        """Whether it takes changes; where it doesn't, what would change something is `ReadOnly`."""
        return not self._parts.read_only

    def _check_writable(self) -> None:
        if not self.writable:
            raise ReadOnly

    @property
    def embedder(self) -> Embedder:
        """The configured embedder, loaded at the first use. Raises `ModelUnavailable`."""
        return self._encoders.configured

    @cached_property
    def _reader(self) -> Reader:
        return self._parts.load_reader()

    @property
    def reader(self) -> Reader:
        """The reader, loaded at the first use. Raises `ModelUnavailable`."""
        with self._loading:
            return self._reader

    def ask(
        self,
        question: str,
        top_k: int = 5,
        collection: str = DEFAULT_COLLECTION,
        min_confidence: float | None = None,
        *,
        explain: bool = False,
        filters: Filters = EVERYTHING,
        history: Sequence[Turn] = (),
    ) -> Reply:
        """The answers that the documents support, and the nearest passages; with `explain`, why
        each passage that was found won or lost. Only documents that `filters` let through count.
        With the `history` of the conversation, oldest first, a follow-up question is completed
        first: `rag.rewriting` has the rules.

        Raises `InvalidInput` for a blank or too long question or a bad `top_k`, `NotFound` for an
        unknown collection, `ModelMismatch` where it was made with an embedder that is not the
        configured one and can't be loaded.
        """
        asked = (question, collection, top_k, min_confidence, explain, filters, tuple(history))
        (reply,) = self.ask_all([Query(*asked)])
        return reply

    def ask_all(self, queries: Sequence[Query], *, tuned: bool = True) -> list[Reply]:
        """The replies to several questions of one collection, which take less time together.

        `tuned` False leaves the collection's own calibration aside. Raises as `ask` does.
        """
        tuning = self.tuning(queries[0].collection) if tuned else None
        return self._replies(queries, self.reader, tuning)

    def search(
        self,
        question: str,
        top_k: int = 5,
        collection: str = DEFAULT_COLLECTION,
        *,
        filters: Filters = EVERYTHING,
    ) -> Reply:
        """The nearest passages alone; raises as `ask` does."""
        query = Query(question, collection, top_k, filters=filters)
        (reply,) = self._replies([query], None, None)
        return reply

    def _replies(
        self, queries: Sequence[Query], reader: Reader | None, tuning: Tuning | None
    ) -> list[Reply]:
        for query in queries:
            self._check(query)
        with ExitStack() as stack:
            embedder, snapshot = self._opened(queries[0].collection, stack)
            return answer(queries, snapshot, embedder, reader, tuning)

    def _opened(self, collection: str, stack: ExitStack) -> tuple[Embedder, Snapshot]:
        """The collection as it is now, and the embedder that made its vectors."""
        embedder = self.embedder
        while True:
            try:
                snapshot = self._store.snapshot(collection, embedder.fingerprint)
                return embedder, stack.enter_context(snapshot)
            except ModelMismatch as mismatch:
                # Once more, should a rebuild end just now.
                embedder = self._encoders.of_mismatch(mismatch)

    def _check(self, query: Query) -> None:
        longest, most = self._parts.max_question_chars, self._parts.max_top_k
        if not query.question.strip():
            raise InvalidInput("the question is blank: ask something")
        if len(query.question) > longest:
            raise InvalidInput(f"the question is longer than {longest} characters: shorten it")
        if not 1 <= query.top_k <= most:
            raise InvalidInput(f"top_k is {query.top_k}: give a number from 1 to {most}")

    def tuning(self, collection: str) -> Tuning | None:
        """The collection's own calibration, if it has one for this reader."""
        return self._parts.tunings.of(collection, self.reader.name)

    def tune(self, collection: str, tuning: Tuning) -> Path:
        """Keeps a collection's own calibration; returns the file. From now on it is used."""
        self._check_writable()
        return self._parts.tunings.write(collection, tuning)

    def ingest(
        self,
        paths: Sequence[Path],
        collection: str = DEFAULT_COLLECTION,
        *,
        prune: bool = False,
        globs: Globs = EVERY_FILE,
        progress: Callable[[Progress], None] = ignore_progress,
    ) -> IngestReport:
        """Brings the collection in step with files and folders. Every file has a line in the
        report; a bad one does not stop the rest. `rag.foreseeing` says what it would do.
        """
        self._check_writable()
        stored = self._stored(collection)
        plan = Planner(stored, self._parts.max_file_bytes, prune, globs).plan(paths)
        return self._carried_out(plan, stored, collection, progress)

    def ingest_uploads(
        self,
        files: Sequence[tuple[str, bytes]],
        collection: str = DEFAULT_COLLECTION,
        *,
        progress: Callable[[Progress], None] = ignore_progress,
    ) -> IngestReport:
        """Adds or replaces files given as (name, content); durable when it returns."""
        self._check_writable()
        stored = self._stored(collection)
        plan = uploads(files, self._parts.max_file_bytes)
        return self._carried_out(plan, stored, collection, progress)

    def _stored(self, collection: str) -> list[Stored]:
        check_collection(collection)
        return self._store.stored(collection)

    def _carried_out(
        self,
        plan: Plan,
        stored: Sequence[Stored],
        collection: str,
        progress: Callable[[Progress], None],
    ) -> IngestReport:
        embedder = self._encoders.of(collection)
        ingestion = Ingestion(collection, self._store, embedder, self._parts.parser, progress)
        try:
            report = ingestion.run(plan.files, stored)
        except ModelMismatch as error:
            raise StoreBusy(
                "the collection has just been encoded anew with another model: try again"
            ) from error
        self._encoders.note()
        if ingestion.pace:
            self._parts.pace.note(collection, ingestion.pace)
        gone = [one.stored.document_id for one in plan.gone]
        if gone:
            self._store.remove(collection, gone)
        self._compact_soon(collection)
        removed = [one.outcome for one in plan.gone]
        outcomes = (*report.outcomes, *removed, *plan.refused)
        return replace(report, outcomes=tuple(sorted(outcomes, key=lambda o: o.source)))

    def give_feedback(
        self,
        question: str,
        collection: str,
        verdict: Verdict,
        *,
        document_id: str | None = None,
        span: Span | None = None,
        sentence: Span | None = None,
        expected: str | None = None,
        note: str | None = None,
    ) -> str:
        """Keeps what somebody says of a reply for evaluation; returns the line's id.

        The answer spoken of is named by its place, so that its words are the document's own: none
        where the reply gave none. Raises `NotFound` for an unknown document or collection, also
        where the document is another collection's, and
        `InvalidInput` for a place outside its text or where nothing can be learnt.
        """
        self._check_writable()
        if collection not in (known.name for known in self.collections()):
            raise no_collection(collection)
        if document_id and self.collection_of(document_id) != collection:
            raise no_document(document_id)
        said = self._said(document_id, span, sentence) if document_id and span else None
        row = question_of(Feedback(question, collection, verdict, said, expected, note))
        self._parts.feedback.append(row)
        return str(row["id"])

    def _said(self, document_id: str, span: Span, sentence: Span | None) -> Said:
        document, _ = self.document(document_id)
        around = sentence or span
        if not (0 <= around.start <= span.start < span.end <= around.end <= len(document.text)):
            raise InvalidInput(
                "the citation does not lie in the document's text: send it as it came"
            )
        return Said(span.of(document.text), around.of(document.text), document.origin.source)

    def verify(
        self, claims: Sequence[Claim], sees: Callable[[str], bool] = lambda _: True
    ) -> list[Verification]:
        """How kept citations stand by now, in their order; `rag.verifying` has the rule. Documents
        of a collection that is not seen are not there.
        """
        verifier = Verifier(self._store, self._parts.max_file_bytes, sees)
        return [verifier.verify(claim) for claim in claims]

    def collections(self) -> list[CollectionRecord]:
        return self._store.collections()

    def overview(self, collection: str) -> Overview:
        """A collection, and what its documents can be filtered by. Raises `NotFound`."""
        return self._store.overview(collection, MOST_FOLDERS)

    def documents(
        self,
        collection: str | None = None,
        limit: int = 50,
        after: str | None = None,
        *,
        wanted: str = "",
        within: Collection[str] | None = None,
    ) -> tuple[list[DocumentRecord], str | None]:
        """A page of documents by source and the cursor of the next; None for all collections, of
        which `within` can name those to list.

        Only those with all words of `wanted` in source or title, whatever their case.
        """
        return self._store.documents(collection, limit, after, wanted.split(), within)

    def all_documents(self, collection: str | None = None) -> Iterator[DocumentRecord]:
        """Every document, page by page."""
        after: str | None = None
        while True:
            records, after = self.documents(collection, limit=1_000, after=after)
            yield from records
            if after is None:
                return

    def collection_of(self, document_id: str) -> str:
        """The collection that holds a document. Raises `NotFound`."""
        return self._store.collection_of(document_id)

    def document(self, document_id: str) -> tuple[Document, DocumentRecord]:
        """A document with its text. Raises `NotFound`."""
        return self._store.document(document_id)

    def original(self, document_id: str) -> Original:
        """A document's file, the very bytes that it was ingested from: those that the store keeps,
        else those on the disk.

        Raises `NotFound` for an unknown document and where the file is not to be had any more, and
        `Conflict` where it has changed since.
        """
        origin, data = self._store.original(document_id)
        if data is None:
            data = self._on_disk(origin)
        return Original(PurePosixPath(origin.source).name, origin.sha256, data)

    def _on_disk(self, origin: Origin) -> bytes:
        if origin.root == UPLOADS:
            raise NotFound(
                "the file was uploaded to a version that kept no files: upload it once more"
            )
        try:
            data = read_bytes(Path(origin.root), origin.source, self._parts.max_file_bytes)
        except FileRefused as error:
            raise NotFound(
                f"the file is not to be had any more ({error}): its text is still here"
            ) from error
        if hashlib.sha256(data).hexdigest() != origin.sha256:
            raise Conflict(
                "the file has changed since it was ingested: ingest it again, or read its text here"
            )
        return data

    def remove(self, document_id: str) -> None:
        """Forgets a document with what is attached to it: its words are not found again.

        Raises `NotFound`.
        """
        self._check_writable()
        collection = self.collection_of(document_id)
        self._store.remove(collection, [document_id, *self._store.attached(document_id)])
        self._compact_soon(collection)

    def find(self, source: str, collection: str = DEFAULT_COLLECTION) -> str:
        """The id of the document with this source or id.

        Raises `NotFound`, or `Conflict` where several roots hold the source.
        """
        stored = self._store.stored(collection)
        ids = [s.document_id for s in stored if source in (s.source, s.document_id)]
        if not ids:
            raise NotFound(f"there is no {source} in {collection!r}: `rag documents` lists them")
        if len(ids) > 1:
            raise Conflict(f"{len(ids)} documents are called {source}: name one by its id: {ids}")
        return ids[0]

    def _compact_soon(self, collection: str) -> None:
        self._compacting.submit(self._compact, collection)

    def _compact(self, collection: str) -> None:
        try:
            self._store.compact(collection)
        except Exception:  # the truth is written; a missing cache costs time alone
            _log.exception("the search caches of %r were not written", collection)

    def close(self) -> None:
        """Finishes what runs in the background and lets go of the store."""
        self._compacting.shutdown()
        self._parts.parser.close()
        self._store.close()


def check_collection(name: str) -> None:
    """Raises `InvalidInput` for what can't be a collection's name."""
    if not re.fullmatch(COLLECTION_NAME, name):
        raise InvalidInput(
            f"{name!r} can't name a collection: use up to 63 lower-case letters, "
            "digits, _ or -, the first a letter or digit"
        )
