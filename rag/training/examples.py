"""SQuAD questions and mined passages to batches of token windows."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from rag.evaluation.squad import SquadParagraph
from rag.reading.windows import Window, Windows
from rag.training.chatter import chatter
from rag.types import Span

LONGEST = 256  # tokens of a training window
_STRIDE = 96
_TITLED = 0.5  # share of examples that show the title: users' files have good ones and bad ones
_BARE = 0.1  # share of questions that lose their question mark
_MINED = 0.35  # share of answerable questions that are also asked of a mined passage
_CHATTER = 0.015  # share of paragraphs' questions that are joined by something that is none
_POOL = 200  # batches shuffled together


@dataclass(frozen=True, slots=True)
class Example:
    """A question over a passage; `answer` is None where the passage doesn't hold one."""

    question: str
    title: str
    text: str
    answer: Span | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays of shape (rows, tokens), and the gold tokens of shape (rows,)."""

    ids: NDArray[np.int64]
    types: NDArray[np.int64]
    readable: NDArray[np.bool_]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Negative:
    """A passage that retrieval found for a question and that doesn't answer it."""

    title: str
    text: str


def epoch(
    paragraphs: Sequence[SquadParagraph], negatives: Mapping[str, Sequence[Negative]], number: int
) -> list[Example]:
    """One epoch's examples in their order: every answerable question once over its paragraph and
    some over one of their mined passages, every impossible one over its paragraph twice, because
    there are few, and a little chatter.
    """
    rng = random.Random(number)  # noqa: S311
    examples: list[Example] = []
    for paragraph in paragraphs:
        title, text = paragraph.title, paragraph.text
        for question in paragraph.questions:
            gold = question.answers[0] if question.answers else None
            example = Example(question.question, title, text, gold)
            examples += [example] if gold else [example] * 2
            mined = negatives.get(question.id, ())
            if mined and rng.random() < _MINED:
                wrong = mined[number % len(mined)]
                examples.append(Example(question.question, wrong.title, wrong.text, None))
            if rng.random() < _CHATTER:
                examples.append(Example(chatter(text, rng), title, text, None))
    rng.shuffle(examples)
    return examples


def batches(
    examples: Iterable[Example], tokenizer: Tokenizer, tokens: int, seed: int
) -> Iterator[Batch]:
    """Batches of about `tokens` tokens, each of windows of one length, so that none is padded."""
    rng = random.Random(seed)  # noqa: S311
    pool: list[Batch] = []
    for rows in _of_one_length(examples, tokenizer, tokens, rng):
        pool.append(_batch(rows))
        if len(pool) == _POOL:
            rng.shuffle(pool)
            yield from pool
            pool.clear()
    rng.shuffle(pool)
    yield from pool


def _of_one_length(
    examples: Iterable[Example], tokenizer: Tokenizer, tokens: int, rng: random.Random
) -> Iterator[list[_Row]]:
    windows = Windows(tokenizer, LONGEST, _STRIDE)
    waiting: dict[int, list[_Row]] = {}
    for example in examples:
        row = _row(windows, example, rng)
        length = len(row.window.ids)
        waiting.setdefault(length, []).append(row)
        if (len(waiting[length]) + 1) * length > tokens:
            yield waiting.pop(length)
    yield from waiting.values()


@dataclass(frozen=True, slots=True)
class _Row:
    window: Window
    start: int
    end: int


def _row(windows: Windows, example: Example, rng: random.Random) -> _Row:
    title = example.title if rng.random() < _TITLED else ""
    asked = example.question
    if rng.random() < _BARE:
        asked = asked.rstrip().removesuffix("?")
    (cut,) = windows.of(asked, [(title, example.text)])
    if example.answer is None:
        return _Row(rng.choice(cut), 0, 0)
    holding = [row for window in cut if (row := _gold(window, example.answer))]
    # An answer longer than the stride may be whole in no window: then that window has none.
    return rng.choice(holding) if holding else _Row(rng.choice(cut), 0, 0)


def _gold(window: Window, answer: Span) -> _Row | None:
    inside = [
        window.first + place
        for place, span in enumerate(window.spans)
        if span.start < answer.end and answer.start < span.end
    ]
    if not inside:
        return None
    covered = Span(
        window.spans[inside[0] - window.first].start, window.spans[inside[-1] - window.first].end
    )
    return _Row(window, inside[0], inside[-1]) if covered.contains(answer) else None


def _batch(rows: Sequence[_Row]) -> Batch:
    ids = np.array([row.window.ids for row in rows], dtype=np.int64)
    readable = np.zeros(ids.shape, dtype=np.bool_)
    readable[:, 0] = True
    for place, row in enumerate(rows):
        first = row.window.first
        readable[place, first : first + len(row.window.spans)] = True
    return Batch(
        ids,
        np.array([row.window.types for row in rows], dtype=np.int64),
        readable,
        np.array([row.start for row in rows], dtype=np.int64),
        np.array([row.end for row in rows], dtype=np.int64),
    )
