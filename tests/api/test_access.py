"""Who gets in, what surrounds every response, and what the description says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from prometheus_client.parser import text_string_to_metric_families
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from api.middleware import DOCS_POLICY, PAGE_POLICY

Check = Callable[..., dict[str, Any]]
Serve = Callable[..., AbstractContextManager[TestClient]]

_TOKEN = "s\u00e9same-\U0001f511"  # noqa: S105
_PUBLIC = {"/", "/page/{name}", "/docs", "/docs/{name}", "/openapi.json", "/healthz", "/readyz"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[TestClient]:
    with serve(tmp_path_factory.mktemp("home"), token=_TOKEN, max_upload_bytes=10_000) as client:
        yield client


def _app(client: TestClient) -> FastAPI:
    app = client.app
    assert isinstance(app, FastAPI)
    return app


def _operations(client: TestClient) -> list[tuple[str, str]]:
    """Every (method, path) that the application knows: its description and the routes beside it."""
    described = [
        (method.upper(), path)
        for path, methods in _app(client).openapi()["paths"].items()
        for method in methods
    ]
    beside = [
        (method, route.path)
        for route in _flat(_app(client).routes)
        for method in route.methods or ()
    ]
    return sorted({*described, *beside})


def _flat(routes: list[BaseRoute]) -> Iterator[Route]:
    for route in routes:
        if isinstance(route, Route | APIRoute):
            yield route
        router = getattr(route, "original_router", None)  # FastAPI's wrapper of an included one
        yield from _flat(router.routes if router else [])


def _bearer(token: str) -> dict[bytes, bytes]:
    return {b"Authorization": b"Bearer " + token.encode()}


def test_every_route_off_the_public_list_wants_the_token(
    guarded: TestClient, check_problem: Check
) -> None:
    operations = _operations(guarded)
    paths = {path for _, path in operations}
    assert {"/v1/ask", "/v1/documents/{document_id}/text", "/metrics", *_PUBLIC} <= paths
    for method, path in operations:
        response = guarded.request(method, path.replace("{name}", "none"))
        if path in _PUBLIC:
            assert response.status_code != 401, (method, path)
        elif method != "HEAD":
            check_problem(response, 401)
            assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/nowhere", "/v1/status/", "//v1/status", "/docs%0A", "/pagex/a"])
def test_other_paths_want_it_too(guarded: TestClient, check_problem: Check, path: str) -> None:
    check_problem(guarded.get(path), 401)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer x",
        b"Basic " + _TOKEN.encode(),
        _TOKEN.encode(),
        b"Bearer " + _TOKEN.encode()[:-1],
        b"Bearer " + _TOKEN.encode() + b"x",
        b"Bearer " + _TOKEN.encode() * 2,
        b"Bearer \xff\xfe\x00",
        b"Bearer " + b"x" * 60_000,
    ],
)
def test_wrong_tokens(guarded: TestClient, check_problem: Check, header: bytes) -> None:
    response = guarded.get("/v1/status", headers={b"Authorization": header})
    problem = check_problem(response, 401)
    assert _TOKEN not in str(problem)


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER   "])
def test_the_token_opens(guarded: TestClient, scheme: bytes) -> None:
    headers = {b"Authorization": scheme + _TOKEN.encode()}
    assert guarded.get("/v1/status", headers=headers).status_code == 200


def _raw(client: TestClient, headers: dict[bytes, bytes], body: list[bytes]) -> tuple[int, int]:
    """The status, and how many of the pieces of a body were taken; it has no end."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/documents",
        "raw_path": b"/v1/documents",
        "root_path": "",
        "query_string": b"",
        "scheme": "http",
        "headers": list(headers.items()),
        "server": ("localhost", 80),
        "client": ("localhost", 1),
    }
    taken = 0
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": body[taken - 1], "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        await _app(client)(scope, receive, send)

    anyio.run(run)
    return sent[0]["status"], taken


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_changes_nothing(
    client: TestClient, check_problem: Check, site: str
) -> None:
    elsewhere = {"Sec-Fetch-Site": site}
    files = {"files": ("planted.txt", b"Words of another site.")}
    check_problem(client.post("/v1/documents", files=files, headers=elsewhere), 403)
    check_problem(client.delete(f"/v1/documents/{'0' * 32}", headers=elsewhere), 403)
    assert client.get("/v1/status", headers=elsewhere).status_code == 200
    sources = [d["source"] for d in client.get("/v1/documents").json()["documents"]]
    assert "planted.txt" not in sources


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "rebound.example:8000",
        "rebound.example.",
        "127.0.0.1.nip.example:80",
        "localhost.example",
        "127.0.0.1@rebound.example",
        "1.2.3.4.5",
    ],
)
def test_without_a_token_no_name_of_the_web_leads_to_documents(
    client: TestClient, guarded: TestClient, check_problem: Check, host: str
) -> None:
    detail = check_problem(client.get("/v1/status", headers={"Host": host}), 403)["detail"]
    assert "rag token add" in detail
    rebound = {"Host": host, "Sec-Fetch-Site": "same-origin"}
    check_problem(client.post("/v1/ask", json={"question": "Who?"}, headers=rebound), 403)
    check_problem(client.get("/metrics", headers=rebound), 403)
    assert client.get("/healthz", headers=rebound).status_code == 200
    token = {b"Host": host.encode(), **_bearer(_TOKEN)}
    assert guarded.get("/v1/status", headers=token).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]", "10.0.0.7", "box:80"],
)
def test_addresses_and_names_of_no_web_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/v1/status", headers={"Host": host}).status_code == 200
    assert client.get("/v1/status", headers={"Host": f"rag.{host}"}).status_code == (
        200 if host.startswith("localhost") else 403
    )


