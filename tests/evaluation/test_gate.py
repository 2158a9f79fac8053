"""The gate: its file, its verdicts, and that it catches what is planted and names the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.assembly import build
from rag.errors import InvalidInput
from rag.evaluation.compare import compare
from rag.evaluation.gate import Gate, failures, read_gate
from rag.evaluation.harness import evaluate
from rag.evaluation.json_lines import read_json_lines
from rag.evaluation.run import Run
from rag.reading.base import Reader
from rag.retrieval import retrieve
from rag.service import Service
from rag.settings import Settings
from rag.types import Candidate, Hit, Span

_DATA = Path(__file__).parents[2] / "data"


def _gate(folder: Path, text: str) -> Gate:
    (folder / "gate.toml").write_text(text)
    return read_gate(folder / "gate.toml")


def test_the_file(tmp_path: Path) -> None:
    text = (
        '[least]\nf1 = 0.5\n"recall@5" = 1\n[most]\ncause_not_retrieved = 0.1\n[worse]\nf1 = 0.02'
    )
    assert _gate(tmp_path, text) == Gate(
        {"f1": 0.5, "recall@5": 1}, {"cause_not_retrieved": 0.1}, {"f1": 0.02}
    )
    assert read_gate(_DATA / "gate.toml").least


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "sets no limit"),
        ("[least]", "sets no limit"),
        ("f1 = 0.5", r"\[f1\] is no part of a gate: least, most, worse are"),
        ("least = 3", "must be a table"),
        ("[least]\nf2 = 0.5", "no figure 'f2'"),
        ('[least]\nf1 = "0.5"', "must be a number"),
        ("[least]\nf1 = true", "must be a number"),
        ("[worse]\nauroc = 0.1", "no figure 'auroc'"),  # no mean, so no paired test
        ("[least", "can't be read as a gate"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        _gate(tmp_path, text)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gate\.toml can't be read"):
        read_gate(tmp_path / "gate.toml")


def _run(figures: dict[str, float | None], **causes: int) -> Run:
    run: Any = {"metrics": figures, "causes": causes}
    made: Run = run
    return made


def test_limits() -> None:
    run = _run({"f1": 0.5, "wrongly_answered": 0.2, "auroc": None}, read_wrongly=3, not_indexed=1)
    assert failures(Gate(least={"f1": 0.5}, most={"wrongly_answered": 0.2}), run) == []
    assert failures(Gate(least={"f1": 0.51}), run) == [
        "f1 is 0.500, at least 0.510 is asked",
        "first cause: read_wrongly (it was read, and other words were taken for the answer): "
        "3 questions",
    ]
    assert failures(Gate(most={"wrongly_answered": 0.1}), run)[0].startswith(
        "wrongly_answered is 0.200, at most 0.100"
    )
    # What can't be told is no pass.
    assert "auroc can't be told" in failures(Gate(least={"auroc": 0.1}), run)[0]
    assert len(failures(Gate(least={"f1": 0.9}), _run({"f1": 0.1}))) == 1  # no cause is known


def _comparison(difference: float, p: float) -> Any:
    change = {"now": 0.5 + difference, "before": 0.5, "difference": difference, "p": p}
    return {"metrics": {"f1": change, "wrongly_answered": change}}


def test_no_worse_than_the_baseline() -> None:
    def fails(name: str, difference: float, p: float) -> bool:
        gate = Gate(worse={name: 0.02})
        return bool(failures(gate, _run({}), _comparison(difference, p)))

    assert fails("f1", -0.03, 0.04)
    assert not fails("f1", -0.03, 0.05)  # may be chance
    assert not fails("f1", -0.02, 0.001)  # is allowed
    assert not fails("f1", 0.3, 0.001)
    assert fails("wrongly_answered", 0.03, 0.04)  # more of it is worse
    assert not fails("wrongly_answered", -0.3, 0.001)
    assert fails("exact_match", 0.0, 1.0)  # can't be compared


class _Changed:
    """A reader whose candidates are changed before anybody sees them."""

    name = "sentence"

    def __init__(self, reader: Reader, change: Callable[[Candidate], Candidate]) -> None:
        self._reader = reader
        self._change = change

    def read(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        return [self._change(candidate) for candidate in self._reader.read(question, hits)]

    def read_all(self, asked: Sequence[tuple[str, Sequence[Hit]]]) -> list[list[Candidate]]:
        return [self.read(question, hits) for question, hits in asked]


def _one_word_on(candidate: Candidate) -> Candidate:
    """The span moved by one word to the right, inside its passage."""
    passage = candidate.hit.passage
    span = candidate.span.shifted(-passage.span.start)
    begins = passage.text.find(" ", span.start) + 1
    ends = passage.text.find(" ", span.end + 1)
    if not 0 < begins < ends:
        return candidate
    moved = Span(begins, ends).shifted(passage.span.start)
    sentence = candidate.sentence
    return replace(
        candidate, span=moved, sentence=Span(sentence.start, max(sentence.end, moved.end))
    )


def _always(candidate: Candidate) -> Candidate:
    return replace(candidate, supported=True)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    service = build(Settings(home=home, embedder="hashing", reader="sentence"))
    service.ingest([_DATA / "corpus"])
    yield service
    service.close()


@pytest.fixture(scope="module")
def baseline(service: Service) -> Run:
    return _evaluated(service)


def _evaluated(service: Service) -> Run:
    return evaluate(service, "default", read_json_lines(_DATA / "questions.jsonl"))


def _reading(service: Service, change: Callable[[Candidate], Candidate]) -> Service:
    reader = _Changed(service.reader, change)
    return Service(replace(service._parts, load_reader=lambda: reader))


def _verdict(run: Run, baseline: Run) -> list[str]:
    gate = Gate(worse={"right": 0.02, "wrongly_answered": 0.02, "recall@5": 0.02})
    return failures(gate, run, compare(run, baseline))


def test_nothing_planted_nothing_found(service: Service, baseline: Run) -> None:
    assert _verdict(_evaluated(service), baseline) == []


def test_ranks_reversed(service: Service, baseline: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.answering.retrieve", lambda *asked: retrieve(*asked)[::-1])
    *broken, cause = _verdict(_evaluated(service), baseline)
    assert any(line.startswith("recall@5 went from") for line in broken)
    assert cause.startswith("first cause: not_retrieved")


def test_a_reader_one_word_off(service: Service, baseline: Run) -> None:
    *broken, cause = _verdict(_evaluated(_reading(service, _one_word_on)), baseline)
    assert any(line.startswith("right went from") for line in broken)
    assert cause.startswith("first cause: read_wrongly")


def test_a_threshold_of_nothing(service: Service, baseline: Run) -> None:
    *broken, cause = _verdict(_evaluated(_reading(service, _always)), baseline)
    assert any(line.startswith("wrongly_answered went from") for line in broken)
    assert cause.startswith("first cause: wrongly_answered")
