"""A model's logits to the best spans of a window: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.reading.windows import Window
from rag.types import Span

LONGEST_ANSWER = 30  # tokens, as in BERT's SQuAD reader (Devlin et al., 2019)
_CLOSED = -1e9

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scored:
    """A span of a passage's text, and the sum of its start and end logits."""

    span: Span
    logit: float


def best_spans(
    window: Window, start: Logits, end: Logits, places: Sequence[Span], limit: int
) -> list[Scored]:
    """At most `limit` spans, best first: whole words, in one place, `LONGEST_ANSWER` at most.

    `start` and `end` are a window's logits, shape (tokens,); `places` are stretches of the passage,
    such as its paragraphs, in order.
    """
    count = len(window.spans)
    if not count or not places:
        return []
    readable = slice(window.first, window.first + count)
    begins, finishes = _word_edges(window.words)
    from_start = np.where(begins, start[readable], _CLOSED)
    from_end = np.where(finishes, end[readable], _CLOSED)
    width = min(LONGEST_ANSWER, count)
    padded = np.concatenate([from_end, np.full(width - 1, _CLOSED)])
    # Row i holds the spans that start at token i, by their length.
    sums = from_start[:, None] + np.lib.stride_tricks.sliding_window_view(padded, width)
    owner = _owners(window.spans, places)
    owners = np.concatenate([owner, np.full(width - 1, -1)])
    same = owner[:, None] == np.lib.stride_tricks.sliding_window_view(owners, width)
    sums = np.where(same & (owner >= 0)[:, None], sums, _CLOSED).ravel()
    wanted = min(limit, len(sums))
    top = np.argpartition(-sums, wanted - 1)[:wanted]
    return [
        Scored(
            Span(window.spans[i // width].start, window.spans[i // width + i % width].end),
            float(sums[i]),
        )
        for i in sorted(top.tolist(), key=lambda i: (-sums[i], i))
        if sums[i] > _CLOSED / 2
    ]


def _word_edges(words: Sequence[int]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which tokens begin a word, which end one."""
    changes = [left != right for left, right in pairwise(words)]
    return np.array([True, *changes]), np.array([*changes, True])


def _owners(spans: Sequence[Span], places: Sequence[Span]) -> NDArray[np.intp]:
    """For each token the number of its place, -1 where it is in none."""
    starts = np.array([place.start for place in places])
    ends = np.array([place.end for place in places])
    place = np.searchsorted(starts, [span.start for span in spans], side="right") - 1
    inside = (place >= 0) & (np.array([span.end for span in spans]) <= ends[place])
    return np.where(inside, place, -1)
