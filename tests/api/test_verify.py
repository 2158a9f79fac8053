"""Citations held against the index over HTTP: every reply's are exact, and nothing breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

Problem = Callable[..., dict[str, Any]]
Serve = Callable[..., AbstractContextManager[TestClient]]

_FIELDS = {"status", "document_id", "source", "start", "end", "paragraph", "file", "detail"}
_QUESTIONS = [
    "How many days of annual leave does a full-time member of staff have?",
    "When does the car park close?",
    "What is the code of the barrier?",
    "Where is the fire assembly point?",
    "Who empties the dishwasher?",
    "How long is a laptop kept?",
]
_TEXT = "The quokka sleeps.\n\nThe quokka eats 28 leaves.\n"
_CLAIM = {"source": "q.txt", "start": 36, "end": 45, "quote": "28 leaves", "text_sha256": "0" * 64}


def _citations(reply: dict[str, Any]) -> list[dict[str, Any]]:
    shown = [*reply["answers"], *reply["passages"]]
    return [citation for one in shown for citation in (one["citation"], *one["also_in"])]


def _verified(client: TestClient, *citations: dict[str, Any]) -> list[dict[str, Any]]:
    response = client.post("/v1/verify", json={"citations": citations})
    assert response.status_code == 200, response.text
    assert response.json().keys() == {"results"}
    results: list[dict[str, Any]] = response.json()["results"]
    assert all(result.keys() == _FIELDS for result in results)
    assert len(results) == len(citations)
    return results


@pytest.mark.parametrize("question", _QUESTIONS)
def test_every_citation_of_a_reply_is_exact(
    client: TestClient, handbook: Path, question: str
) -> None:
    reply = client.post("/v1/ask", json={"question": question, "top_k": 20}).json()
    citations = _citations(reply)
    assert citations
    for citation, result in zip(citations, _verified(client, *citations), strict=True):
        assert (result["status"], result["file"]) == ("exact", "same")
        for name in ("document_id", "source", "start", "end", "paragraph"):
            assert result[name] == citation[name]
        assert str(handbook.parent) not in json.dumps(result)


def test_an_upload_that_is_replaced_and_removed(empty: TestClient) -> None:
    def upload(text: str) -> str:
        files = [("files", ("q.txt", text.encode()))]
        (result,) = empty.post("/v1/documents", files=files).json()["results"]
        return str(result["document_id"])

    upload(_TEXT)
    question = {"question": "How many leaves does the quokka eat?"}
    passage = empty.post("/v1/ask", json=question).json()["passages"][0]
    cited = passage["citation"]
    (found,) = _verified(empty, cited)
    assert (found["status"], found["file"]) == ("exact", None)

    upload(f"New.\n\n{_TEXT}")
    (found,) = _verified(empty, cited)
    assert (found["status"], found["start"]) == ("moved", cited["start"] + 6)
    assert found["paragraph"] == cited["paragraph"] + 1

    document_id = upload("Nothing of the kind.")
    (found,) = _verified(empty, cited)
    assert (found["status"], found["document_id"]) == ("stale", document_id)
    assert (found["start"], found["end"], found["paragraph"]) == (None, None, None)

    empty.delete(f"/v1/documents/{document_id}")
    (found,) = _verified(empty, cited)
    assert found["status"] == "missing"


def test_only_what_is_needed(empty: TestClient) -> None:
    files = [("files", ("q.txt", _TEXT.encode()))]
    empty.post("/v1/documents", files=files)
    (found,) = _verified(empty, _CLAIM)
    assert (found["status"], found["start"], found["end"]) == ("moved", 36, 45)
    assert _verified(empty, *[_CLAIM] * 100) == [found] * 100
    (same,) = _verified(empty, {**_CLAIM, "title": 5, "loader": None, "unknown": [1]})
    assert same == found


def test_a_damaged_document_spoils_no_other(tmp_path: Path, serve: Serve) -> None:
    with serve(tmp_path / "home") as client:
        names = ("q.txt", "r.txt")
        files = [("files", (name, f"{name} {_TEXT}".encode())) for name in names]
        client.post("/v1/documents", files=files)
        connection = apsw.Connection(str(tmp_path / "home/index.sqlite"))
        connection.execute("UPDATE documents SET text = CAST(x'ff' AS TEXT) WHERE source = 'q.txt'")
        connection.close()
        found = _verified(client, *({**_CLAIM, "source": name} for name in names))
    assert [one["status"] for one in found] == [None, "moved"]
    assert "is damaged" in found[0]["detail"]
    assert str(tmp_path) not in str(found)


@pytest.mark.parametrize(
    "change",
    [
        {"document_id": None, "source": None},
        {"document_id": "x"},
        {"document_id": "../../etc/passwd"},
        {"document_id": 5},
        {"source": ""},
        {"source": "x" * 8_001},
        {"source": "\0"},
        {"source": "\ud800"},
        {"start": -1},
        {"start": "36"},
        {"start": 36.5},
        {"start": True},
        {"start": None},
        {"start": 45},
        {"start": 46},
        {"start": 2**53 + 1, "end": 2**53 + 2},
        {"end": 10**400},
        {"quote": ""},
        {"quote": None},
        {"quote": ["x"]},
        {"quote": "half \udfff"},
        {"quote": "NUL \0"},
        {"quote": "x" * 100_001},
        {"text_sha256": None},
        {"text_sha256": "0" * 63},
        {"text_sha256": "0" * 64 + "\n"},
        {"sha256": "G" * 64},
        {"sentence_start": -1},
        {"sentence_end": "x"},
        {"prefix": "\ud83d"},
        {"suffix": "x" * 2_001},
    ],
    ids=range(31),
)
def test_bad_citations(
    client: TestClient, check_problem: Problem, change: dict[str, object]
) -> None:
    content = json.dumps({"citations": [{**_CLAIM, **change}]}).encode()
    headers = {"Content-Type": "application/json"}
    response = client.post("/v1/verify", content=content, headers=headers)
    detail = check_problem(response, 422)["detail"]
    assert detail.startswith("citations.0")
    assert len(detail) < 300


@pytest.mark.parametrize(
    "body",
    [{}, {"citations": []}, {"citations": [_CLAIM] * 101}, {"citations": _CLAIM}, [_CLAIM]],
    ids=range(5),
)
def test_bad_bodies(client: TestClient, check_problem: Problem, body: object) -> None:
    check_problem(client.post("/v1/verify", json=body), 422)


@pytest.mark.parametrize(
    "change",
    [
        {"start": 2**53 - 9, "end": 2**53},
        {"sentence_start": 2**53, "sentence_end": 0},
        {"sentence_start": 5},
        {"quote": "x" * 100_000},
        {"prefix": "", "suffix": ""},
        {"source": "/etc/passwd"},
        {"source": "../leave.md"},
        {"source": "\u202e\U0001f600\n"},
    ],
    ids=range(8),
)
def test_odd_citations_have_a_result(client: TestClient, change: dict[str, object]) -> None:
    (found,) = _verified(client, {**_CLAIM, **change})
    assert found["status"] == "missing"
    assert found["file"] is None


_JSON = st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None), max_size=9)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(change=st.dictionaries(st.sampled_from([*_CLAIM, "document_id", "sentence_end"]), _JSON))
def test_any_values(client: TestClient, check_problem: Problem, change: dict[str, Any]) -> None:
    content = json.dumps({"citations": [{**_CLAIM, **change}]}).encode()
    headers = {"Content-Type": "application/json"}
    response = client.post("/v1/verify", content=content, headers=headers)
    assert response.status_code in (200, 422)
    if response.status_code != 200:
        check_problem(response)
