"""The OpenAPI description, its examples, and the page that shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter
from starlette.testclient import TestClient

from api import examples
from api.schemas import (
    Collections,
    DocumentsPage,
    JobPayload,
    Problem,
    UploadResults,
    Verifications,
)
from rag import payloads


def test_docs_load_nothing_from_outside(client: TestClient) -> None:
    html = client.get("/docs").text
    urls = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)["']""", html)
    assert len(urls) >= 3
    for url in urls:
        assert re.fullmatch(r"/[^/].*", url)
        assert client.get(url).status_code == 200
    assert not re.search(r"<(script|style)[^>]*>[^<]", html)  # the policy allows none inside
    script = client.get("/page/docs.js").text
    assert "/openapi.json" in script
    assert "://" not in script


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_the_description_is_whole(client: TestClient) -> None:
    response = client.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    description = response.json()
    assert description["openapi"].startswith("3.1")
    for reference in _references(description):
        found = description
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
        assert found
    assert "HTTPValidationError" not in description["components"]["schemas"]
    for path, methods in description["paths"].items():
        for operation in methods.values():
            assert operation.get("description")
            statuses = operation["responses"].keys()
            expected = {"200", "201", "204"} & statuses
            assert len(expected) == 1
            if path.startswith("/v1"):
                assert {"400", "401", "413", "422", "503"} <= statuses
            for status, reply in operation["responses"].items():
                if status[0] in "45" and path != "/readyz":
                    assert reply["content"].keys() == {"application/problem+json"}
                    assert reply["content"]["application/problem+json"]["example"]
    assert "404" in description["paths"]["/v1/documents/{document_id}"]["delete"]["responses"]
    assert {"409", "415", "507"} <= description["paths"]["/v1/documents"]["post"][
        "responses"
    ].keys()


def test_examples_fit_their_schemas(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    def example(path: str, method: str, status: str) -> Any:
        return paths[path][method]["responses"][status]["content"]["application/json"]["example"]

    kinds: list[tuple[str, str, str, Any]] = [
        ("/v1/ask", "post", "200", payloads.ReplyPayload),
        ("/v1/search", "post", "200", payloads.SearchPayload),
        ("/v1/verify", "post", "200", Verifications),
        ("/v1/documents", "post", "201", UploadResults),
        ("/v1/documents", "post", "202", JobPayload),
        ("/v1/jobs/{job_id}", "get", "200", JobPayload),
        ("/v1/jobs/{job_id}", "delete", "200", JobPayload),
        ("/v1/documents", "get", "200", DocumentsPage),
        ("/v1/documents/{document_id}", "get", "200", payloads.DocumentPayload),
        ("/v1/collections", "get", "200", Collections),
        ("/v1/collections/{name}", "get", "200", payloads.OverviewPayload),
        ("/v1/status", "get", "200", payloads.StatusPayload),
    ]
    for path, method, status, kind in kinds:
        shown = example(path, method, status)
        adapter = TypeAdapter(kind)
        held = adapter.validate_json(json.dumps(shown), strict=True)
        assert adapter.dump_python(held, mode="json") == shown
    TypeAdapter(Problem).validate_python(examples.problem(404), strict=True)
    request = client.get("/openapi.json").json()["components"]["schemas"]["AskRequest"]["examples"]
    assert client.post("/v1/ask", json=request[0]).status_code == 200


def test_the_example_reply_is_true() -> None:
    text = "# Annual leave\n\nEvery full-time member of staff has 28 days of leave."
    answer = examples.REPLY["answers"][0]
    for citation in (answer["citation"], examples.REPLY["passages"][0]["citation"]):
        start, end = citation["start"], citation["end"]
        assert text[start:end] == citation["quote"]
        assert citation["prefix"] == text[max(0, start - 32) : start]
        assert citation["suffix"] == text[end : end + 32]
    first, last = answer["citation"]["sentence_start"], answer["citation"]["sentence_end"]
    assert text[first:last] == answer["sentence"]
    assert len(text) == examples.DOCUMENT["characters"]
