"""Questions asked of a reader open domain, and what it found: to fit on and to report."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.evaluation.metrics import f1, holds, is_sound
from rag.evaluation.squad import SquadParagraph
from rag.reading.confidence import Evidence
from rag.reading.span_reader import Reading, SpanReader, around, sentences_of
from rag.training.library import Library
from rag.types import Passage

_HALF = 0.5


class Kind(StrEnum):
    """What a question is to a collection."""

    ANSWERABLE = "answerable"
    NEAR_MISS = "near miss"  # impossible, and about an article of the collection
    STRANGER = "stranger"  # about another article


@dataclass(frozen=True, slots=True)
class Trial:
    """A question with its accepted answers; `home` is the number of its paragraph, if it has one
    in the collection.
    """

    kind: Kind
    question: str
    accepted: tuple[str, ...]
    home: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """The best span of the passage with this number, its evidence, and whether it is right: the
    marked words themselves (`exact`), or at least the sentence that is shown with them (`right`).
    """

    passage: int
    text: str
    evidence: Evidence
    exact: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Read:
    """A trial and the best span of each passage that has one, in retrieval's order."""

    trial: Trial
    found: Sequence[Found]


def is_exact(answer: str, accepted: Sequence[str]) -> bool:
    """Whether at least half the words are shared with an accepted answer (F1), or the answer holds
    one. A question without an accepted answer has no right one.
    """
    return bool(accepted) and (f1(answer, accepted) >= _HALF or holds(answer, accepted))


def halves(paragraphs: Sequence[SquadParagraph]) -> tuple[list[SquadParagraph], ...]:
    """Every second article, and the others."""
    number = {title: n for n, title in enumerate(dict.fromkeys(p.title for p in paragraphs))}
    return tuple([p for p in paragraphs if number[p.title] % 2 == half] for half in (0, 1))


def drawn(
    inside: Sequence[SquadParagraph],
    outside: Sequence[SquadParagraph],
    counts: Mapping[Kind, int],
    seed: int,
) -> list[Trial]:
    """A sample of each kind; `inside` are the first paragraphs of the collection, `outside` are
    paragraphs of articles that it doesn't hold.
    """
    rng = random.Random(seed)  # noqa: S311
    pools: dict[Kind, list[Trial]] = {kind: [] for kind in Kind}
    for home, paragraph in enumerate(inside):
        for question in paragraph.questions:
            kind = Kind.ANSWERABLE if question.answers else Kind.NEAR_MISS
            accepted = tuple(answer.of(paragraph.text) for answer in question.answers)
            pools[kind].append(Trial(kind, question.question, accepted, home))
    pools[Kind.STRANGER] = [
        Trial(Kind.STRANGER, question.question, (), None)
        for paragraph in outside
        for question in paragraph.questions
        if question.answers
    ]
    return [
        trial
        for kind, pool in pools.items()
        for trial in rng.sample(pool, min(counts[kind], len(pool)))
    ]


def read(
    reader: SpanReader, library: Library, trials: Sequence[Trial], limit: int
) -> Iterator[Read]:
    """Lets the reader read the `limit` best passages for each question."""
    all_hits = library.hits([trial.question for trial in trials], limit)
    for trial, hits in zip(trials, all_hits, strict=True):
        found = []
        for hit, readings in zip(hits, reader.readings(trial.question, hits), strict=True):
            if readings:
                found.append(_found(hit.passage, readings[0], trial.accepted))
        yield Read(trial, found)


def _found(passage: Passage, best: Reading, accepted: Sequence[str]) -> Found:
    exact = is_exact(best.text, accepted)
    sentence = around(best.span, sentences_of(passage)).of(passage.text)
    right = is_sound(best.text, sentence, accepted)
    return Found(passage.ordinal, best.text, best.evidence, exact, right)
