"""Files for other programs, character by character, and read back by them."""

from __future__ import annotations

import json
from urllib.parse import unquote

import ir_measures

from rag.evaluation.exports import squad_predictions, trec_run


def test_a_run() -> None:
    assert trec_run({"q1": ["b.md", "a.md"], "q2": [], "q3": ["a.md"]}, "bm25") == (
        "q1 Q0 b.md 1 2 bm25\n"
        "q1 Q0 a.md 2 1 bm25\n"
        "q3 Q0 a.md 1 1 bm25\n"
    )  # fmt: skip
    assert trec_run({}, "bm25") == ""


def test_an_item_that_comes_again() -> None:
    assert trec_run({"q": ["a", "b", "a", "c"]}, "t") == (
        "q Q0 a 1 3 t\n"
        "q Q0 b 2 2 t\n"
        "q Q0 c 3 1 t\n"
    )  # fmt: skip


def test_white_space_keeps_to_its_column() -> None:
    question, item = "a\tquestion\n", "my 100 %\u00a0file\u2028.md"
    (line,) = trec_run({question: [item]}, "my run").split("\n")[:-1]
    columns = line.split()
    assert len(columns) == 6
    assert columns[2] == "my%20100%20%25%C2%A0file%E2%80%A8.md"
    assert [unquote(c) for c in (columns[0], columns[2], columns[5])] == [question, item, "my run"]


def test_another_program_ranks_the_same() -> None:
    """Each item is found at its own rank, though their ids fall in no order."""
    items = ["m", "a", "z", "10", "9"]
    run = list(ir_measures.read_trec_run(trec_run({"q": items}, "t")))  # type: ignore[no-untyped-call]
    for rank, item in enumerate(items, start=1):
        scores = ir_measures.pytrec_eval.calc_aggregate([ir_measures.RR], {"q": {item: 1}}, run)
        assert scores[ir_measures.RR] == 1 / rank


def test_predictions() -> None:
    answers = {"5725b": "28 days", "5726c": "", "é": "“ü”"}
    text = squad_predictions(answers)
    assert json.loads(text) == answers
    assert "“ü”" in text
    assert json.loads(squad_predictions({})) == {}
