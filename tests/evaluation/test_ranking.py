"""Retrieval metrics against figures worked out by hand."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.ranking import NAMES, ranking_scores, recall_curve, units


def _scores(ranked: list[str], relevant: dict[str, int]) -> dict[str, float]:
    return ranking_scores({"q": ranked}, {"q": relevant})["q"]


def _found(*passages: str) -> list[frozenset[int]]:
    """`_found("", "02")`: the first passage holds nothing, the second the pieces 0 and 2."""
    return [frozenset(map(int, passage)) for passage in passages]


def test_every_score() -> None:
    """Relevant are b, d and one that was not found; they stand at 2 and 4."""
    ideal = 1 + 1 / log2(3) + 1 / log2(4)
    assert _scores(list("abcd"), {"b": 1, "d": 1, "z": 1}) == pytest.approx(
        {
            "recall@1": 0,
            "recall@5": 2 / 3,
            "recall@10": 2 / 3,
            "hit@1": 0,
            "hit@5": 1,
            "hit@10": 1,
            "mrr@10": 1 / 2,
            "ndcg@10": (1 / log2(3) + 1 / log2(5)) / ideal,
            "map": (1 / 2 + 2 / 4) / 3,
        }
    )


def test_grades() -> None:
    """Gains are the grades themselves, as trec_eval has them, and 1 + 3 in that order."""
    assert _scores(["one", "three"], {"one": 1, "three": 3})["ndcg@10"] == pytest.approx(
        (1 + 3 / log2(3)) / (3 + 1 / log2(3))
    )


def test_cuts() -> None:
    """The relevant item is the eleventh: beyond every cut, but not beyond MAP."""
    ranked = [*"abcdefghij", "x"]
    expected = dict.fromkeys(NAMES, 0.0) | {"map": 1 / 11}
    assert _scores(ranked, {"x": 1}) == pytest.approx(expected)
    assert _scores(ranked[1:], {"x": 1})["mrr@10"] == pytest.approx(1 / 10)
    assert _scores(ranked[1:], {"x": 1})["recall@10"] == 1
    assert _scores(ranked[5:], {"x": 1})["hit@5"] == 0


@pytest.mark.parametrize("ranked", [["a", "b", "c"], ["c", "b", "a"], ["10", "9", "c"]])
def test_the_order_is_the_one_given(ranked: list[str]) -> None:
    """trec_eval would put equal scores in the order of the ids."""
    for place, item in enumerate(ranked, start=1):
        assert _scores(ranked, {item: 1})["mrr@10"] == pytest.approx(1 / place)


def test_an_item_that_comes_again_takes_no_place() -> None:
    assert _scores(["a", "a", "a", "b"], {"b": 1})["mrr@10"] == 1 / 2
    assert _scores(["b", "b"], {"b": 1, "c": 1})["recall@10"] == 1 / 2


def test_nothing_ranked_is_zero_and_nothing_relevant_is_left_out() -> None:
    relevant = {
        "ranked": {"a": 1},
        "empty": {"a": 1},
        "unknown": {"a": 1},
        "unjudged": {},
        "irrelevant": {"a": 0, "b": -1},
    }
    scores = ranking_scores({"ranked": ["a"], "empty": [], "else": ["a"]}, relevant, "file_")
    assert scores == {
        "ranked": {f"file_{name}": 1 for name in NAMES},
        "empty": {f"file_{name}": 0 for name in NAMES},
        "unknown": {f"file_{name}": 0 for name in NAMES},
    }
    assert ranking_scores({}, {}) == {}


def test_a_negative_grade_is_not_relevant() -> None:
    assert _scores(["spam", "a"], {"spam": -2, "a": 1})["ndcg@10"] == pytest.approx(1 / log2(3))


@given(st.lists(st.text(max_size=3), max_size=12), st.lists(st.text(max_size=3), min_size=1))
def test_any_ids(ranked: list[str], relevant: list[str]) -> None:
    """Ids may be empty, hold white space or NUL; the scores are those of plain ones."""
    plain = {item: f"i{place}" for place, item in enumerate(dict.fromkeys(ranked + relevant))}
    scores = ranking_scores({"\0 é": ranked}, {"\0 é": dict.fromkeys(relevant, 1)})["\0 é"]
    assert scores == _scores([plain[i] for i in ranked], {plain[i]: 1 for i in relevant})
    assert all(0 <= score <= 1 for score in scores.values())


def test_an_id_that_is_no_unicode() -> None:
    """Such as the name of a file in another encoding; trec_eval itself would crash."""
    assert ranking_scores({"\ud800": ["\udcff"]}, {"\ud800": {"\udcff": 1}})["\ud800"]["map"] == 1


def test_recall_curve() -> None:
    ranked = {"p": ["a", "b", "c"], "q": [], "r": ["a"]}
    relevant = {"p": {"a": 1, "c": 2}, "q": {"a": 1}, "r": {}}
    assert recall_curve(ranked, relevant) == pytest.approx([1 / 4, 1 / 4, *[1 / 2] * 8])
    assert recall_curve({}, {}) == []


@pytest.mark.parametrize(
    ("found", "evidence", "judged"),
    [
        ([], 2, ["missing 0", "missing 1"]),
        (_found("", "0"), 1, ["passage 2"]),
        (_found("01", "0", "1"), 2, ["passage 1"]),  # one unit of two pieces; nothing new follows
        (_found("0", "01", "2"), 4, ["passage 1", "passage 2", "passage 3", "missing 3"]),
        (_found("0", "0"), 2, ["passage 1", "missing 1"]),
    ],
)
def test_units(found: list[frozenset[int]], evidence: int, judged: list[str]) -> None:
    ranked, judgements = units(found, evidence)
    assert ranked == [f"passage {rank}" for rank in range(1, len(found) + 1)]
    assert judgements == dict.fromkeys(judged, 1)


@pytest.mark.parametrize(
    ("found", "evidence", "expected"),
    [
        (_found("0"), 1, 1),
        (_found("01", "0"), 2, 1),  # all in one passage: the best there can be
        (_found("", "0"), 1, 1 / log2(3)),
        (_found("0", "", "1"), 2, (1 + 1 / 2) / (1 + 1 / log2(3))),
        (_found("0", "0"), 2, 1 / (1 + 1 / log2(3))),
        ([], 1, 0),
    ],
)
def test_ndcg_of_units(found: list[frozenset[int]], evidence: int, expected: float) -> None:
    assert _scores(*units(found, evidence))["ndcg@10"] == pytest.approx(expected)


def test_recall_of_units() -> None:
    """Three units: passage 2, passage 3 for what it adds, and the piece that none holds."""
    scores = _scores(*units(_found("", "0", "01"), 3))
    assert scores["recall@1"] == 0
    assert scores["recall@5"] == pytest.approx(2 / 3)
    assert scores["mrr@10"] == 1 / 2
