"""A run over real files with light parts: its figures, its format, `rag eval`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from rag.assembly import build
from rag.cli import main
from rag.errors import InvalidInput
from rag.evaluation.harness import evaluate
from rag.evaluation.metrics import f1
from rag.evaluation.questions import Evidence, Question, QuestionSet
from rag.evaluation.run import Run, lines, read, write
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


def _run(service: Service, *questions: Question, **more: Any) -> Run:
    return evaluate(service, "default", QuestionSet(questions), **more)


def test_scores_by_hand(service: Service) -> None:
    asked: list[None] = []
    questions = (_HIT, _REFUSED, _RIGHTLY_REFUSED, _WRONGLY_ANSWERED)
    run = _run(service, *questions, asked=lambda: asked.append(None))
    assert len(asked) == 4
    hit, refused, rightly, wrongly = (row["scores"] for row in run["rows"])
    assert hit["recall@1"] == hit["mrr@10"] == hit["ndcg@10"] == hit["file_ndcg@10"] == 1
    for name in ("source", "paragraph", "quote", "verbatim"):
        assert hit[f"citation_{name}"] == 1
    assert hit["answer_in_sentence"] == hit["right"] == hit["retrieved"] == 1
    assert (hit["answered"], hit["wrongly_refused"]) == (1, 0)
    answer = run["rows"][0]["answer"]
    assert answer
    assert hit["f1"] == f1(answer["text"], _HIT.answers) > 0
    # A refusal stays in the denominators, as zeros; its retrieval is judged all the same.
    assert (refused["answered"], refused["wrongly_refused"]) == (0, 1)
    zeros = ("exact_match", "f1", "citation_source", "citation_paragraph", "citation_quote")
    assert [refused[name] for name in zeros] == [0] * 5
    assert refused["recall@10"] == 1
    assert rightly == {"exact_match": 1, "f1": 1, "answered": 0, "wrongly_answered": 0, "right": 1}
    assert wrongly == {
        "exact_match": 0, "f1": 0, "answered": 1, "wrongly_answered": 1, "right": 0,
        "citation_verbatim": 1,
    }  # fmt: skip
    assert [row["cause"] for row in run["rows"]] == [None, "read_wrongly", None, "wrongly_answered"]
    assert run["rows"][1]["reason"] == "low_confidence"

    figures = run["metrics"]
    assert figures["answered"] == figures["right"] == 0.5
    assert figures["wrongly_refused"] == 0.5  # of two answerable questions
    assert figures["wrongly_answered"] == 0.5  # of two others
    assert figures["wrong_among_answered"] == 0.5
    assert figures["citation_source"] == 0.5
    assert figures["exact_match"] == fmean([hit["exact_match"], 0, 1, 0])
    assert figures["cause_wrongly_answered"] == 0.25
    assert run["causes"]["read_wrongly"] == run["causes"]["wrongly_answered"] == 1


def test_the_answer_stands_where_the_row_says(service: Service) -> None:
    (row,) = _run(service, _HIT)["rows"]
    answer = row["answer"]
    assert answer
    shift = answer["context_start"]
    context = answer["context"]
    assert context[answer["start"] - shift : answer["end"] - shift] == answer["text"]
    sentence = context[answer["sentence_start"] - shift : answer["sentence_end"] - shift]
    assert sentence == answer["sentence"] == _LEAVE
    gold = row["gold"][0]
    assert (gold["source"], gold["start"], gold["end"]) == ("leave.txt", 0, 33)
    assert [shown["gold"] for shown in row["passages"]] == [True, False, False]
    # The refused question shows what would have been said.
    (row,) = _run(service, _REFUSED)["rows"]
    assert row["answer"] is None
    assert row["guess_right"] is (None if row["guess"] is None else False)


@pytest.mark.parametrize(
    ("evidence", "detail"),
    [
        (Evidence("nowhere.txt", _LEAVE), "nowhere.txt is not indexed"),
        (Evidence("leave.txt", "29 days"), "leave.txt does not say '29 days'"),
    ],
)
def test_what_is_not_indexed(service: Service, evidence: Evidence, detail: str) -> None:
    """Nothing that retrieval or the reader does can bring it."""
    wrong = _question(1, _REFUSED.question, "the Philharmonic", evidence)
    row, _ = _run(service, wrong, replace(_HIT, id="2"))["rows"]
    assert (row["cause"], row["detail"]) == ("not_indexed", detail)
    assert row["scores"]["recall@10"] == row["scores"]["citation_quote"] == 0


def test_right_words_from_the_wrong_file(service: Service) -> None:
    elsewhere = _question(1, _HIT.question, "28 days", Evidence("fire.txt", "assembly point"))
    (row,) = _run(service, elsewhere)["rows"]
    assert (row["cause"], row["right"]) == ("wrong_citation", False)
    assert row["scores"]["answer_in_sentence"] == 1
    assert row["scores"]["citation_source"] == 0


def test_evidence_may_be_a_file_alone(service: Service) -> None:
    for name in ("leave.txt", "leave"):
        (row,) = _run(service, _question(1, _HIT.question, "28 days", Evidence(name)))["rows"]
        assert row["right"]
        assert row["scores"]["recall@1"] == row["scores"]["citation_quote"] == 1


def test_a_rejected_answer_that_comes_again(service: Service) -> None:
    said = _run(service, _HIT)["rows"][0]["answer"]
    assert said
    told = Question("1", _HIT.question, rejected=(said["text"],))
    run = _run(service, told, replace(told, id="2", rejected=("something else",)))
    assert [row["scores"]["rejected_again"] for row in run["rows"]] == [1, 0]
    assert [row["right"] for row in run["rows"]] == [None, None]
    assert run["metrics"]["rejected_again"] == 0.5
    assert run["metrics"]["right"] is run["metrics"]["exact_match"] is None


def test_judged_by_file_alone(service: Service) -> None:
    judged = Question("1", "car park on weekdays", relevant=(("parking", 2), ("fire.txt", 1)))
    run = _run(service, judged)
    (row,) = run["rows"]
    assert row["scores"]["file_recall@10"] == row["scores"]["file_mrr@10"] == 1
    assert "recall@10" not in row["scores"]
    assert run["metrics"]["recall@10"] is None
    assert row["answer"] is row["guess"] is None
    assert run["question_set"]["unjudged"] == 1


def test_every_name_is_there(service: Service, tmp_path: Path) -> None:
    for question in (_RIGHTLY_REFUSED, _question(1, _HIT.question, "28 days")):
        run = _run(service, question)
        write(run, tmp_path / "new" / "folder" / "run.json")
        written = json.loads((tmp_path / "new" / "folder" / "run.json").read_text("utf-8"))
        assert set(_CONTRACT) <= written["metrics"].keys()
        assert written["metrics"]["recall@1"] is None  # no question has evidence
        assert not any("recall@1" in line for line in lines(run))
        assert read(tmp_path / "new" / "folder" / "run.json")["rows"] == list(run["rows"])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', "[" * 100_000])
def test_what_is_no_run(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(InvalidInput, match="run"):
        read(tmp_path / "run.json")


def test_unindexed_files_are_refused(service: Service) -> None:
    question = _question(5, "Where?", "here", Evidence("elsewhere.txt", "here"))
    with pytest.raises(InvalidInput, match=r"elsewhere\.txt.*--corpus"):
        _run(service, question)
    _run(service, question, _HIT)  # one of several is enough


def test_a_question_that_nobody_could_ask(service: Service) -> None:
    with pytest.raises(InvalidInput, match="'2' is longer than"):
        _run(service, _HIT, replace(_REFUSED, question="why " * 501))


def test_a_stopped_run_goes_on(service: Service, tmp_path: Path) -> None:
    questions = [_HIT, _REFUSED, _RIGHTLY_REFUSED, _WRONGLY_ANSWERED]
    whole = _run(service, *questions)
    seen: list[None] = []

    def stop_after_two() -> None:
        seen.append(None)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(service, *questions, journals=tmp_path, asked=stop_after_two)
    (journal,) = tmp_path.iterdir()
    kept = journal.read_text().splitlines()
    assert [json.loads(line)["id"] for line in kept] == ["1", "2"]
    # The second row was cut short by whatever stopped it.
    journal.write_text(
        f"{kept[0].replace(_HIT.question, 'as it was asked before')}\n{kept[1][:50]}"
    )
    run = _run(service, *questions, journals=tmp_path)
    assert run["rows"][0]["question"] == "as it was asked before"
    assert [row["scores"] for row in run["rows"]] == [row["scores"] for row in whole["rows"]]
    assert not list(tmp_path.iterdir())  # complete: the next run asks again


def test_other_questions_are_another_journal(service: Service, tmp_path: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    for question in (_HIT, replace(_HIT, answers=("29 days",))):
        with pytest.raises(KeyboardInterrupt):
            _run(service, question, journals=tmp_path, asked=stop)
    assert len(list(tmp_path.iterdir())) == 2


def test_many_questions_at_once_keep_their_order(service: Service) -> None:
    """The first 200 are asked one at a time and timed, the rest several at a time."""
    many = [
        replace(q, id=f"{q.id}-{n}")
        for n in range(60)
        for q in (_HIT, _REFUSED, _RIGHTLY_REFUSED, _WRONGLY_ANSWERED)
    ]
    run = _run(service, *many)
    assert [row["id"] for row in run["rows"]] == [q.id for q in many]
    assert [row["milliseconds"] is not None for row in run["rows"]] == [True] * 200 + [False] * 40
    scores = [row["scores"] for row in run["rows"]]
    assert scores == scores[:4] * 60


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


def _homes(settings: Path) -> list[Path]:
    return [p for p in (settings / "cache" / "evaluation").iterdir() if p.name != "journals"]


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
    assert run["weight_free"] is None  # it is the reader without weights that was asked
    assert run["settings"]["embedder"] == "hashing-1"
    assert run["settings"]["reader"]
    assert run["questions"] == len(run["rows"]) == len(lines)
    assert set(_CONTRACT) <= run["metrics"].keys()
    assert run["metrics"]["recall@10"] > 0.5
    for row, line in zip(run["rows"], lines, strict=True):
        assert row["id"] == json.loads(line)["id"]
    assert not (settings / "home" / "index.sqlite").exists()  # the user's own index is not touched

    assert (settings / "out" / "report.html").read_text("utf-8").startswith("<!doctype html>")
    (home,) = _homes(settings)
    kept = build(Settings(home=home, embedder="hashing", reader="sentence"))
    report = kept.ingest([_DATA / "corpus"])
    kept.close()
    assert report.encoded == report.reused == 0
    assert not report.changed
    status, out = _rag(capsys, *command[:-3])
    assert status == 0
    assert "recall@10" in out
    assert _homes(settings) == [home]


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
