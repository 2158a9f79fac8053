"""The write path: files and uploads to documents, passages and vectors in the store."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from embeddings.base import Embedder
from rag.entries import SourceFile, embed, entry_of, texts_by_key
from rag.errors import FileRefused
from rag.loading.formats import loader_of, why_unsupported
from rag.loading.parser import Parser
from rag.splitting import Splitter
from rag.store.base import Entry, PassageStore, Stored, Vector
from rag.types import Attachment, IngestReport, Outcome, Status

BATCH = 512  # passages that are encoded and committed together
_SLICE = 64  # passages that are encoded between two signs of progress
_MOST_ATTACHED = 200  # documents that one file brings with it
_DEEPEST = 3  # mails within mails

_Identity = tuple[str, str]  # root and source


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

    `gone` are the ids of what the former version of a file had attached and the new one has not.
    """

    entries: list[Entry] = field(default_factory=list)
    texts: dict[bytes, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    size: int = 0

    def put(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.texts.update(texts_by_key(entry))


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
        self._known: Mapping[_Identity, Stored] = {}
        self._attached: Mapping[_Identity, Sequence[Stored]] = {}

    def run(self, files: Sequence[SourceFile]) -> IngestReport:
        """Adds and replaces; a file that fails is reported and the rest go on."""
        stored = self._store.stored(self._collection)
        self._known = {(s.root, s.source): s for s in stored}
        self._attached = _by_file(self._known)
        total = sum(file.size for file in files)
        self._progress = Progress(0, len(files), 0, total, 0)
        outcomes: list[Outcome] = []
        pending = _Pending()
        for file in files:
            taken = self._taken(file, pending)
            outcomes += taken
            waits = taken[0].status in (Status.ADDED, Status.REPLACED)
            pending.size += file.size if waits else 0
            self._advance(files=1, size=0 if waits else file.size)
            if len(pending.texts) >= BATCH:
                self._commit(pending)
                pending = _Pending()
        self._commit(pending)
        return IngestReport(tuple(outcomes), self._progress.encoded, self._reused)

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
                return _outcomes(Status.UNCHANGED, [known, *attached])
            file = replace(file, size=len(data))  # it may have grown since it was found
            entry, attachments = self._read(file, data, sha256)
        except FileRefused as error:
            return [refused(file.source, error, known)]
        outcomes = [self._put(entry, pending), *self._taken_with(file, attachments, pending)]
        there = {outcome.document_id for outcome in outcomes}
        gone = [s for s in attached if s.document_id not in there]
        pending.gone += [s.document_id for s in gone]
        return outcomes + _outcomes(Status.REMOVED, gone)

    def _are_current(self, file: SourceFile, *stored: Stored) -> bool:
        """Whether documents were made as they would be now."""
        return all(
            not why_unsupported(s.source)
            and (s.loader, s.splitter) == (loader_of(s.source), self._splitter.name)
            and (s.has_original or not file.is_upload)
            for s in stored
        )

    def _read(
        self, file: SourceFile, data: bytes, sha256: str
    ) -> tuple[Entry, tuple[Attachment, ...]]:
        parsed = self._parser.parse(file.source, data)
        entry = entry_of(
            self._collection, file, sha256, parsed, self._splitter, self._embedder.fingerprint
        )
        return replace(entry, original=data if file.is_kept else None), parsed.attachments

    def _put(self, entry: Entry, pending: _Pending) -> Outcome:
        pending.put(entry)
        origin = entry.document.origin
        known = (origin.root, origin.source) in self._known
        status = Status.REPLACED if known else Status.ADDED
        return Outcome(origin.source, status, origin.document_id)

    def _taken_with(
        self, file: SourceFile, attachments: Sequence[Attachment], pending: _Pending
    ) -> Iterator[Outcome]:
        """What became of a file's attachments and of theirs, each after what it came in."""
        waiting = [(1, file.source, attachment) for attachment in reversed(attachments)]
        taken = 0
        while waiting:
            depth, outer, attachment = waiting.pop()
            source, data = f"{outer}/{attachment.name}", attachment.data
            try:
                if depth > _DEEPEST:
                    raise FileRefused(f"more than {_DEEPEST} mails deep: save it as a file")
                if taken >= _MOST_ATTACHED:
                    raise FileRefused(f"more than {_MOST_ATTACHED} attachments: save it as a file")
                part = SourceFile(file.root, source, len(data), partial(bytes, data), attached=True)
                entry, inner = self._read(part, data, hashlib.sha256(data).hexdigest())
            except FileRefused as error:
                yield refused(source, error)
                continue
            taken += 1
            waiting += [(depth + 1, source, one) for one in reversed(inner)]
            yield self._put(entry, pending)

    def _commit(self, pending: _Pending) -> None:
        if not pending.entries:
            return
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
        self._advance(size=pending.size)


def _outcomes(status: Status, stored: Sequence[Stored]) -> list[Outcome]:
    return [Outcome(s.source, status, s.document_id) for s in stored]


def refused(source: str, error: FileRefused, known: Stored | None = None) -> Outcome:
    """The line of a file that can't be indexed; a former version of it is not thrown away."""
    kept = "; its former version stays indexed" if known else ""
    document_id = known.document_id if known else None
    return Outcome(source, Status.REFUSED, document_id, f"{error}{kept}", type(error))


def _by_file(known: Mapping[_Identity, Stored]) -> Mapping[_Identity, Sequence[Stored]]:
    """The documents that came inside another one, by the outermost that they came in."""
    found: dict[_Identity, list[Stored]] = defaultdict(list)
    for (root, source), stored in known.items():
        for end in (at for at, character in enumerate(source) if character == "/"):
            if (root, source[:end]) in known:
                found[root, source[:end]].append(stored)
                break
    return found
