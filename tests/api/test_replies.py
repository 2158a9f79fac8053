"""Ask and search: every field of the contract, and every citation a fact about its file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

Check = Callable[[TestClient, dict[str, Any]], str]

_CITATION: dict[str, tuple[type, ...]] = {
    "document_id": (str,),
    "source": (str,),
    "title": (str,),
    "date": (str, type(None)),
    "sha256": (str,),
    "text_sha256": (str,),
    "loader": (str,),
    "page": (int, type(None)),
    "page_label": (str, type(None)),
    "heading": (list,),
    "paragraph": (int,),
    "paragraph_end": (int,),
    "start": (int,),
    "end": (int,),
    "quote": (str,),
    "sentence_start": (int, type(None)),
    "sentence_end": (int, type(None)),
    "prefix": (str,),
    "suffix": (str,),
}
_ANSWER: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "sentence": (str,),
    "confidence": (float, type(None)),
    "citation": (dict,),
    "also_in": (list,),
}
_PASSAGE: dict[str, tuple[type, ...]] = {
    "rank": (int,),
    "score": (float,),
    "text": (str,),
    "citation": (dict,),
    "also_in": (list,),
}
_SEARCH: dict[str, tuple[type, ...]] = {
    "question": (str,),
    "collection": (str,),
    "passages": (list,),
    "index": (dict,),
    "took_ms": (dict,),
}
_REPLY = _SEARCH | {
    "rewritten": (str, type(None)),
    "answered": (bool,),
    "answer": (dict, type(None)),
    "answers": (list,),
    "reason": (str, type(None)),
    "explanation": (list, type(None)),
}
_INDEX: dict[str, tuple[type, ...]] = {
    "generation": (int,),
    "embedder": (str,),
    "reader": (str,),
    "calibrated": (type(None),),
}
_QUESTIONS = [
    "How many days of annual leave does a full-time member of staff have?",
    "When does the car park close on weekdays?",
    "What is the code of the barrier?",
    "Where is the fire assembly point?",
    "Who empties the dishwasher every morning?",
    "How long may equipment be borrowed?",
]
_UNANSWERABLE = "Which orchestra played Mahler in Vienna?"


def _holds(value: dict[str, Any], fields: dict[str, tuple[type, ...]]) -> None:
    assert value.keys() == fields.keys()
    for name, types in fields.items():
        assert type(value[name]) in types, (name, value[name])


def _ask(client: TestClient, question: str, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    return reply


@pytest.mark.parametrize("question", [*_QUESTIONS, _UNANSWERABLE])
def test_reply_has_every_field(client: TestClient, question: str) -> None:
    reply = _ask(client, question)
    _holds(reply, _REPLY)
    assert reply["question"] == question
    assert reply["collection"] == "default"
    _holds(reply["index"], _INDEX)
    _holds(reply["took_ms"], {"total": (float,), "retrieve": (float,), "read": (float,)})
    assert reply["answered"] == (reply["answer"] is not None) == bool(reply["answers"])
    assert (reply["reason"] is None) == reply["answered"]
    assert reply["answer"] == (reply["answers"] or [None])[0]
    for answer in reply["answers"]:
        _holds(answer, _ANSWER)
    for passage in reply["passages"]:
        _holds(passage, _PASSAGE)
    for shown in (*reply["answers"], *reply["passages"]):
        for citation in (shown["citation"], *shown["also_in"]):
            _holds(citation, _CITATION)


@pytest.mark.parametrize("question", [*_QUESTIONS, _UNANSWERABLE])
def test_every_citation_is_true(client: TestClient, check_citation: Check, question: str) -> None:
    reply = _ask(client, question, top_k=20)
    for answer in reply["answers"]:
        assert answer["text"] == answer["citation"]["quote"]
        for citation in (answer["citation"], *answer["also_in"]):
            text = check_citation(client, citation)
            first, last = citation["sentence_start"], citation["sentence_end"]
            assert first <= citation["start"] < citation["end"] <= last
            words = re.findall(r"\w+", answer["sentence"].lower())
            assert re.findall(r"\w+", text[first:last].lower()) == words
        cited = answer["citation"]
        text = check_citation(client, cited)
        assert text[cited["sentence_start"] : cited["sentence_end"]] == answer["sentence"]
    for passage in reply["passages"]:
        assert passage["text"] == passage["citation"]["quote"]
        for citation in (passage["citation"], *passage["also_in"]):
            check_citation(client, citation)
            assert citation["sentence_start"] is None
            assert citation["sentence_end"] is None


def test_a_reply_told_by_hand(client: TestClient, handbook: Path) -> None:
    answer = _ask(client, "When does the car park close on weekdays?")["answer"]
    citation = answer["citation"]
    text = (handbook / "parking.txt").read_bytes().decode().removeprefix("\ufeff")
    assert answer["sentence"] == "The car park \U0001f697 closes at 22:30 on weekdays."
    assert "22:30" in answer["text"]
    assert citation["source"] == "parking.txt"
    assert citation["title"] == "parking"
    assert citation["sha256"] == hashlib.sha256((handbook / "parking.txt").read_bytes()).hexdigest()
    assert citation["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert citation["loader"] == "text/1"
    assert (citation["paragraph"], citation["paragraph_end"]) == (1, 1)
    assert (citation["page"], citation["heading"]) == (None, [])
    assert citation["start"] == text.index(answer["text"])


def test_headings_and_pages_are_cited(client: TestClient) -> None:
    leave = _ask(client, "How many days of leave may be carried over into the next year?")["answer"]
    assert leave["citation"]["heading"][-1] == "Carrying over"
    assert leave["citation"]["paragraph"] == 4
    passages = _ask(client, "borrowing equipment loan period", top_k=50)["passages"]
    pages = {p["citation"]["page"] for p in passages if p["citation"]["source"] == "equipment.pdf"}
    assert 1 in pages
    assert None not in pages


def test_what_several_files_say_is_one_answer(client: TestClient) -> None:
    reply = _ask(client, "Where is the fire assembly point?")
    answer = reply["answer"]
    sources = [c["source"] for c in (answer["citation"], *answer["also_in"])]
    assert sorted(sources) == ["copies/one.txt", "copies/two.txt"]
    passage = reply["passages"][0]
    places = [c["source"] for c in (passage["citation"], *passage["also_in"])]
    assert sorted(places) == ["copies/one.txt", "copies/two.txt"]


def test_search_is_ask_without_answers(client: TestClient) -> None:
    question = _QUESTIONS[0]
    found = client.post("/v1/search", json={"question": question, "top_k": 3}).json()
    _holds(found, _SEARCH)
    assert found["index"].keys() == {"generation", "embedder", "reader", "calibrated"}
    assert found["index"]["reader"] is found["index"]["calibrated"] is None
    every = client.post("/v1/search", json={"question": question, "top_k": 100}).json()
    read = _ask(client, question, top_k=100)
    # The same passages, but the one with the answer comes first.
    assert sorted(p["text"] for p in every["passages"]) == sorted(
        p["text"] for p in read["passages"]
    )
    assert read["passages"][0]["citation"]["source"] == read["answer"]["citation"]["source"]


def test_an_explanation_on_request(client: TestClient) -> None:
    plain, explained = (_ask(client, _QUESTIONS[0], **asked) for asked in ({}, {"explain": True}))
    assert plain["explanation"] is None
    for reply in (plain, explained):
        del reply["took_ms"]
    passages = explained["explanation"]
    assert explained | {"explanation": None} == plain  # asking why changes nothing
    assert [one["rank"] for one in passages] == list(range(1, len(passages) + 1))
    first = passages[0]
    assert first["fate"] == "answer"
    assert first["span"]["quote"] == plain["answer"]["text"]
    assert first["span_score"] > first["null_score"]
    assert {"annual", "leav"} <= set(first["terms"])
    assert {one["fate"] for one in passages[1:]} <= {"low_confidence", "no_words", "not_read"}


def test_not_found_shows_the_nearest(client: TestClient) -> None:
    reply = _ask(client, _UNANSWERABLE)
    assert (reply["answered"], reply["answer"], reply["answers"]) == (False, None, [])
    assert reply["reason"] == "low_confidence"
    assert len(reply["passages"]) == 5


def test_an_empty_index_says_so(empty: TestClient) -> None:
    reply = _ask(empty, "Anything?")
    assert (reply["answered"], reply["reason"], reply["passages"]) == (False, "empty_index", [])


@pytest.mark.parametrize("top_k", [1, 2, 100])
def test_top_k(client: TestClient, top_k: int) -> None:
    passages = _ask(client, _QUESTIONS[0], top_k=top_k)["passages"]
    assert len(passages) == top_k or (top_k == 100 and len(passages) > 5)
    assert [passage["rank"] for passage in passages] == list(range(1, len(passages) + 1))
    scores = [passage["score"] for passage in passages]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("top_k", [0, 101, -1, 1.5, "5", True, None, [5], 10**30])
@pytest.mark.parametrize("route", ["/v1/ask", "/v1/search"])
def test_bad_top_k(
    client: TestClient, check_problem: Callable[..., dict[str, Any]], route: str, top_k: object
) -> None:
    response = client.post(route, json={"question": "Where?", "top_k": top_k})
    assert check_problem(response, 422)["detail"].startswith("top_k: ")


def test_without_calibration_no_confidence_is_reached(client: TestClient) -> None:
    question = _QUESTIONS[0]
    assert _ask(client, question)["answer"]["confidence"] is None
    for least in (None, 0, 0.0):
        assert _ask(client, question, min_confidence=least)["answered"]
    for least in (1e-9, 0.5, 1):
        reply = _ask(client, question, min_confidence=least)
        assert (reply["answered"], reply["reason"]) == (False, "low_confidence")
        assert reply["passages"]


@pytest.mark.parametrize("least", [-0.1, 1.1, "0.5", True, []])
def test_bad_min_confidence(
    client: TestClient, check_problem: Callable[..., dict[str, Any]], least: object
) -> None:
    response = client.post("/v1/ask", json={"question": "Where?", "min_confidence": least})
    assert check_problem(response, 422)["detail"].startswith("min_confidence: ")


@pytest.mark.parametrize("question", ["", " \n\t", "\u2003", "x" * 2001])
def test_bad_questions(
    client: TestClient, check_problem: Callable[..., dict[str, Any]], question: str
) -> None:
    for route in ("/v1/ask", "/v1/search"):
        response = client.post(route, json={"question": question})
        assert check_problem(response, 422)["detail"].startswith("question: ")


def test_the_longest_question_counts_code_points(client: TestClient) -> None:
    _ask(client, "\U0001f600" * 2000)


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "ä", "../x", "a\n", "\0", "a" * 64])
def test_names_that_no_collection_has(
    client: TestClient, check_problem: Callable[..., dict[str, Any]], name: str
) -> None:
    for route in ("/v1/ask", "/v1/search"):
        response = client.post(route, json={"question": "Where?", "collection": name})
        check_problem(response, 422)
    check_problem(client.get("/v1/documents", params={"collection": name}), 422)


def test_unknown_collection(
    client: TestClient, check_problem: Callable[..., dict[str, Any]]
) -> None:
    for route in ("/v1/ask", "/v1/search"):
        response = client.post(route, json={"question": "Where?", "collection": "reports"})
        check_problem(response, 404)
    check_problem(client.get("/v1/documents", params={"collection": "reports"}), 404)


def test_a_follow_up_is_completed_from_the_history(client: TestClient) -> None:
    before = {"question": "Where is the fire assembly point?", "answer": None}
    body = {"question": "And the car park?", "history": [before], "explain": True}
    reply = client.post("/v1/ask", json=body).json()
    assert reply["question"] == "And the car park?"
    assert reply["rewritten"] == "Where is the car park?"
    literal = client.post("/v1/ask", json={**body, "history": []}).json()
    assert literal["rewritten"] is None
    whole = client.post("/v1/ask", json={"question": "Where is the car park?"}).json()
    assert reply["passages"] == whole["passages"]


@pytest.mark.parametrize(
    "history",
    [
        [{"question": "Where?"}] * 11,
        [{"question": " "}],
        [{"question": "a\0b"}],
        [{"question": "x" * 2_001}],
        [{"question": "Where?", "answer": "x" * 2_001}],
        [{"question": "Where?", "answer": "a\0b"}],
        [{"answer": "There"}],
        ["Where?"],
        "Where?",
        None,
    ],
)
def test_a_history_out_of_bounds_is_refused(client: TestClient, history: Any) -> None:
    reply = client.post("/v1/ask", json={"question": "And there?", "history": history})
    assert reply.status_code == 422
