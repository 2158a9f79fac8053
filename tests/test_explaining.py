"""The fate of every passage that was considered, over hits and candidates made by hand."""

from __future__ import annotations

from dataclasses import replace

from rag.explaining import explained
from rag.types import Candidate, Fate, Hit, Legs, Origin, Passage, Span

_ORIGIN = Origin("d", "default", "", "a.txt", "A", None, None, "", "", "text/1")

_NO_LEGS = Legs()


def _hit(ordinal: int, text: str, legs: Legs = _NO_LEGS) -> Hit:
    whole = Span(100 * ordinal, 100 * ordinal + len(text))
    passage = Passage("d", ordinal, whole, text, "", "", (whole,), paragraph=ordinal + 1)
    return Hit(passage, _ORIGIN, 1.0 - ordinal / 10, among=5, legs=legs)


def _candidate(hit: Hit, words: str) -> Candidate:
    start = hit.passage.span.start + hit.passage.text.index(words)
    span = Span(start, start + len(words))
    return Candidate(hit, span, hit.passage.span, 0.0, supported=True, confidence=0.9)


_HITS = [_hit(n, text) for n, text in enumerate(
    ["Leave is 28 days.", "Staff have 28 days of leave.", "In 2019 it was 25 days.", "Rooms.",
     "Never read."]
)]  # fmt: skip
_FIRST, _SAME, _FURTHER, _ROOMS, _ = _HITS
_SAID = [
    _candidate(_FIRST, "28 days"),
    _candidate(_SAME, "28 days"),
    _candidate(_FURTHER, "25 days"),
]


def _fates(
    standing: list[Candidate], groups: list[list[Candidate]], shown: int = 5
) -> dict[int, Fate]:
    found = explained("How many days of leave?", _HITS, _SAID, standing, groups, 4, shown)
    return {one.fused_rank: one.fate for one in found}


def test_each_fate() -> None:
    first, same, further = _SAID
    # The second says the same as the first in other words, so it makes no group of its own.
    assert _fates(_SAID, [[first], [further]]) == {
        1: Fate.ANSWER,
        2: Fate.SAME_ANSWER,
        3: Fate.FURTHER_ANSWER,
        4: Fate.NO_WORDS,
        5: Fate.NOT_READ,
    }
    assert _fates(_SAID, [[first, same], [further]])[2] is Fate.SAME_ANSWER
    assert _fates(_SAID, [[first], [further]], shown=1)[3] is Fate.CROWDED_OUT
    assert set(_fates([], []).values()) == {Fate.LOW_CONFIDENCE, Fate.NO_WORDS, Fate.NOT_READ}


def test_the_best_fate_of_a_passage_is_told() -> None:
    weak = replace(_candidate(_FIRST, "Leave"), supported=False)
    strong = _candidate(_FIRST, "28 days")
    (one, *_) = explained("Leave?", _HITS, [weak, strong], [strong], [[strong]], 4, 5)
    assert one.fate is Fate.ANSWER
    assert one.quoted
    assert (one.quoted.quote, one.quoted.span) == ("28 days", Span(9, 16))


def test_order_ranks_and_terms() -> None:
    legs = Legs(dense_rank=3, cosine=0.5, word_rank=None, words=0.0)
    hits = [_hit(0, "Rooms."), _hit(1, "Leave and more leave: 28 days.", legs)]
    said = _candidate(hits[1], "28 days")
    found = explained("How many days of annual leave?", hits, [said], [said], [[said]], 2, 5)
    assert [(one.rank, one.fused_rank) for one in found] == [(1, 2), (2, 1)]
    assert found[0].terms == ("day", "leav")  # the question's, stemmed, in its order
    assert found[0].legs == legs
    assert (found[1].best, found[1].quoted) == (None, None)
