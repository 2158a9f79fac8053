"""A run over real files with light parts: its figures, its format, `rag eval`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from rag.assembly import build
from rag.cli import main
from rag.errors import InvalidInput
from rag.evaluation.harness import evaluate
from rag.evaluation.metrics import f1
from rag.evaluation.questions import Evidence, Question
from rag.service import Service
from rag.settings import Settings

_DATA = Path(__file__).parents[2] / "data"
_CONTRACT = [
    "recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10", "exact_match", "f1",
    "citation_source", "citation_quote", "answered", "wrongly_answered", "wrongly_refused",
    "latency_p50_ms", "latency_p95_ms", "latency_p99_ms",
]  # fmt: skip
_LEAVE = "Every member of staff has 28 days of leave."
_FILES = {
    "leave.txt": f"{_LEAVE}\n",
    "parking.txt": "The car park closes at 22:30 on weekdays.\n",
    "fire.txt": "The assembly point is behind the boiler house.\n",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("folder")
    for name, text in _FILES.items():
        (folder / name).write_text(text)
    service = build(
        Settings(home=tmp_path_factory.mktemp("home"), embedder="hashing", reader="sentence")
    )
    service.ingest([folder])
    yield service
    service.close()


def _question(number: int, question: str, answer: str = "", *evidence: Evidence) -> Question:
    answers = (answer,) if answer else ()
    return Question(str(number), question, answers, bool(answer), evidence)


_HIT = _question(1, "How many days of leave has a member of staff?", "28 days of leave",
                 Evidence("leave.txt", "every member of  STAFF has 28 days"))  # fmt: skip
_REFUSED = _question(2, "Which orchestra played Mahler in Vienna?", "the Philharmonic",
                     Evidence("parking.txt", "closes at 22:30"))  # fmt: skip
_RIGHTLY_REFUSED = _question(3, "Which painter coloured Amsterdam ceilings?")
_WRONGLY_ANSWERED = _question(4, "Where is the assembly point?")


def test_scores_by_hand(service: Service) -> None:
    questions = [_HIT, _REFUSED, _RIGHTLY_REFUSED, _WRONGLY_ANSWERED]
    asked: list[None] = []
    run = evaluate(service, "default", questions, lambda: asked.append(None))
    assert len(asked) == 4
    hit, refused, rightly, wrongly = (row.scores for row in run.rows)
    assert hit["recall@1"] == hit["mrr@10"] == hit["ndcg@10"] == 1
    assert hit["citation_source"] == hit["citation_quote"] == hit["answer_in_sentence"] == 1
    assert (hit["answered"], hit["wrongly_refused"]) == (1, 0)
    assert hit["f1"] == f1(run.rows[0].answer or "", _HIT.answers) > 0
    # A refusal stays in the denominators, as zeros; its retrieval is judged all the same.
    assert (refused["answered"], refused["wrongly_refused"]) == (0, 1)
    for name in ("exact_match", "f1", "citation_source", "citation_quote", "answer_in_sentence"):
        assert refused[name] == 0
    assert refused["recall@10"] == 1
    assert rightly == {"exact_match": 1, "f1": 1, "answered": 0, "wrongly_answered": 0}
    assert wrongly == {"exact_match": 0, "f1": 0, "answered": 1, "wrongly_answered": 1}
    assert run.rows[1].reason == "low_confidence"

    figures = run.metrics
    assert figures["answered"] == 0.5
    assert figures["wrongly_refused"] == 0.5  # of two answerable questions
    assert figures["wrongly_answered"] == 0.5  # of two others
    assert figures["citation_source"] == 0.5
    assert figures["exact_match"] == fmean([hit["exact_match"], 0, 1, 0])


def test_another_file_or_quote_is_no_evidence(service: Service) -> None:
    wrong_file = Evidence("parking.txt", _LEAVE)
    wrong_quote = Evidence("leave.txt", "29 days")
    for evidence in (wrong_file, wrong_quote):
        question = _question(1, _HIT.question, "28 days", evidence)
        (row,) = evaluate(service, "default", [question]).rows
        assert row.scores["recall@10"] == row.scores["citation_quote"] == 0
        assert row.scores["citation_source"] == float(evidence is wrong_quote)


def test_every_name_is_there(service: Service, tmp_path: Path) -> None:
    for questions in ([_RIGHTLY_REFUSED], [_question(1, _HIT.question, "28 days")]):
        run = evaluate(service, "default", questions)
        run.write(tmp_path / "new" / "folder")
        written = json.loads((tmp_path / "new" / "folder" / "run.json").read_text("utf-8"))
        assert set(_CONTRACT) <= written["metrics"].keys()
        assert written["metrics"]["recall@1"] is None  # no question has evidence
        assert any("recall@1" in line and line.endswith("-") for line in run.lines())


def test_unindexed_files_are_refused(service: Service) -> None:
    question = _question(1, "Where?", "here", Evidence("elsewhere.txt", "here"))
    with pytest.raises(InvalidInput, match=r"elsewhere\.txt.*--corpus"):
        evaluate(service, "default", [question])
    evaluate(service, "default", [question, _HIT])  # one of several is enough


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    monkeypatch.setenv("RAG_READER", "sentence")
    return tmp_path


def _rag(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as exited:
        main([str(argument) for argument in arguments])
    assert isinstance(exited.value.code, int)
    return exited.value.code, capsys.readouterr().out


def test_the_sample_questions(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`rag eval` over the sample corpus; the second time nothing is encoded."""
    lines = (_DATA / "questions.jsonl").read_text("utf-8").splitlines()[:40:2]
    questions = settings / "some.jsonl"
    questions.write_text("\n".join(lines), "utf-8")
    command = ("eval", questions, "--corpus", _DATA / "corpus", "--json", "--out", settings / "out")
    status, out = _rag(capsys, *command)
    run: dict[str, Any] = json.loads(out)
    assert status == 0
    assert run == json.loads((settings / "out" / "run.json").read_text("utf-8"))
    assert run.keys() == {"format", "settings", "questions", "metrics", "baseline", "rows"}
    assert run["settings"]["embedder"] == "hashing-1"
    assert run["settings"]["reader"]
    assert run["questions"] == len(run["rows"]) == len(lines)
    assert set(_CONTRACT) <= run["metrics"].keys()
    assert run["metrics"]["recall@10"] > 0.5
    for row, line in zip(run["rows"], lines, strict=True):
        assert row["id"] == json.loads(line)["id"]
    assert not (settings / "home" / "index.sqlite").exists()  # the user's own index is not touched

    (home,) = (settings / "cache" / "evaluation").iterdir()
    kept = build(Settings(home=home, embedder="hashing", reader="sentence"))
    report = kept.ingest([_DATA / "corpus"])
    kept.close()
    assert report.encoded == report.reused == 0
    assert not report.changed
    status, out = _rag(capsys, *command[:-3])
    assert status == 0
    assert "recall@10" in out
    assert [path.name for path in (settings / "cache" / "evaluation").iterdir()] == [home.name]


def test_eval_over_the_users_own_index(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = settings / "folder"
    folder.mkdir()
    for name, text in _FILES.items():
        (folder / name).write_text(text)
    row = {"id": "1", "question": _HIT.question, "answers": ["28 days"], "answerable": True,
           "evidence": [{"source": "leave.txt", "quote": _LEAVE}]}  # fmt: skip
    questions = settings / "questions.jsonl"
    questions.write_text(json.dumps(row), "utf-8")
    assert _rag(capsys, "eval", questions)[0] == 2  # nothing is indexed
    assert _rag(capsys, "ingest", folder)[0] == 0
    status, out = _rag(capsys, "eval", questions)
    assert status == 0
    assert out.startswith("1 questions, 1 of them answerable\n")
