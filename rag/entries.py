"""What is stored of a file: its document, cut into passages, each with the key of its vector."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from embeddings.base import Embedder
from rag.errors import FileRefused
from rag.loading.formats import loader_of
from rag.splitting import Splitter
from rag.store.base import Entry, Stored, Vector, vector_key
from rag.text import paragraphs
from rag.types import Document, Origin, Parsed, Passage, with_context

UPLOADS = "uploads"
"""The root of everything that came over HTTP."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be ingested: who it is, and how to read it when its turn comes.

    What was uploaded, or came `attached` inside another file, is not to be had a second time, so
    the store keeps its bytes. `moved_from` is the document of the same bytes whose file is no
    longer where it was.
    """

    root: str
    source: str
    size: int
    read: Callable[[], bytes]
    moved_from: Stored | None = None
    attached: bool = False

    @property
    def is_upload(self) -> bool:
        return self.root == UPLOADS

    @property
    def is_kept(self) -> bool:
        return self.is_upload or self.attached


def document_id(collection: str, root: str, source: str) -> str:
    """The identity of a document: 128 bits in hex, the same after every replacement."""
    identity = "\0".join([collection, root, source])
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def entry_of(
    collection: str,
    file: SourceFile,
    sha256: str,
    parsed: Parsed,
    splitter: Splitter,
    fingerprint: str,
) -> Entry:
    """What a parsed file becomes. Raises `FileRefused` where nothing of it can be indexed.

    Of a file's name nothing comes in but what `keeps_its_parse` says.
    """
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


def keeps_its_parse(former: Stored, source: str) -> bool:
    """Whether the bytes of a stored document become the same one, but for its identity, at another
    path: by the same reader, and with the same title, which is the name where a file gives none.
    """
    name, was = PurePosixPath(source).stem, PurePosixPath(former.source).stem
    return former.loader == loader_of(source) and (name == was or former.title != was)


def moved_entry(
    document: Document, file: SourceFile, splitter: Splitter, fingerprint: str
) -> Entry:
    """What a stored document becomes whose file is at another path now, and keeps its parse."""
    origin = document.origin
    new_id = document_id(origin.collection, file.root, file.source)
    origin = replace(origin, document_id=new_id, root=file.root, source=file.source, size=file.size)
    return split_entry(replace(document, origin=origin), splitter, fingerprint)


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
