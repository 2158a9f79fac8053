"""Question sets: read whole or refused by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InvalidInput
from rag.evaluation.json_lines import read_json_lines
from rag.evaluation.questions import Evidence, Question

_ROW: dict[str, Any] = {
    "id": "q1",
    "question": "Where?",
    "answers": ["here"],
    "answerable": True,
    "evidence": [{"source": "a.txt", "quote": "It is here."}],
    "tags": ["place"],
}


def _file(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "questions.jsonl"
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_fields(tmp_path: Path) -> None:
    none = {"id": "q2", "question": "Why?", "answerable": False}
    assert list(read_json_lines(_file(tmp_path, _ROW, "", none)).questions) == [
        Question("q1", "Where?", ("here",), True, (Evidence("a.txt", "It is here."),), ("place",)),
        Question("q2", "Why?", (), False, ()),
    ]


def test_separators_inside_a_string_end_no_line(tmp_path: Path) -> None:
    question = "one\u2028two\u0085three\u2029four"
    (read,) = read_json_lines(_file(tmp_path, _ROW | {"question": question})).questions
    assert read.question == question


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    second = json.dumps(_ROW | {"id": "q2"})
    path.write_bytes(b"\xef\xbb\xbf" + f"{json.dumps(_ROW)}\r\n{second}\r\n".encode())
    assert [question.id for question in read_json_lines(path).questions] == ["q1", "q2"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("{", "line 2: "),
        ("[]", "line 2: not a JSON object"),
        ("[" * 100_000, "line 2: "),
        (_ROW | {"id": 5}, "line 2: id"),
        (_ROW | {"id": "q2", "question": " "}, "line 2: question"),
        ('{"id": "q2", "question": "\\ud800", "answerable": false}', "line 2: "),
        (_ROW | {"id": "q2", "answers": "here"}, "line 2: answers"),
        (_ROW | {"id": "q2", "answers": [5]}, "line 2: answers"),
        (_ROW | {"id": "q2", "answerable": "yes"}, "line 2: answerable"),
        (_ROW | {"id": "q2", "answerable": False}, "line 2: answerable"),
        (_ROW | {"id": "q2", "answers": []}, "line 2: answerable"),
        (_ROW | {"id": "q2", "evidence": ["a.txt"]}, "line 2: evidence"),
        (_ROW | {"id": "q2", "evidence": [{"source": "a.txt"}]}, "line 2: quote"),
        (_ROW | {"id": "q2", "tags": {}}, "line 2: tags"),
        (_ROW, "'q1' stands twice"),
    ],
)
def test_wrong_lines_are_named(tmp_path: Path, row: object, what: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_json_lines(_file(tmp_path, _ROW, row))
    assert what in str(refused.value)
    assert "nothing was run" in str(refused.value)


def test_many_wrong_lines(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"line 1: .*; line 5: .* and 4 more"):
        read_json_lines(_file(tmp_path, *["{"] * 9))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe", None])
def test_no_question_set(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "questions.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput):
        read_json_lines(path)
