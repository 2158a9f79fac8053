"""Two runs made by hand: what is fixed and broken, and what can't be compared."""

from __future__ import annotations

from typing import Any

import pytest

from rag.errors import InvalidInput
from rag.evaluation.compare import compare, lines
from rag.evaluation.run import Run


def _run(rights: dict[str, bool | None], *, questions: str = "q", corpus: str = "c") -> Run:
    run: Any = {
        "date": "2026-11-25",
        "settings": {"mode": "open", "reader": "r", "embedder": "e"},
        "question_set": {"fingerprint": questions},
        "corpus": {"fingerprint": corpus},
        "rows": [
            {
                "id": name,
                "right": right,
                "cause": None if right in (True, None) else "read_wrongly",
                "scores": {} if right is None else {"right": float(right), "f1": float(right)},
            }
            for name, right in rights.items()
        ],
    }
    made: Run = run
    return made


_BEFORE = {"a": True, "b": True, "c": False, "d": False, "e": None}
_NOW = {"a": True, "b": False, "c": True, "d": False, "e": None}


def test_each_question() -> None:
    found = compare(_run(_NOW), _run(_BEFORE))
    assert (found["fixed"], found["broken"]) == (["c"], ["b"])
    assert (found["right_in_both"], found["wrong_in_both"], found["compared"]) == (1, 1, 5)
    assert found["warnings"] == []
    f1 = found["metrics"]["f1"]
    assert (f1["before"], f1["now"], f1["difference"]) == (0.5, 0.5, 0)
    assert f1["low"] < 0 < f1["high"]
    assert f1["p"] == 1  # one up, one down: no sum of signs is nearer to 0
    told = list(lines(found))
    assert "fixed 1: c" in told
    assert "broken 1: b" in told
    assert not any(line.startswith("f1") for line in told)  # it is what it was


def test_a_change_for_the_worse() -> None:
    names = [f"q{n}" for n in range(40)]
    before = _run(dict.fromkeys(names, True))
    found = compare(_run({name: n >= 10 for n, name in enumerate(names)}), before)
    change = found["metrics"]["right"]
    assert change["difference"] == -0.25
    assert change["low"] < -0.25 < change["high"] < 0
    assert change["p"] == pytest.approx(2**-9, abs=0.002)  # ten of ten the same way
    assert found["metrics"]["cause_read_wrongly"]["difference"] == 0.25
    assert "recall@1" not in found["metrics"]
    assert any("broken 10: q0, q1" in line for line in lines(found))
    many = compare(_run(dict.fromkeys(names, False)), before)
    assert any(line.endswith("q9 and 30 more") for line in lines(many))


@pytest.mark.parametrize(
    ("other", "what"),
    [({"questions": "others"}, "questions are others"), ({"corpus": "x"}, "documents are others")],
)
def test_what_can_not_be_compared(other: dict[str, str], what: str) -> None:
    before = _run(_BEFORE, **other)
    with pytest.raises(InvalidInput, match=rf"{what}.*--compare-anyway"):
        compare(_run(_NOW), before)
    found = compare(_run(_NOW), before, anyway=True)
    assert found["fixed"] == ["c"]
    assert any(what in warning for warning in found["warnings"])
    assert any("beware" in line for line in lines(found))


def test_only_what_both_have_is_compared() -> None:
    found = compare(_run({"a": False, "z": True}), _run(_BEFORE, questions="x"), anyway=True)
    assert (found["compared"], found["broken"], found["fixed"]) == (1, ["a"], [])
    with pytest.raises(InvalidInput, match="none of these questions"):
        compare(_run({"z": True}), _run(_BEFORE, questions="x"), anyway=True)


def test_another_mode() -> None:
    before: Any = _run(_BEFORE)
    before["settings"]["mode"] = "reader"
    with pytest.raises(InvalidInput, match="mode reader"):
        compare(_run(_NOW), before)
