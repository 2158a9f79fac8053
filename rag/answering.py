"""The read path: a question to a reply, over one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import NamedTuple

from embeddings.base import Embedder
from rag.citing import cite, cite_passage, place_of
from rag.duplicates import Wording, near_identical, same_span, words_of
from rag.explaining import explained
from rag.filters import EVERYTHING, Filters
from rag.reading.base import Reader
from rag.retrieval import retrieve
from rag.rewriting import rewrite
from rag.store.base import Snapshot
from rag.tuning import Tuning
from rag.types import (
    Answer,
    Candidate,
    Citation,
    Hit,
    RankedPassage,
    Reason,
    Reply,
    Turn,
)

READ = 10  # hits that the reader reads
MOST_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Query:
    """A question as it was asked. A `min_confidence` takes the place of the reader's own threshold:
    0 forces an answer where there is any candidate. A reader that gives no confidence is never
    known to reach one above 0. `filters` limit the documents that are looked in. With the `history`
    of the conversation, oldest first, a follow-up question is completed before it is searched for.
    """

    question: str
    collection: str
    top_k: int
    min_confidence: float | None = None
    explain: bool = False
    filters: Filters = EVERYTHING
    history: tuple[Turn, ...] = ()


def answer(
    queries: Sequence[Query],
    snapshot: Snapshot,
    embedder: Embedder,
    reader: Reader | None,
    tuning: Tuning | None = None,
) -> list[Reply]:
    """For each query the supported answers, best first, and its nearest passages; without a reader,
    passages alone. The passages that were read are in the order of their best candidates. A
    `tuning` takes the place of the reader's own calibration. Times of several queries are shared.
    """
    began = perf_counter()
    wanted = [rewrite(query.history, query.question) or query.question for query in queries]
    # Twice as many as are shown, because near-identical ones are shown once.
    found = [
        retrieve(
            question,
            snapshot.within(query.filters),
            embedder,
            max(READ, 2 * query.top_k),
        )
        for question, query in zip(wanted, queries, strict=True)
    ]
    retrieved = perf_counter()
    asked = [(question, hits[:READ]) for question, hits in zip(wanted, found, strict=True)]
    read = reader.read_all(asked) if reader else [[] for _ in queries]
    ended = perf_counter()
    took_ms = {
        "total": _ms(began, ended) / len(queries),
        "retrieve": _ms(began, retrieved) / len(queries),
        "read": _ms(retrieved, ended) / len(queries),
    }
    made_by = _MadeBy(snapshot, embedder, reader, tuning)
    return [
        _reply(query, question, hits, candidates, made_by, took_ms)
        for query, (question, _), hits, candidates in zip(queries, asked, found, read, strict=True)
    ]


class _MadeBy(NamedTuple):
    """What a reply says that it was made by."""

    snapshot: Snapshot
    embedder: Embedder
    reader: Reader | None
    tuning: Tuning | None


def _reply(
    query: Query,
    searched: str,
    hits: Sequence[Hit],
    read: Sequence[Candidate],
    made_by: _MadeBy,
    took_ms: Mapping[str, float],
) -> Reply:
    snapshot, embedder, reader, tuning = made_by
    candidates = [tuning.applied(candidate) for candidate in read] if tuning else list(read)
    standing = [c for c in candidates if _stands(c, query.min_confidence)]
    groups = _grouped(standing)
    return Reply(
        question=query.question,
        collection=query.collection,
        answers=tuple(_answer(group) for group in groups[:MOST_ANSWERS]),
        reason=None if groups or not reader else _reason(snapshot, hits),
        passages=_ranked(_reordered(hits, candidates), query.top_k),
        generation=snapshot.generation,
        embedder=embedder.fingerprint,
        reader=reader.name if reader else None,
        took_ms=took_ms,
        calibrated=tuning.date if tuning else None,
        considered=explained(searched, hits, candidates, standing, groups, READ, MOST_ANSWERS)
        if query.explain
        else (),
        rewritten=None if searched == query.question else searched,
    )


def _reordered(hits: Sequence[Hit], candidates: Sequence[Candidate]) -> list[Hit]:
    """The hits by their best candidates, then those without one; scores stay in falling order."""
    read = {id(candidate.hit): candidate.hit for candidate in candidates}
    ordered = [*read.values(), *(hit for hit in hits if id(hit) not in read)]
    return [replace(hit, score=at.score) for hit, at in zip(ordered, hits, strict=True)]


def _stands(candidate: Candidate, min_confidence: float | None) -> bool:
    if min_confidence is None:
        return candidate.supported
    if candidate.confidence is None:
        return candidate.supported and min_confidence == 0
    return candidate.confidence >= min_confidence


def _reason(snapshot: Snapshot, hits: Sequence[Hit]) -> Reason:
    if hits:
        return Reason.LOW_CONFIDENCE
    return Reason.NO_PASSAGE if snapshot.passages else Reason.EMPTY_INDEX


def _grouped(candidates: Iterable[Candidate]) -> list[list[Candidate]]:
    """Distinct answers: a sentence that several files share is one answer, cited in each, and of
    several sentences with the same answer the best one speaks.
    """
    alike: dict[tuple[str, ...], list[Candidate]] = {}
    for candidate in candidates:
        alike.setdefault(words_of(_sentence(candidate)), []).append(candidate)
    distinct: dict[tuple[str, ...], list[Candidate]] = {}
    for group in alike.values():
        distinct.setdefault(words_of(_text(group[0])), group)
    return list(distinct.values())


def _answer(group: Sequence[Candidate]) -> Answer:
    citation, *also_in = (cited for candidate in group for cited in _citations(candidate))
    return Answer(
        text=citation.quote,
        sentence=_sentence(group[0]),
        confidence=group[0].confidence,
        citation=citation,
        also_in=tuple(also_in),
    )


def _sentence(candidate: Candidate) -> str:
    passage = candidate.hit.passage
    return candidate.sentence.shifted(-passage.span.start).of(passage.text)


def _text(candidate: Candidate) -> str:
    passage = candidate.hit.passage
    return candidate.span.shifted(-passage.span.start).of(passage.text)


def _citations(candidate: Candidate) -> Iterator[Citation]:
    """Where the candidate stands, then where the same words stand in copies of its passage."""
    yield cite(place_of(candidate.hit), candidate.span, candidate.sentence)
    passage = candidate.hit.passage
    for copy in candidate.hit.copies:
        span = same_span(passage, candidate.span, copy.passage)
        yield cite(copy, span, same_span(passage, candidate.sentence, copy.passage))


def _ranked(hits: Sequence[Hit], top_k: int) -> tuple[RankedPassage, ...]:
    """The first `top_k` passages, near-identical ones joined to the best of them."""
    groups: list[tuple[Wording, list[Hit]]] = []
    for hit in hits:
        words = Wording(hit.passage.text)
        group = next((g for known, g in groups if near_identical(known, words)), None)
        if group is not None:
            group.append(hit)
        elif len(groups) < top_k:
            groups.append((words, [hit]))
    return tuple(_passage(rank, group) for rank, (_, group) in enumerate(groups, start=1))


def _passage(rank: int, group: Sequence[Hit]) -> RankedPassage:
    places = (place for hit in group for place in (place_of(hit), *hit.copies))
    citation, *also_in = map(cite_passage, places)
    return RankedPassage(
        rank=rank,
        score=group[0].score,
        text=group[0].passage.text,
        citation=citation,
        also_in=tuple(also_in),
    )


def _ms(start: float, end: float) -> float:
    return round((end - start) * 1000, 3)
