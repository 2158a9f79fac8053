"""What a path is decides how it is read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from rag.errors import InvalidInput
from rag.evaluation.formats import read_question_set

_TABLE = "question,answer,source\nWhere?,here,a.txt\n"
_SQUAD = json.dumps(
    {
        "data": [
            {
                "title": "A",
                "paragraphs": [
                    {
                        "context": "It is here.",
                        "qas": [{"id": "q1", "question": "Where?", "answers": []}],
                    }
                ],
            }
        ]
    }
)


@pytest.mark.parametrize(
    ("name", "content", "files"),
    [
        ("a.jsonl", '{"id": "q1", "question": "Where?", "answerable": false}', 0),
        ("a.csv", _TABLE, 0),
        ("a.tsv", _TABLE.replace(",", "\t"), 0),
        ("A.CSV", _TABLE, 0),
        ("a.json", _SQUAD, 1),
        ("a.json.gz", _SQUAD, 1),
    ],
)
def test_files(tmp_path: Path, name: str, content: str, files: int) -> None:
    data = content.encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    read = read_question_set(path)
    assert [question.question for question in read.questions] == ["Where?"]
    assert len(read.files) == files


def _beir(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "text": "It is here."}')
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "Where?"}')
    (folder / "qrels" / "test.tsv").write_text("q\td\tgrade\nq1\td1\t1\n")
    (folder / "qrels" / "dev.tsv").write_text("q\td\tgrade\nq1\td1\t2\n")
    return folder


def test_a_beir_folder(tmp_path: Path) -> None:
    folder = _beir(tmp_path / "beir")
    assert read_question_set(folder).questions[0].relevant == (("d1.md", 1),)
    read = read_question_set(folder, qrels=folder / "qrels" / "dev.tsv")
    assert read.questions[0].relevant == (("d1.md", 2),)


@pytest.mark.parametrize("name", ["queries.tsv", "topics.txt"])
def test_queries_with_judgements(tmp_path: Path, name: str) -> None:
    folder = _beir(tmp_path / "beir")
    (tmp_path / name).write_text("q1\tWhere?\n")
    for queries in (tmp_path / name, folder / "queries.jsonl"):
        read = read_question_set(queries, qrels=folder / "qrels" / "test.tsv")
        assert read.questions[0].relevant == (("d1", 1),)


def test_a_partial_set(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{_TABLE},here,a.txt\n")
    with pytest.raises(InvalidInput, match=r"a\.csv: line 3: question is blank"):
        read_question_set(path)
    read = read_question_set(path, partial=True)
    assert len(read.questions) == len(read.left_out) == 1


@pytest.mark.parametrize("name", ["a.xlsx", "a", "folder", "folder.csv", "none.csv", "x" * 300])
def test_what_is_not_accepted(tmp_path: Path, name: str) -> None:
    """The message says what is; one for a path that can't be is the system's own."""
    (tmp_path / "a.xlsx").write_text(_TABLE)
    (tmp_path / "a").write_text(_TABLE)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidInput, match=r"JSON lines.*BEIR.*--qrels|too long") as refused:
        read_question_set(tmp_path / name)
    assert name in str(refused.value)


def test_a_folder_that_is_not_beir_has_no_judgements(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="a folder in another layout"):
        read_question_set(tmp_path, qrels=tmp_path / "qrels.txt")
