"""`rag eval` over each kind of question set, and what it writes and says; light parts."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run

_LEAVE = "Every member of staff has 28 days of leave."
_FILES = {
    "leave.txt": f"{_LEAVE}\n",
    "parking.txt": "The car park closes at 22:30 on weekdays.\n",
    "fire.txt": "The assembly point is behind the boiler house.\n",
}
_SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Castle",
            "paragraphs": [
                {
                    "context": "The castle was built in 1204 by King John.",
                    "qas": [
                        {
                            "id": "when",
                            "question": "When was the castle built by King John?",
                            "answers": [{"text": "1204", "answer_start": 24}],
                            "is_impossible": False,
                        },
                        {
                            "id": "never",
                            "question": "Which orchestra played Mahler in Vienna?",
                            "answers": [],
                            "is_impossible": True,
                        },
                    ],
                }
            ],
        }
    ],
}
Rag = Callable[..., tuple[int, str, str]]


@pytest.fixture
def rag(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rag:
    """`rag(…)` gives status, stdout and stderr; the working folder holds `folder` with files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name, text in _FILES.items():
        (tmp_path / "folder" / name).write_text(text)

    def call(*arguments: object) -> tuple[int, str, str]:
        ran = run(*arguments)
        return ran.status, ran.out, ran.err

    return call


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "questions.csv"
    path.write_text(
        "question,answer,source\n"
        "How many days of leave has a member of staff?,28 days,leave.txt\n"
        "When does the car park close on weekdays?,22:30,parking.txt\n"
        "Which orchestra played Mahler in Vienna?,,\n"
    )
    return path


def _json(out: str) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(out)
    return run


def test_a_table(rag: Rag, table: Path) -> None:
    status, out, _ = rag("eval", table, "--corpus", "folder", "--json")
    run = _json(out)
    assert status == 0
    assert run["metrics"]["right"] == 1
    assert run["metrics"]["recall@1"] == run["metrics"]["file_recall@1"] == 1


def test_half_a_file_runs_only_where_that_is_asked(rag: Rag, table: Path) -> None:
    table.write_text(table.read_text() + "one cell\n")
    status, out, err = rag("eval", table, "--corpus", "folder")
    assert (status, out) == (2, "")
    assert "line 5" in err
    assert "--partial" in err
    status, out, _ = rag("eval", table, "--corpus", "folder", "--partial", "--json")
    assert status == 0
    assert _json(out)["questions"] == 3
    assert "line 5" in _json(out)["question_set"]["left_out"][0]


def test_squad_in_both_modes(rag: Rag, tmp_path: Path) -> None:
    file = tmp_path / "squad.json.gz"
    file.write_bytes(gzip.compress(json.dumps(_SQUAD).encode()))
    status, out, _ = rag("eval", file, "--json", "--predictions", "said.json")
    given = _json(out)
    assert (status, given["settings"]["mode"], given["corpus"]) == (0, "reader", None)
    assert json.loads((tmp_path / "said.json").read_text()).keys() == {"when", "never"}
    status, out, _ = rag("eval", file, "--mode", "open", "--json")
    opened = _json(out)
    assert (status, opened["corpus"]["documents"]) == (0, 1)
    assert opened["metrics"]["recall@1"] == opened["metrics"]["right"] == 1
    assert not (tmp_path / "home").exists()  # neither needs the user's own index


def test_a_beir_folder(rag: Rag, tmp_path: Path) -> None:
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": f"d/{n}", "title": "", "text": t} for n, t in enumerate(_FILES.values())]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "car park on weekdays"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td/1\t2\n")
    status, out, _ = rag("eval", folder, "--json", "--trec", "run.txt")
    run = _json(out)
    assert status == 0
    assert run["metrics"]["file_ndcg@10"] == 1
    assert run["weight_free"] is None  # nothing is read
    first, *_ = (tmp_path / "run.txt").read_text().splitlines()
    assert first.split()[:4] == ["q1", "Q0", "d/1", "1"]


def test_trec_judgements_of_the_users_own_files(rag: Rag, tmp_path: Path) -> None:
    (tmp_path / "queries.tsv").write_text("q1\tcar park on weekdays\n")
    (tmp_path / "qrels.txt").write_text("q1 0 parking.txt 1\n")
    assert rag("ingest", "folder")[0] == 0
    status, out, _ = rag("eval", "queries.tsv", "--qrels", "qrels.txt", "--json")
    assert status == 0
    assert _json(out)["metrics"]["file_mrr@10"] == 1


def test_a_gate_passes_and_fails(rag: Rag, table: Path) -> None:
    gate = table.with_name("gate.toml")
    gate.write_text("[least]\nright = 0.9\n")
    status, out, _ = rag("eval", table, "--corpus", "folder", "--gate")
    assert status == 0
    assert out.endswith("gate: passed\n")
    (table.parent / "strict.toml").write_text("[least]\nexact_match = 1\n[most]\nanswered = 0.1\n")
    status, out, _ = rag("eval", table, "--corpus", "folder", "--gate", "strict.toml")
    assert status == 1
    assert "gate: NOT passed" in out
    assert "answered is 0.667, at most 0.100 is asked" in out


