"""What the tests of stores share: made-up documents with made-up vectors, and where they stand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.analysis import terms
from rag.store.base import Entry, PassageStore, Scored, Snapshot, Vector, vector_key
from rag.store.embedded import EmbeddedStore
from rag.types import Document, Heading, Origin, Passage, Span, with_context

Found = list[tuple[str, int, float]]
"""Source, ordinal and score of passages, best first."""


def file_of(text: str) -> bytes:
    """The made-up file that a text was read from."""
    return b"file " + text.encode()


class Author:
    """Writes documents with one passage a paragraph, and encodes them by hashing.

    `dimension` and `model` are those of the made-up embedder.
    """

    def __init__(
        self, model: str = "model-a", dimension: int = 8, collection: str = "default"
    ) -> None:
        self.model = model
        self.dimension = dimension
        self.collection = collection

    def id_of(self, source: str, root: str = "/root") -> str:
        identity = f"{self.collection}\0{root}\0{source}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    def document(
        self,
        source: str,
        *texts: str,
        title: str = "",
        root: str = "/root",
        date: str | None = "2024-05-06",
    ) -> Document:
        text = "\n\n".join(texts)
        origin = Origin(
            document_id=self.id_of(source, root),
            collection=self.collection,
            root=root,
            source=source,
            title=title,
            date=date,
            language="en",
            sha256=hashlib.sha256(file_of(text)).hexdigest(),
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            loader="text/1",
            size=len(file_of(text)),
        )
        return Document(
            origin,
            text,
            headings=(Heading(Span(0, 1), 1, "Größe"),),
            pages=(0, 5),
            page_labels=("i", "1"),
            skipped=(Span(0, 1),),
        )

    def entry(
        self,
        source: str,
        *texts: str,
        title: str = "",
        root: str = "/root",
        date: str | None = "2024-05-06",
    ) -> Entry:
        document = self.document(source, *texts, title=title, root=root, date=date)
        passages = []
        start = 0
        for ordinal, text in enumerate(texts):
            span = Span(start, start + len(text))
            passages.append(
                Passage(
                    document_id=document.origin.document_id,
                    ordinal=ordinal,
                    span=span,
                    text=text,
                    before=document.text[max(0, start - 32) : start],
                    after=document.text[span.end : span.end + 32],
                    paragraphs=(span,),
                    paragraph=ordinal + 1,
                    page=1,
                    page_label="i",
                    heading=("Größe", "Maße"),
                )
            )
            start = span.end + 2
        keys = [vector_key(self.model, text) for text in self.encoded(document, passages)]
        original = file_of(document.text)
        return Entry(document, len(texts), "splitter/1", passages, keys, original)

    def encoded(self, document: Document, passages: Sequence[Passage]) -> list[str]:
        title = document.origin.title
        return [with_context(title, passage.heading, passage.text) for passage in passages]

    def vector(self, text: str) -> Vector:
        """A unit vector that depends on the text alone."""
        seed = hashlib.sha256(f"{self.model}\0{text}".encode()).digest()[:8]
        rng = np.random.default_rng(int.from_bytes(seed))
        vector = rng.standard_normal(self.dimension).astype(np.float32)
        return vector / np.float32(np.linalg.norm(vector))

    def vectors(self, *entries: Entry) -> dict[bytes, Vector]:
        return {
            key: self.vector(text)
            for entry in entries
            for key, text in zip(
                entry.vector_keys, self.encoded(entry.document, entry.passages), strict=True
            )
        }

    def put(self, store: PassageStore, *entries: Entry, remove: Sequence[str] = ()) -> int:
        """Commits entries and removals by source; returns the generation."""
        gone = [self.id_of(source) for source in remove]
        vectors = self.vectors(*entries)
        return store.commit(self.collection, self.model, put=entries, vectors=vectors, remove=gone)

    def nearest(self, store: PassageStore, question: str, limit: int = 100) -> Found:
        with store.snapshot(self.collection, self.model) as snapshot:
            return found(snapshot, snapshot.search_vectors(self.vector(question), limit))

    def worded(self, store: PassageStore, question: str, limit: int = 100) -> Found:
        with store.snapshot(self.collection, self.model) as snapshot:
            return found(snapshot, snapshot.search_words(terms(question), limit))


def found(snapshot: Snapshot, hits: Scored) -> Found:
    places = snapshot.places([i for i, _ in hits])
    return [(places[i].origin.source, places[i].passage.ordinal, score) for i, score in hits]


@pytest.fixture
def author() -> Author:
    return Author()


@pytest.fixture
def other_author() -> Author:
    """Another model, with vectors of another length."""
    return Author("model-b", 12)


@pytest.fixture
def new_author() -> Callable[..., Author]:
    return Author


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def open_embedded(home: Path) -> Iterator[Callable[..., EmbeddedStore]]:
    """Opens the embedded store of `home`, or of another folder, as often as it is called."""
    opened: list[EmbeddedStore] = []

    def open_store(folder: Path = home, busy_seconds: float = 5.0) -> EmbeddedStore:
        opened.append(EmbeddedStore(folder, busy_seconds))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()
