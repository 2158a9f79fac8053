"""Fusing two legs: hand-computed scores, and what holds for any scores."""

from __future__ import annotations

from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from rag.fusion import fuse

_IDS = st.integers(0, 2**62)
_DENSE = st.dictionaries(_IDS, st.floats(-1, 1), max_size=30)
_WORDS = st.dictionaries(_IDS, st.floats(0, 1), max_size=30)


def test_the_score_is_the_mean_of_both_legs() -> None:
    fused = fuse({1: 0.5, 2: 0.75, 3: -0.25}, {1: 0.5, 3: 0.5, 4: 1.0})
    assert fused == [(1, 0.5), (4, 0.5), (2, 0.375), (3, 0.125)]


def test_a_passage_strong_in_both_legs_beats_the_best_of_either() -> None:
    assert [i for i, _ in fuse({1: 0.9, 2: 0.7, 3: 0.1}, {3: 0.8, 2: 0.6})] == [2, 1, 3]


def test_equal_scores_are_ordered_by_id() -> None:
    assert [i for i, _ in fuse({7: 0.5, 3: 0.5}, {5: 0.5})] == [3, 5, 7]


def test_nothing_found_is_nothing_fused() -> None:
    assert fuse({}, {}) == []


@given(_DENSE, _WORDS)
def test_every_candidate_comes_once_by_falling_finite_score(
    dense: dict[int, float], words: dict[int, float]
) -> None:
    fused = fuse(dense, words)
    assert {i for i, _ in fused} == dense.keys() | words.keys()
    assert len(fused) == len(dense.keys() | words.keys())
    assert fused == sorted(fused, key=lambda item: (-item[1], item[0]))
    assert all(isfinite(score) and -0.5 <= score <= 1 for _, score in fused)


@given(_DENSE, _WORDS)
def test_the_order_in_which_candidates_were_found_does_not_matter(
    dense: dict[int, float], words: dict[int, float]
) -> None:
    backwards = fuse(dict(reversed(dense.items())), dict(reversed(words.items())))
    assert backwards == fuse(dense, words)


@given(_DENSE, _WORDS, _IDS)
def test_first_in_both_legs_is_first(
    dense: dict[int, float], words: dict[int, float], best: int
) -> None:
    dense |= {best: max([0.0, *dense.values()])}
    words |= {best: max([0.0, *words.values()])}
    fused = fuse(dense, words)
    assert dict(fused)[best] == fused[0][1]


@given(_DENSE, _WORDS, _IDS, st.floats(-1, 1), st.floats(0, 1))
def test_another_candidate_never_reorders_the_others(
    dense: dict[int, float], words: dict[int, float], new: int, near: float, common: float
) -> None:
    dense.pop(new, None)
    words.pop(new, None)
    with_it = fuse(dense | {new: near}, words | {new: common})
    assert [item for item in with_it if item[0] != new] == fuse(dense, words)


@given(st.lists(st.integers(-100, 100), unique=True), st.booleans())
def test_an_empty_leg_leaves_the_order_of_the_other(hundredths: list[int], words: bool) -> None:
    scores = {i: score / 100 for i, score in enumerate(hundredths)}
    if words:
        scores = {i: abs(score) for i, score in scores.items()}
    alone = sorted(scores, key=lambda i: (-scores[i], i))
    assert [i for i, _ in (fuse({}, scores) if words else fuse(scores, {}))] == alone
