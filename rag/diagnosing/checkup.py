"""Reads a whole index and says what does not agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from embeddings.base import Embedder
from rag.diagnosing.beside import beside_the_store
from rag.diagnosing.facts import Facts
from rag.diagnosing.findings import Checkup, Fault, Finding
from rag.diagnosing.sampling import Sample, Sampled
from rag.errors import StoreUnreadable
from rag.store.base import vector_key
from rag.store.examining import DocumentRow, Examination, PassageRow
from rag.store.rows import decoded_vectors
from rag.store.statements import CollectionState
from rag.store.upkeep import Upkeep
from rag.types import Document, DocumentRecord, with_context

_SAME = 0.999  # cosine; engines that share a fingerprint reach .9999
_UNIT = 0.002  # half precision keeps 11 bits of each component, so lengths are nearer to 1

Show = Callable[[int, int], None]
"""Told how many documents of how many have been read."""


class Checker:
    """One check of the index in `home` against itself and the configured models."""

    def __init__(
        self,
        home: Path,
        upkeep: Upkeep,
        embedder: Embedder,
        reader_name: Callable[[], str],
        show: Show,
    ) -> None:
        self._home = home
        self._upkeep = upkeep
        self._embedder = embedder
        self._reader_name = reader_name
        self._show = show
        self._states: dict[str, CollectionState] = {}
        self._rows: dict[str, DocumentRow] = {}
        self._sample = Sample()
        self._behind: dict[str, int] = {}
        self._documents = self._passages = self._damaged = 0
        self._is_rebuilt = False

    def run(self) -> Checkup:
        findings: list[Finding] = []
        self._is_rebuilt = self._upkeep.overhaul.is_under_way()
        try:
            with self._upkeep.examination() as examined:
                for finding in self._in_the_store(examined):
                    findings.append(finding)  # noqa: PERF402 - those before an error count
        except StoreUnreadable as error:
            findings.append(Finding(Fault.FILE, str(error)))
        findings += beside_the_store(self._home, list(self._states), self._reader_name)
        order = list(Fault)
        return Checkup(
            documents=self._documents,
            passages=self._passages,
            reencoded=len(self._sample.kept),
            behind=self._behind,
            findings=tuple(sorted(_merged(findings), key=lambda f: order.index(f.fault))),
        )

    def _in_the_store(self, examined: Examination) -> Iterator[Finding]:
        if damages := examined.damages():
            self._damaged += 1
            more = f" and {len(damages) - 1} more" if len(damages) > 1 else ""
            yield Finding(Fault.FILE, f"SQLite's check of the file says: {damages[0]}{more}")
        self._states = {state.name: state for state in examined.collections()}
        for state in self._states.values():
            if state.embedder not in (None, self._embedder.fingerprint):
                what = f"it was made with {state.embedder}, and another model is configured"
                yield Finding(Fault.MODEL, what, state.name)
        total = examined.count()
        for row in examined.documents():
            self._documents += 1
            self._passages += len(row.passages)
            self._rows[row.document_id] = _name_of(row)
            yield from self._in_document(row)
            self._show(self._documents, total)
        yield from self._in_sample()
        yield from self._in_orphans(examined)
        for state in self._states.values():
            yield from self._in_cache(examined, state)
        by_row = {row.row_id: row for row in self._rows.values()}
        for row_id in examined.damaged_originals():
            yield _of(
                by_row[row_id], Fault.ORIGINAL, "the uploaded bytes that are kept are damaged"
            )
        if leftovers := tuple(examined.leftovers()):
            names = ", ".join(str(path.relative_to(self._home)) for path in leftovers)
            yield Finding(Fault.LEFTOVERS, f"nobody uses {names}", leftovers=leftovers)

    def _in_document(self, row: DocumentRow) -> Iterator[Finding]:
        if row.sound is None:
            self._damaged += 1
            yield _of(row, Fault.DOCUMENT, row.damage)
            return
        document, record = row.sound
        if wrong := self._wrong_passages(row, document, record):
            yield _of(row, Fault.PASSAGES, "; ".join(wrong))
        elif self._is_ours(row):
            yield from self._in_vectors(row, document)

    def _wrong_passages(
        self, row: DocumentRow, document: Document, record: DocumentRecord
    ) -> list[str]:
        facts = Facts(document)
        wrong = []
        if row.collection not in self._states:
            wrong.append("its collection is not listed")
        if record.paragraphs != facts.paragraphs:
            wrong.append(f"it has {facts.paragraphs} paragraphs, not {record.paragraphs}")
        if record.passages != len(row.passages):
            wrong.append(f"{len(row.passages)} of {record.passages} passages are there")
        if not _is_moment(record.ingested_at):
            wrong.append("the time of its ingest can't be read")
        ordinals = [stored.passage.ordinal for stored in row.passages if stored.passage]
        if sorted(set(ordinals)) != ordinals:
            wrong.append("some are there twice")
        bad = sum(not self._is_right(row, document, facts, stored) for stored in row.passages)
        if bad:
            wrong.append(f"{bad} of its {len(row.passages)} passages are damaged or misplaced")
        return wrong

    def _is_right(
        self, row: DocumentRow, document: Document, facts: Facts, stored: PassageRow
    ) -> bool:
        passage = stored.passage
        if passage is None or passage != facts.passage(passage.ordinal, passage.span):
            return False
        state = self._states.get(row.collection)
        generation = state.generation if state else 0
        if stored.collection != row.collection or not _is_between(stored.generation, generation):
            return False
        encoded = with_context(document.origin.title, passage.heading, passage.text)
        expected = vector_key(self._embedder.fingerprint, encoded)
        return stored.vector_key == expected or not self._is_ours(row)

    def _is_ours(self, row: DocumentRow) -> bool:
        """Whether the configured embedder made the document's vectors."""
        state = self._states.get(row.collection)
        return state is not None and state.embedder in (None, self._embedder.fingerprint)

    def _in_vectors(self, row: DocumentRow, document: Document) -> Iterator[Finding]:
        bad = 0
        for stored in row.passages:
            passage, vector = stored.passage, stored.vector
            if passage and vector and _is_unit(vector, self._embedder.dimension):
                encoded = with_context(document.origin.title, passage.heading, passage.text)
                self._sample.offer(Sampled(_name_of(row), encoded, vector))
            else:
                bad += 1
        if bad:
            what = f"{bad} of its {len(row.passages)} vectors are missing or damaged"
            yield _of(row, Fault.VECTORS, what)

    def _in_sample(self) -> Iterator[Finding]:
        kept = self._sample.kept
        if not kept:
            return
        fresh = self._embedder.embed_passages([sampled.encoded for sampled in kept])
        stored = decoded_vectors(sampled.vector for sampled in kept)
        cosines = np.einsum("ij,ij->i", fresh, stored)
        for sampled, cosine in zip(kept, cosines, strict=True):
            if cosine < _SAME:
                what = f"encoded again, a passage has another vector (cosine {cosine:.3f})"
                yield _of(sampled.row, Fault.VECTORS, what)

    def _in_orphans(self, examined: Examination) -> Iterator[Finding]:
        orphans = examined.orphans()
        # A rebuild's vectors have no passage until it ends.
        vectors = 0 if self._is_rebuilt or self._upkeep.overhaul.is_under_way() else orphans.vectors
        if orphans.passages or vectors:
            what = f"{orphans.passages} passages without a document"
            yield Finding(Fault.ORPHANS, f"{what}, {vectors} vectors without a passage")
        # Where rows are damaged or lost, they may be all that is left of a document.
        if orphans.originals and not (self._damaged or orphans.passages):
            yield Finding(
                Fault.UNUSED, f"the bytes of {orphans.originals} uploads that no document uses"
            )

    def _in_cache(self, examined: Examination, state: CollectionState) -> Iterator[Finding]:
        facts = examined.cache(state)
        self._behind[state.name] = facts.behind
        if facts.wrong:
            what = f"the search cache: {'; '.join(facts.wrong)}"
            yield Finding(Fault.CACHE, what, state.name)
        for document_id in sorted(facts.differing & self._rows.keys()):
            row = self._rows[document_id]
            yield _of(row, Fault.VECTORS, "a vector is another one in the search cache")


def _name_of(row: DocumentRow) -> DocumentRow:
    """The row without its text and passages, which would fill the memory."""
    return replace(row, sound=None, passages=())


def _of(row: DocumentRow, fault: Fault, what: str) -> Finding:
    return Finding(fault, what, row.collection, row.source, row.document_id, row.row_id)


def _is_moment(words: object) -> bool:
    try:
        return datetime.fromisoformat(str(words)).tzinfo is not None
    except ValueError:
        return False


def _is_between(generation: int | None, last: int) -> bool:
    return generation is not None and 0 < generation <= last


def _is_unit(vector: bytes, dimension: int) -> bool:
    if len(vector) != 2 * dimension:
        return False
    length = float(np.linalg.norm(decoded_vectors([vector])[0]))
    return abs(length - 1) <= _UNIT  # no number is near to anything that is none


def _merged(findings: list[Finding]) -> list[Finding]:
    """One finding for each thing: the first word on it."""
    return list({finding.name: finding for finding in reversed(findings)}.values())[::-1]