def test_a_baseline(rag: Rag, table: Path, tmp_path: Path) -> None:
    run = ("eval", table, "--corpus", "folder")
    assert rag(*run, "--out", "before")[0] == 0
    assert (tmp_path / "before" / "report.html").stat().st_size > 10_000
    status, out, _ = rag(*run, "--baseline", "before/run.json", "--json")
    comparison = _json(out)["comparison"]
    assert (status, comparison["fixed"], comparison["broken"]) == (0, [], [])
    (tmp_path / "folder" / "leave.txt").write_text("Nothing is said here.\n")
    status, _, err = rag(*run, "--baseline", "before/run.json")
    assert status == 2
    assert "its documents are others" in err
    gate = table.with_name("gate.toml")
    gate.write_text("[worse]\nright = 0.02\n")
    assert rag(*run, "--gate")[0] == 2  # there is nothing to compare with
    anyway = (*run, "--baseline", "before/run.json", "--compare-anyway")
    status, out, _ = rag(*anyway, "--json")
    assert _json(out)["comparison"]["broken"] == ["line-2"]
    row = _json(out)["rows"][0]
    assert (row["cause"], row["detail"]) == ("not_indexed", "leave.txt does not say '28 days'")


def test_a_threshold_is_fitted_used_and_reported(rag: Rag, tmp_path: Path) -> None:
    """Enough questions of the same kind, all right, and as many that nothing answers."""
    rows = [
        {"id": f"y{n}", "question": "How many days of leave has a member of staff?",
         "answers": ["28 days"], "answerable": True} for n in range(70)
    ] + [
        {"id": f"n{n}", "question": "Where do members of the parking committee meet?",
         "answers": [], "answerable": False} for n in range(30)
    ]  # fmt: skip
    few, many = tmp_path / "few.jsonl", tmp_path / "many.jsonl"
    few.write_text("\n".join(map(json.dumps, rows[:20])))
    many.write_text("\n".join(map(json.dumps, rows)))
    assert rag("ingest", "folder")[0] == 0
    status, out, _ = rag("eval", few, "--calibrate")
    assert status == 1
    assert "39 more questions are needed" in out
    assert rag("eval", many, "--calibrate", "--corpus", "folder")[0] == 2  # of which index?
    assert rag("eval", many, "--calibrate", "--max-wrong", "7")[0] == 2
    status, out, _ = rag("eval", many, "--calibrate", "--json")
    tuning = _json(out)["calibration"]["tuning"]
    assert status == 0
    assert tuning["evidence"]["wrong"] == 0
    assert json.loads((tmp_path / "home" / "calibration" / "default.json").read_text()) == tuning
    status, out, _ = rag("ask", "How many days of leave has a member of staff?", "--json")
    reply = _json(out)
    assert status == 0
    assert reply["answer"]["confidence"] >= tuning["threshold"]  # the baseline has none by itself
    assert reply["index"]["calibrated"] == tuning["date"]
    status, out, _ = rag("eval", many, "--json")
    assert _json(out)["metrics"]["wrongly_answered"] == 0
    assert _json(out)["settings"]["calibrated"] == tuning["date"]


@pytest.mark.parametrize("name", ["none.jsonl", "folder", "folder/leave.txt"])
def test_what_is_no_question_set(rag: Rag, name: str) -> None:
    status, out, err = rag("eval", name)
    assert (status, out) == (2, "")
    assert "JSON lines" in err


def test_mode_reader_needs_paragraphs(rag: Rag, table: Path) -> None:
    status, _, err = rag("eval", table, "--mode", "reader")
    assert status == 2
    assert "SQuAD" in err


def test_a_corpus_of_nothing(rag: Rag, table: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for corpus in ("empty", "missing"):
        status, _, err = rag("eval", table, "--corpus", corpus)
        assert status == 2
        assert "corpus" in err


@pytest.mark.parametrize(
    "output",
    [("--out", "questions.csv"), ("--trec", "none/run.txt"), ("--predictions", "folder")],
)
def test_what_can_not_be_written_is_said_first(
    rag: Rag, table: Path, output: tuple[str, str]
) -> None:
    status, out, err = rag("eval", table, "--corpus", "folder", *output)
    assert (status, out) == (2, "")
    assert output[1] in err


def test_an_empty_index(rag: Rag, tmp_path: Path) -> None:
    """No question names a file, so nothing tells before the first is asked."""
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"id": "1", "question": "Where?", "answerable": false}')
    status, _, err = rag("eval", questions)
    assert status == 2
    assert "'default' is empty" in err
