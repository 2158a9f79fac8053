"""Checks an index and mends what can be mended without losing a text."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from embeddings.base import Embedder
from rag.diagnosing.checkup import Checker, Show
from rag.diagnosing.findings import Checkup, Diagnosis, Fault, Finding, Name
from rag.entries import (
    UPLOADS,
    SourceFile,
    document_id,
    embed,
    entry_of,
    split_entry,
    texts_by_key,
)
from rag.errors import FileRefused, ModelMismatch, StoreUnreadable
from rag.loading.files import read_bytes
from rag.loading.parser import Parser
from rag.reading.base import Reader
from rag.splitting import Splitter
from rag.store.base import Entry
from rag.store.examining import DocumentRow
from rag.store.upkeep import Upkeep

_MOST_ROUNDS = 5  # a repair can show what stood behind a fault, such as a cache of orphaned rows
_MOST_TRIES = 2  # and can be undone by another, such as a cache's by that of its rows


@dataclass(frozen=True, slots=True)
class Tools:
    """What a doctor works with; the models are functions, as for a service."""

    home: Path
    upkeep: Upkeep
    load_embedder: Callable[[], Embedder]
    load_reader: Callable[[], Reader]
    parser: Parser
    max_file_bytes: int


class Doctor:
    """Checks and repairs one index, while others may use it."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._upkeep = tools.upkeep

    @cached_property
    def _embedder(self) -> Embedder:
        return self._tools.load_embedder()

    @cached_property
    def _splitter(self) -> Splitter:
        return Splitter(self._embedder.count_tokens, self._embedder.max_tokens)

    @cached_property
    def _reader_name(self) -> str:
        return self._tools.load_reader().name

    def check(self, show: Show) -> Diagnosis:
        """Reads everything and changes nothing. Raises `ModelUnavailable`."""
        return Diagnosis(self._checked(show))

    def repair(self, show: Show) -> Diagnosis:
        """Checks, mends what can be mended, and checks again.

        Raises `StoreBusy` where another process writes, what is mended by then stays so, or where a
        rebuild is under way.
        """
        with self._upkeep.overhaul.held():
            return self._repaired(show)

    def _repaired(self, show: Show) -> Diagnosis:
        before = now = self._checked(show)
        reasons: dict[Name, str] = {}
        tries: Counter[Name] = Counter()
        for _ in range(_MOST_ROUNDS):
            repairable = [finding for finding in now.findings if finding.fault.can_be_repaired]
            todo = [f for f in repairable if f.name not in reasons and tries[f.name] < _MOST_TRIES]
            if not todo:
                break
            tries.update(finding.name for finding in todo)
            for finding in todo:
                try:
                    self._mend(finding)
                except (FileRefused, ModelMismatch, StoreUnreadable) as error:
                    reasons[finding.name] = str(error)
            now = self._checked(show)
        left = tuple(_explained(finding, reasons) for finding in now.findings)
        return Diagnosis(before, replace(now, findings=left))

    def close(self) -> None:
        self._tools.parser.close()
        self._upkeep.close()

    def _checked(self, show: Show) -> Checkup:
        tools = self._tools
        return Checker(
            tools.home, tools.upkeep, self._embedder, lambda: self._reader_name, show
        ).run()

    def _mend(self, finding: Finding) -> None:
        match finding.fault:
            case Fault.FILE:
                self._upkeep.reindex()
            case Fault.DOCUMENT | Fault.PASSAGES | Fault.VECTORS:
                self._mend_row(finding)
            case Fault.ORPHANS:
                self._upkeep.drop_orphans()
            case Fault.UNUSED:
                self._upkeep.drop_unused_originals()
            case Fault.CACHE:
                self._upkeep.rebuild_cache(finding.collection or "")
            case _:
                self._upkeep.sweep(finding.leftovers)

    def _mend_row(self, finding: Finding) -> None:
        with self._upkeep.examination() as examined:
            row = examined.document(finding.row_id or 0)
            original = examined.original(row.sha256) if row else None
            collections = [state.name for state in examined.collections()]
        if row is None:
            return  # removed meanwhile
        embedder = self._embedder
        if row.sound:
            entry = split_entry(row.sound[0], self._splitter, embedder.fingerprint)
        else:
            entry = self._read_again(row, original, collections)
        # All of a document's vectors, since one that is wrong is not told from the others.
        self._upkeep.mend(row, embedder.fingerprint, entry, embed(embedder, texts_by_key(entry)))

    def _read_again(
        self, row: DocumentRow, original: bytes | None, collections: Sequence[str]
    ) -> Entry:
        """What the document's file says, if it is the file that the row was made from."""
        data = original or self._file_of(row)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 != row.sha256:
            raise FileRefused("the file there now is another one: ingest it again")
        return entry_of(
            _collection_of(row, collections),
            SourceFile(row.root, row.source, len(data), lambda: data),
            sha256,
            self._tools.parser.parse(row.source, data),
            self._splitter,
            self._embedder.fingerprint,
        )

    def _file_of(self, row: DocumentRow) -> bytes:
        if row.root == UPLOADS:
            raise FileRefused("its uploaded bytes are not kept, or damaged: upload it again")
        return read_bytes(Path(row.root), row.source, self._tools.max_file_bytes)


def _collection_of(row: DocumentRow, collections: Sequence[str]) -> str:
    """The collection that the row's identity was made from, whatever the row says of it."""
    for collection in collections:
        if document_id(collection, row.root, row.source) == row.document_id:
            return collection
    if row.collection in collections:
        return row.collection
    raise FileRefused("its collection is damaged, too: ingest the file again")


def _explained(finding: Finding, reasons: Mapping[Name, str]) -> Finding:
    reason = reasons.get(finding.name)
    return replace(finding, what=f"{finding.what}; not repaired: {reason}") if reason else finding
