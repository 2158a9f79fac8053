"""Feedback becomes lines of a question set, in the documents' own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from starlette.testclient import TestClient

from rag.evaluation.json_lines import read_json_lines
from rag.evaluation.questions import Evidence, Question
from rag.feedback import FILE, FeedbackFile

Serve: TypeAlias = Callable[..., AbstractContextManager[TestClient]]
_QUESTION = "How many days of annual leave does a full-time member of staff have?"
_SENTENCE = "Every full-time member of staff has 28 days of annual leave."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def mine(
    serve: Callable[..., AbstractContextManager[TestClient]], home: Path, handbook: Path
) -> Iterator[TestClient]:
    with serve(home, paths=(handbook,)) as client:
        yield client


def _said(client: TestClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/v1/ask", json={"question": _QUESTION}).json()["answer"]
    return answer


def _learnt(home: Path) -> list[Question]:
    return list(read_json_lines(home / FILE).questions)


def test_a_right_answer_is_gold(mine: TestClient, home: Path) -> None:
    answer = _said(mine)
    told = {"question": _QUESTION, "verdict": "right", "citation": answer["citation"]}
    response = mine.post("/v1/feedback", json=told)
    assert response.status_code == 201
    (learnt,) = _learnt(home)
    assert learnt == Question(
        id=response.json()["id"],
        question=_QUESTION,
        answers=(answer["text"],),
        answerable=True,
        evidence=(Evidence("leave.md", _SENTENCE),),
        tags=("feedback", "right"),
    )


def test_a_wrong_answer_is_rejected(mine: TestClient, home: Path) -> None:
    answer = _said(mine)
    told = {"question": _QUESTION, "verdict": "wrong", "citation": answer["citation"]}
    assert mine.post("/v1/feedback", json=told).status_code == 201
    more = told | {"expected": "28 working days", "note": "\u2603"}
    assert mine.post("/v1/feedback", json=more).status_code == 201
    unknown, known = _learnt(home)
    assert (unknown.answerable, unknown.answers) == (None, ())
    assert unknown.rejected == known.rejected == (answer["text"],)
    assert (known.answerable, known.answers) == (True, ("28 working days",))


def test_not_found(mine: TestClient, home: Path) -> None:
    asked = {"question": "Which orchestra played Mahler in Vienna?"}
    right = mine.post("/v1/feedback", json=asked | {"verdict": "right"})
    nothing_learnt = mine.post("/v1/feedback", json=asked | {"verdict": "wrong"})
    wrong = mine.post(
        "/v1/feedback", json=asked | {"verdict": "wrong", "expected": "the Philharmonic"}
    )
    statuses = [response.status_code for response in (right, nothing_learnt, wrong)]
    assert statuses == [201, 422, 201]
    assert "expected" in nothing_learnt.json()["detail"]
    assert [(q.answerable, q.answers) for q in _learnt(home)] == [
        (False, ()),
        (True, ("the Philharmonic",)),
    ]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"verdict": "perhaps"}, 422),
        ({"question": " "}, 422),
        ({"note": "\ud800"}, 422),
        ({"expected": ""}, 422),
        ({"collection": "none"}, 404),
        ({"citation": {"document_id": "0" * 32, "start": 0, "end": 1}}, 404),
        ({"citation": {"document_id": "..", "start": 0, "end": 1}}, 422),
        ({"citation": {"document_id": None, "start": 0, "end": 1}}, 422),
        ({"citation": {"start": 5, "end": 5}}, 422),
        ({"citation": {"start": 0, "end": 10**9}}, 422),
        ({"citation": {"start": 5, "end": 9, "sentence_start": 6, "sentence_end": 9}}, 422),
        ({"citation": {"start": -1, "end": 9}}, 422),
    ],
)
def test_what_can_not_be_used_is_refused(
    mine: TestClient, home: Path, change: dict[str, Any], status: int
) -> None:
    citation = _said(mine)["citation"]
    told = {"question": _QUESTION, "verdict": "right", "citation": citation} | change
    if status == 422 and "citation" in change:
        told["citation"] = {"document_id": citation["document_id"]} | change["citation"]
    # Not `json=`, which can't encode half a surrogate pair.
    headers = {"content-type": "application/json"}
    response = mine.post("/v1/feedback", content=json.dumps(told).encode(), headers=headers)
    assert response.status_code == status, response.text
    assert not (home / FILE).exists()


def test_a_line_that_a_crash_cut_short_spoils_no_other(tmp_path: Path) -> None:
    file = FeedbackFile(tmp_path)
    file.append({"id": "one"})
    with file.path.open("ab") as torn:
        torn.write(b'{"id": "tw')
    file.append({"id": "three"})
    assert file.path.read_text().split("\n") == [
        '{"id": "one"}',
        '{"id": "tw',
        '{"id": "three"}',
        "",
    ]