def test_without_the_token_no_body_is_read(guarded: TestClient) -> None:
    headers = {b"content-type": b"multipart/form-data; boundary=x"}
    assert _raw(guarded, headers, []) == (401, 0)


def test_a_body_is_counted_before_it_is_parsed(guarded: TestClient) -> None:
    headers = {
        b"content-type": b"multipart/form-data; boundary=x",
        b"authorization": b"Bearer " + _TOKEN.encode(),
    }
    assert _raw(guarded, headers | {b"content-length": b"10001"}, []) == (413, 0)
    pieces = [b"--x\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n"]
    assert _raw(guarded, headers, pieces + [b"y" * 1_000] * 1_000) == (413, 11)


def test_headers_are_on_every_response(guarded: TestClient) -> None:
    cases: list[tuple[str, dict[bytes, bytes]]] = [
        ("/", {}),
        ("/page/page.css", {}),
        ("/page/none", {}),
        ("/healthz", {}),
        ("/v1/status", {}),
        ("/v1/status", _bearer(_TOKEN)),
        ("/v1/documents?limit=0", _bearer(_TOKEN)),
        ("/metrics", _bearer(_TOKEN)),
        ("/nowhere", _bearer(_TOKEN)),
        ("/openapi.json", {}),
        ("/docs", {}),
        ("/docs/swagger-ui.css", {}),
    ]
    for path, headers in cases:
        got = guarded.get(path, headers=headers).headers
        policy = DOCS_POLICY if path.startswith("/docs") else PAGE_POLICY
        assert got["content-security-policy"] == policy
        assert got["x-content-type-options"] == "nosniff"
        assert got["referrer-policy"] == "no-referrer"
        assert got["cross-origin-opener-policy"] == "same-origin"
        assert got["cross-origin-resource-policy"] == "same-origin"
        assert re.fullmatch("[0-9a-f]{32}", got["x-request-id"])
        assert "server" not in got
        assert "set-cookie" not in got


def test_policies() -> None:
    for policy in (PAGE_POLICY, DOCS_POLICY):
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives["default-src"] == "'none'"
        assert directives["script-src"] == "'self'"
        assert directives["frame-ancestors"] == "'none'"
        assert directives["base-uri"] == "'none'"
        assert "form-action" in directives
        assert not re.search(r"https?:|\*|unsafe-eval", policy)
    assert "unsafe-inline" not in PAGE_POLICY


def test_metrics_have_bounded_labels(client: TestClient) -> None:
    client.get("/v1/documents/" + "0" * 32)
    for number in range(20):
        client.get(f"/made/up/{number}")
        client.request(f"MADE{number}", "/v1/ask")
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    families = {f.name: f for f in text_string_to_metric_families(response.text)}
    paths = {path for _, path in _operations(client)} | {"other"}
    samples = [s for f in families.values() for s in f.samples]
    assert {s.labels["route"] for s in samples if "route" in s.labels} <= paths
    for name in ("rag_http_requests", "rag_http_request_seconds"):
        assert families[name].samples
    counted = {
        (s.labels["route"], s.labels["status"]): s.value
        for s in families["rag_http_requests"].samples
        if s.name.endswith("_total")
    }
    assert counted["/v1/documents/{document_id}", "404"] >= 1
    assert counted["other", "404"] >= 20


def test_a_bug_is_a_problem_too(tmp_path: Path, serve: Serve, check_problem: Check) -> None:
    with serve(tmp_path / "home") as client:
        app = _app(client)

        @app.get("/broken")
        async def broken() -> None:
            raise RuntimeError("a secret of this machine")

        response = client.get("/broken")
        problem = check_problem(response, 500)
        assert "secret" not in str(problem)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert 'rag_http_requests_total{route="/broken",status="500"} 1.0' in (
            client.get("/metrics").text
        )
