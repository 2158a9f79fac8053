"""What a token of one collection sees of another: nothing, on any route."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rag.access import Tokens

Check = Callable[..., dict[str, Any]]
Serve = Callable[..., AbstractContextManager[TestClient]]
_SECRET = "The vault opens with the word zqxjkv."  # noqa: S105
_MARKS = ("zqxjkv", "vault.txt", "hidden")
_ID = "{document_id}"


@dataclass(frozen=True)
class Shared:
    """A server with an open and a hidden collection; headers of tokens by name."""

    client: TestClient
    home: Path
    headers: dict[str, dict[str, str]]
    hidden_id: str
    open_id: str
    citation: dict[str, Any]
    jobs: dict[str, str]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[Shared]:
    home = tmp_path_factory.mktemp("home")
    tokens = Tokens(home)
    secrets = {
        "all": tokens.add("all", writes=True, collections=None),
        "reader": tokens.add("reader", writes=False, collections=None),
        "open": tokens.add("open", writes=True, collections=["open", "later"]),
        "open-reader": tokens.add("open-reader", writes=False, collections=["open"]),
        "none": "rag_" + "x" * 43,
    }
    headers = {name: {"Authorization": f"Bearer {secret}"} for name, secret in secrets.items()}
    with serve(home) as client:
        ids, jobs = {}, {}
        for collection, name, text in (
            ("hidden", "vault.txt", _SECRET),
            ("open", "door.txt", "The door opens at nine."),
        ):
            body: dict[str, Any] = {
                "files": {"files": (name, text.encode())},
                "data": {"collection": collection},
            }
            response = client.post("/v1/documents", headers=headers["all"], **body)
            ids[collection] = response.json()["results"][0]["document_id"]
            taken = {**headers["all"], "Prefer": "respond-async"}
            jobs[collection] = client.post("/v1/documents", headers=taken, **body).json()["id"]
        question = {"question": "Which word opens the vault?", "collection": "hidden"}
        reply = client.post("/v1/search", json=question, headers=headers["all"]).json()
        citation = reply["passages"][0]["citation"]
        yield Shared(client, home, headers, ids["hidden"], ids["open"], citation, jobs)


def _requests(shared: Shared, document_id: str, collection: str) -> list[tuple[str, str, Any]]:
    """A good request for every operation of the description, about this document."""
    app = shared.client.app
    assert isinstance(app, FastAPI)
    question = {"question": "Which word opens the vault?", "collection": collection}
    cited = {**shared.citation, "document_id": document_id}
    bodies: dict[str, dict[str, Any]] = {
        "/v1/ask": {"json": {**question, "explain": True}},
        "/v1/search": {"json": question},
        "/v1/feedback": {"json": {**question, "verdict": "right", "citation": cited}},
        "/v1/verify": {
            "json": {"citations": [{**cited, "source": None}, {**cited, "document_id": None}]}
        },
        "/v1/documents": {
            "files": {"files": ("new.txt", b"New words.")},
            "data": {"collection": collection},
        },
    }
    values = {
        _ID: document_id,
        "{name}": collection,
        "{job_id}": shared.jobs.get(collection, "0" * 32),
    }
    return [
        (method.upper(), re.sub(r"{\w+}", lambda found: values[found[0]], path), body)
        for path, methods in sorted(app.openapi()["paths"].items())
        for method in sorted(methods, key=lambda method: method == "delete")
        for body in [bodies.get(path, {}) if method == "post" else {}]
    ]


def test_no_route_shows_anything_of_another_collection(shared: Shared) -> None:
    asked = _requests(shared, shared.hidden_id, "hidden")
    assert {"/v1/ask", "/v1/verify", f"/v1/documents/{shared.hidden_id}/original"} <= {
        path for _, path, _ in asked
    }
    for method, path, body in asked:
        response = shared.client.request(method, path, headers=shared.headers["open"], **body)
        shown = response.text.replace("'hidden'", "").replace('"collection":"hidden"', "")
        if path == "/v1/verify":
            results = response.json()["results"]
            assert [one["status"] for one in results] == ["missing", "missing"]
            assert [one["file"] for one in results] == [None, None]
            shown = shown.replace('"source":"vault.txt"', "")  # as it was sent
        assert not [mark for mark in _MARKS if mark in shown], (method, path, response.text)
        if path.startswith("/v1/") and path not in (
            "/v1/verify", "/v1/status", "/v1/collections", "/v1/documents",
        ):  # fmt: skip
            assert response.status_code == 404, (method, path)
    # It is still there for those who may see it.
    url = f"/v1/documents/{shared.hidden_id}"
    assert shared.client.get(url, headers=shared.headers["all"]).status_code == 200


def test_it_looks_as_if_it_were_not_there(shared: Shared) -> None:
    """Word for word the same reply for what is hidden and for what never was."""

    def told(document_id: str, collection: str) -> list[tuple[int, str]]:
        found = []
        for method, path, body in _requests(shared, document_id, collection):
            if path == "/metrics":
                continue
            response = shared.client.request(method, path, headers=shared.headers["open"], **body)
            text = response.text.replace(document_id, "ID").replace(collection, "COLLECTION")
            if response.headers["content-type"] == "application/problem+json":
                text = json.loads(text)["detail"]
            if not text.startswith('{"status":"ok"'):
                found.append((response.status_code, text))
        return found

    assert told(shared.hidden_id, "hidden") == told("0" * 32, "nosuch")


def test_its_own_collection_is_all_there(shared: Shared) -> None:
    headers = shared.headers["open"]
    status = shared.client.get("/v1/status", headers=headers).json()
    assert (status["documents"], status["writable"]) == (1, True)
    assert [one["name"] for one in status["collections"]] == ["open"]
    documents = shared.client.get("/v1/documents", headers=headers).json()["documents"]
    assert [one["source"] for one in documents] == ["door.txt"]
    question = {"question": "When does the door open?", "collection": "open"}
    reply = shared.client.post("/v1/ask", json=question, headers=headers).json()
    assert reply["answer"]["citation"]["document_id"] == shared.open_id
    everything = shared.client.get("/v1/documents", headers=shared.headers["all"]).json()
    assert {one["collection"] for one in everything["documents"]} == {"open", "hidden"}


def test_pages_of_a_scope_hold_all_of_it_and_nothing_else(tmp_path: Path, serve: Serve) -> None:
    tokens = Tokens(tmp_path / "home")
    owner = {"Authorization": "Bearer " + tokens.add("o", writes=True, collections=None)}
    two = {"Authorization": "Bearer " + tokens.add("t", writes=False, collections=["a", "c"])}
    with serve(tmp_path / "home") as client:
        for collection in ("a", "b", "c"):
            files = [("files", (f"{n}.txt", f"{collection} {n}.".encode())) for n in range(3)]
            data = {"collection": collection}
            client.post("/v1/documents", files=files, data=data, headers=owner)
        seen, cursor = [], None
        while True:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = client.get("/v1/documents", params=params, headers=two).json()
            seen += [(one["source"], one["collection"]) for one in page["documents"]]
            if not (cursor := page["next"]):
                break
    assert sorted(seen) == [(f"{n}.txt", c) for n in range(3) for c in ("a", "c")]
    assert [source for source, _ in seen] == sorted(source for source, _ in seen)


@pytest.mark.parametrize("name", ["reader", "open-reader"])
def test_a_reading_token_changes_nothing(shared: Shared, check_problem: Check, name: str) -> None:
    headers = shared.headers[name]
    for method, path, body in _requests(shared, shared.open_id, "open"):
        response = shared.client.request(method, path, headers=headers, **body)
        changes = method == "DELETE" or path in ("/v1/feedback", "/v1/documents")
        if changes and method != "GET":
            check_problem(response, 403)
        elif path != "/metrics":
            assert response.status_code == 200, (method, path, response.text)
    assert shared.client.get("/v1/status", headers=headers).json()["writable"] is False
    assert not (shared.home / "feedback.jsonl").exists()


def test_metrics_are_for_tokens_of_everything(shared: Shared) -> None:
    for name, status in (("all", 200), ("reader", 200), ("open", 403), ("none", 401)):
        response = shared.client.get("/metrics", headers=shared.headers[name])
        assert response.status_code == status


def test_feedback_on_a_document_of_another_collection(shared: Shared, check_problem: Check) -> None:
    """Not even by naming the own collection beside it."""
    body = {
        "question": "Which word?",
        "collection": "open",
        "verdict": "right",
        "citation": shared.citation,
    }
    response = shared.client.post("/v1/feedback", json=body, headers=shared.headers["open"])
    check_problem(response, 404)


def test_every_route_off_the_public_list_wants_a_token(shared: Shared) -> None:
    public = {"/healthz", "/readyz"}
    for headers in ({}, shared.headers["none"]):
        for method, path, body in _requests(shared, shared.open_id, "open"):
            response = shared.client.request(method, path, headers=headers, **body)
            assert (response.status_code == 401) is (path not in public), (method, path)


def test_a_token_taken_back_opens_nothing_at_once(
    tmp_path: Path, serve: Serve, check_problem: Check
) -> None:
    tokens = Tokens(tmp_path / "home")
    with serve(tmp_path / "home") as client:
        assert client.get("/v1/status").status_code == 200  # nobody has made one yet
        headers = {"Authorization": "Bearer " + tokens.add("a", writes=True, collections=None)}
        check_problem(client.get("/v1/status"), 401)
        assert client.get("/v1/status", headers=headers).status_code == 200
        tokens.remove("a")
        check_problem(client.get("/v1/status", headers=headers), 401)
        check_problem(client.get("/v1/status"), 401)  # the last one gone opens no door
        tokens.path.write_text("{")
        problem = check_problem(client.get("/v1/status", headers=headers), 503)
        assert "tokens.json" not in str(problem)
        assert client.get("/healthz").status_code == 200


def test_readiness_names_no_path_to_strangers(tmp_path: Path, serve: Serve) -> None:
    gone = tmp_path / "gone"
    with serve(tmp_path / "home", wait=False, token="secret", paths=(gone,)) as client:  # noqa: S106
        owner = {"Authorization": "Bearer secret"}
        while "gone" not in (reply := client.get("/readyz", headers=owner)).json()["detail"]:
            assert reply.status_code == 503
        assert client.get("/readyz").json()["detail"] == "not ready: the server's log says why"


def test_no_other_origin_is_allowed(client: TestClient) -> None:
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for method, path in (("OPTIONS", "/v1/ask"), ("GET", "/v1/status"), ("OPTIONS", "/")):
        response = client.request(method, path, headers=origin)
        assert not [h for h in response.headers if h.lower().startswith("access-control-")]
    assert client.options("/v1/ask", headers=origin).status_code == 405
