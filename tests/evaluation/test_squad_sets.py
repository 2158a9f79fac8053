"""SQuAD files as question sets with their articles."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InvalidInput
from rag.evaluation.questions import Evidence, Question
from rag.evaluation.squad_sets import read_squad_set
from rag.loading.plain import READER
from rag.text import paragraphs

_TEXT = "Staff have 28 days. Part-time staff have 14 days. Days lapse in March, but not in April."


def _asked(text: str, number: object, *answers: str, **more: object) -> dict[str, Any]:
    spans = [{"text": answer, "answer_start": text.index(answer)} for answer in answers]
    return {"id": number, "question": f"Question {number}?", "answers": spans, **more}


def _article(title: object, *contexts: tuple[str, Sequence[object]]) -> dict[str, Any]:
    return {"title": title, "paragraphs": [{"context": c, "qas": list(q)} for c, q in contexts]}


def _file(tmp_path: Path, *articles: object) -> Path:
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"version": "v2.0", "data": articles}), "utf-8")
    return path


def _evidence(tmp_path: Path, text: str, *answers: str) -> list[str | None]:
    path = _file(tmp_path, _article("A", (text, [_asked(text, "q", *answers)])))
    return [piece.quote for piece in read_squad_set(path).questions[0].evidence]


def test_questions_and_files(tmp_path: Path) -> None:
    second = "The gate closes at 22:30."
    impossible = _asked(_TEXT, "q2", is_impossible=True, plausible_answers=[{"text": "March"}])
    path = _file(
        tmp_path,
        _article(
            "Annual_leave",
            (_TEXT, [_asked(_TEXT, "q1", "28 days", "28", "28 days"), impossible]),
            (second, [_asked(second, "q3", "22:30")]),
        ),
        _article("Parking", ("The car park is free.", [])),
    )
    read = read_squad_set(path)
    source = "Annual leave.txt"
    assert read.questions == (
        Question(
            "q1",
            "Question q1?",
            ("28 days", "28"),
            True,
            (Evidence(source, "Staff have 28 days."),),
        ),
        Question("q2", "Question q2?", (), False, tags=("impossible",)),
        Question("q3", "Question q3?", ("22:30",), True, (Evidence(source, second),)),
    )
    assert read.files == (
        (source, f"{_TEXT}\n\n{second}".encode()),
        ("Parking.txt", b"The car park is free."),
    )
    packed = tmp_path / "set.json.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_squad_set(packed) == read


def test_evidence(tmp_path: Path) -> None:
    first, second, third = _TEXT[:19], _TEXT[20:49], _TEXT[50:]
    assert _evidence(tmp_path, _TEXT, "14", "14 days", "Part-time") == [second]
    assert _evidence(tmp_path, _TEXT, "March", "28 days") == [third, first]
    across = "28 days. Part-time"
    assert _evidence(tmp_path, _TEXT, across, "14 days") == [f"{first} {second}"]
    assert _evidence(tmp_path, _TEXT, "14 days", across, "April") == [second, third]


def test_answers_without_words(tmp_path: Path) -> None:
    """One is a slip beside others that hold words, and all there is where none does."""
    for answers, expected in ((["."], (".",)), ([".", "14"], ("14",)), (["", " "], ())):
        path = _file(tmp_path, _article("A", (_TEXT, [_asked(_TEXT, "q", *answers)])))
        (question,) = read_squad_set(path).questions
        assert question.answers == expected
        assert question.answerable is bool(expected)
        assert len(question.evidence) == len(expected)


@pytest.mark.parametrize(
    "text",
    [
        "One line\n\nand another.",
        "One line\r\n\r\nand another.",
        "One line\r\rand another.",
        "One line\n \t\n\u00a0\n\n and another.",
        "\n\nOne line, and another.\n\n",
        "One line\nand another.",
        "One line\x00and another \ud800.",
        "One line\x0b\n\x1c\nand another.",
    ],
)
def test_a_paragraph_stays_one(tmp_path: Path, text: str) -> None:
    path = _file(tmp_path, _article("A", (text, [_asked(text, "q", "another")]), ("Next.", [])))
    read = read_squad_set(path)
    ((name, content),) = read.files
    shown = READER.read(content).text
    one, other = (span.of(shown) for span in paragraphs(shown))
    assert one.startswith("One line")
    assert "another" in one
    assert other == "Next."
    (question,) = read.questions
    assert question.answers == ("another",)
    (piece,) = question.evidence
    assert piece.source == name
    assert piece.quote
    assert piece.quote in one


def test_paragraphs_without_text(tmp_path: Path) -> None:
    article = _article("A", (" \n", [_asked("", "q", is_impossible=True)]), ("Words.", []))
    read = read_squad_set(_file(tmp_path, article, _article("B", ("\n", []))))
    assert read.files == (("A.txt", b"Words."),)
    assert [question.id for question in read.questions] == ["q"]


def test_file_names(tmp_path: Path) -> None:
    titles = {
        "Bras%C3%ADlia": "Brasília.txt",
        "AC/DC: a\\b?": "AC_DC_ a_b_.txt",
        "brasília": "brasília 2.txt",
        "...": "untitled.txt",
        "\u200b\x00\ud800": "untitled 2.txt",
        "Cafe\u0301": "Café.txt",
        ".hidden": "hidden.txt",
        "../../etc/passwd": "_.._etc_passwd.txt",
        "x" * 300: f"{'x' * 60}.txt",
        "x" * 301: f"{'x' * 60} 2.txt",
    }
    asked = _asked(_TEXT, "q", "14")
    articles = [
        _article(title, (_TEXT, [asked] if not n else [])) for n, title in enumerate(titles)
    ]
    read = read_squad_set(_file(tmp_path, *articles))
    assert [name for name, _ in read.files] == list(titles.values())


def test_ids_that_come_again_are_reported(tmp_path: Path) -> None:
    qas = [_asked(_TEXT, "q1", "14"), _asked(_TEXT, "q1", "28"), _asked(_TEXT, 5, "28")]
    path = _file(tmp_path, _article("A", (_TEXT, qas)))
    with pytest.raises(InvalidInput, match=r"5: id and question must.*'q1' stands twice"):
        read_squad_set(path)
    read = read_squad_set(path, partial=True)
    assert [question.answers for question in read.questions] == [("14",)]
    assert len(read.left_out) == 2


@pytest.mark.parametrize(
    "article",
    [
        {},
        {"title": "A", "paragraphs": [{"context": _TEXT}]},
        _article(None, (_TEXT, [])),
        {"title": "A", "paragraphs": [{"context": ["words"], "qas": []}]},
        _article("A", (_TEXT, [{"id": "q", "question": "?", "answers": ["28"]}])),
        _article(
            "A",
            (
                _TEXT,
                [{"id": "q", "question": "?", "answers": [{"text": "28", "answer_start": 0}]}],
            ),
        ),
        _article("A", (_TEXT, [])),
    ],
)
def test_no_question_set(tmp_path: Path, article: object) -> None:
    with pytest.raises(InvalidInput, match=r"set\.json"):
        read_squad_set(_file(tmp_path, article), partial=True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b""),
        ("a.json", b"[]"),
        ("a.json", b"\xff"),
        ("a.json", b"[" * 100_000),
        ("a.json.gz", b"{}"),
        ("a.json.gz", gzip.compress(b"{}" * 100)[:-12] + b"\xff" * 12),
        ("a.json.gz", gzip.compress(b"{}")[:12]),
        ("a.json.gz", gzip.compress(b"{}")[:10] + b"\xff" * 20),
    ],
)
def test_bytes_that_are_no_squad(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=name):
        read_squad_set(path)
