"""Whatever a client sends: a documented status, problem details, no echo, never a 500."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

Problem = Callable[..., dict[str, Any]]

_MARK = "zqxjkv"  # never to come back
_BODIES = [
    b"",
    b"null",
    b"[]",
    b'"zqxjkv"',
    b"zqxjkv",
    b"{",
    b'{"zqxjkv": 1}',
    b'{"question": null}',
    b'{"question": 5}',
    b'{"question": ["zqxjkv"]}',
    b'{"question": {"zqxjkv": "zqxjkv"}}',
    b'{"question": "zqxjkv\\u0000"}',
    b'{"question": "zqxjkv\\ud800"}',
    b'{"question": "\\udfffzqxjkv", "top_k": 3}',
    b'{"question": "zqxjkv\x00"}',
    b'{"question": "zqxjkv\xff\xfe"}',
    b'{"question": "zqxjkv\xed\xa0\x80"}',
    b'\xff\xfe{"question": "zqxjkv"}',
    b'{"question": "Where?", "top_k": NaN}',
    b'{"question": "Where?", "top_k": Infinity}',
    b'{"question": "Where?", "top_k": -1e999}',
    b'{"question": "Where?", "top_k": 1e999}',
    b'{"question": "Where?", "top_k": ' + b"9" * 5_000 + b"}",
    b'{"question": "Where?", "top_k": ' + b"9" * 4_000 + b"}",
    b'{"question": "Where?", "top_k": 1.0e+1.0}',
    b'{"question": "Where?", "collection": "zqxjkv/../\\u202e"}',
    b'{"question": "Where?", "collection": "zqxjkv\\ud800"}',
    b'{"question": "Where?", "collection": null}',
    b'{"question": "Where?", "collection": ["zqxjkv"]}',
    b'{"question": "' + b"zqxjkv" * 400 + b'"}',
    b"[" * 100_000,
    b'{"question":' * 50_000,
    b'{"question": "Where?", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b"9" * 100_000,
    json.dumps({"question": "Where zqxjkv?"}).encode("utf-16"),
]
_NAN_CONFIDENCES = [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5_000, b'"zqxjkv"']
_TYPES = [
    "application/json",
    "application/vnd.api+json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=" + "x" * 500,
    "application/json; charset=utf-16",
    "zqxjkv",
    ";;;",
    "",
]
_PART = b"--x\r\nContent-Disposition: form-data; name="
_MULTIPARTS = [
    b"--x--",
    b"--x\r\n",
    b"--x\r\n\r\nzqxjkv\r\n--x--",
    b"zqxjkv" * 100,
    _PART + b'"files"; filename="zqxjkv.txt"\r\n\r\nwords',
    _PART + b'"files"; filename="\xff\xfe.zqxjkv"\r\n\r\nwords\r\n--x--',
    _PART + b'"files"; filename="\xed\xa0\x80"\r\n\r\nwords\r\n--x--',
    _PART + b'"files"; filename=""\r\n\r\nwords\r\n--x--',
    _PART + b'"files"\r\n\r\nwords\r\n--x--',
    _PART + b'"files"; filename*=utf-8\'\'%ff%00\r\n\r\nwords\r\n--x--',
    _PART + b"\r\n\r\n",
    b"--x\r\nContent-Disposition: " + b"z" * 50_000 + b"\r\n\r\nwords\r\n--x--",
    b"--x\r\n" + b"X-Header: y\r\n" * 5_000 + b"\r\nwords\r\n--x--",
    b"--x\r\n: \r\n\r\n\r\n--x--",
    (_PART + b'"collection"\r\n\r\n' + b"z" * 2_000_000 + b"\r\n--x--"),
    (_PART + b'"f"\r\n\r\n1\r\n') * 1_100 + b"--x--",
    (_PART + b'"files"; filename="a.zqxjkv"\r\n\r\n1\r\n') * 1_100 + b"--x--",
    _PART + b'"collection"\r\n\r\nzqxjkv\xff\r\n' + _PART + b'"files"; filename="a"\r\n\r\n',
]  # fmt: skip
_CHARSETS = ["utf-16", "utf-7", "unicode_escape", "idna", "punycode", "rot13", "zqxjkv", "hex"]
_PATHS = [
    "/nowhere",
    "/v1",
    "/v1/",
    "/v1/ask/",
    "/v1/documents/",
    "/v1//ask",
    "/v1/documents/%00/text",
    "/%ff%fe",
    "/%ED%A0%80",
    "/page/..%2f..%2fpyproject.toml",
    "/page/%2e%2e/app.py",
    "/page/app.py",
    "/docs/../app.py",
    "/docs/%00",
    "/page/",
    "/openapi.yaml",
    "/" + "x" * 8_000,
]


def _harmless(client: TestClient, check_problem: Problem, response: Any) -> None:
    """Below 500 and, if it is an error, a problem that echoes nothing and is documented."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        check_problem(response)
        assert _MARK not in response.text
        route = response.request.url.path
        method = response.request.method.lower()
        operation = client.get("/openapi.json").json()["paths"].get(route, {}).get(method)
        assert operation is None or str(response.status_code) in operation["responses"]


@pytest.mark.parametrize("route", ["/v1/ask", "/v1/search"])
@pytest.mark.parametrize("body", _BODIES, ids=range(len(_BODIES)))
def test_bodies(client: TestClient, check_problem: Problem, route: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = client.post(route, content=body, headers=headers)
    _harmless(client, check_problem, response)
    if response.status_code == 200:  # JSON in UTF-16 may be read
        assert response.json()["question"] == "Where zqxjkv?"


@pytest.mark.parametrize("least", _NAN_CONFIDENCES, ids=range(len(_NAN_CONFIDENCES)))
def test_confidences(client: TestClient, check_problem: Problem, least: bytes) -> None:
    body = b'{"question": "Where?", "min_confidence": ' + least + b"}"
    response = client.post("/v1/ask", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    _harmless(client, check_problem, response)


@pytest.mark.parametrize("kind", _TYPES)
@pytest.mark.parametrize("route", ["/v1/ask", "/v1/search", "/v1/documents"])
def test_content_types(client: TestClient, check_problem: Problem, route: str, kind: str) -> None:
    body = b'{"question": "Where is zqxjkv?"}'
    response = client.post(route, content=body, headers={"Content-Type": kind})
    if response.status_code != 200:
        _harmless(client, check_problem, response)


# Starlette leaves a part that never ends to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("body", _MULTIPARTS, ids=range(len(_MULTIPARTS)))
def test_multiparts(client: TestClient, check_problem: Problem, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = client.post("/v1/documents", content=body, headers=headers)
    assert 400 <= response.status_code < 500
    check_problem(response)
    problem = response.json()
    for refused in problem.pop("results", ()):  # a file's own line names it; nothing else may
        problem["detail"] = problem["detail"].replace(refused["reason"], "")
    assert _MARK not in json.dumps(problem)


@pytest.mark.parametrize("charset", _CHARSETS)
def test_charsets_of_names(client: TestClient, check_problem: Problem, charset: str) -> None:
    body = _PART + b'"files"; filename="\\ud800a.zqx+AGE-xn--.."\r\n\r\nw\r\n--x--'
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    response = client.post("/v1/documents", content=body, headers={"Content-Type": kind})
    assert 400 <= response.status_code < 500
    check_problem(response)


@pytest.mark.parametrize("path", _PATHS)
def test_unknown_paths(client: TestClient, check_problem: Problem, path: str) -> None:
    response = client.get(path, follow_redirects=False)
    assert len(check_problem(response, 404)["detail"]) < 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "ZQXJKV"])
@pytest.mark.parametrize("path", ["/v1/ask", "/v1/documents", "/healthz", "/", "/openapi.json"])
def test_unknown_methods(client: TestClient, path: str, method: str) -> None:
    response = client.request(method, path)
    if method == "HEAD" and response.status_code == 200:
        return
    assert response.status_code == 405
    assert response.headers["allow"]
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/documents", "GET, POST"),
        ("/v1/documents/" + "0" * 32, "DELETE, GET"),
        ("/v1/ask", "POST"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
def test_every_method_of_a_path_is_told(client: TestClient, path: str, methods: str) -> None:
    assert client.put(path).headers["allow"] == methods


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_operations_document_a_body_too_large(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"Content-Length": "9" * 30})
    assert response.status_code == 413
    operation = client.get("/openapi.json").json()["paths"][path]["get"]
    assert "413" in operation["responses"]


def test_huge_query(client: TestClient, check_problem: Problem) -> None:
    assert client.get("/v1/status?" + "zqxjkv=1&" * 7_000).status_code == 200
    for query in ("limit=zqxjkv", "limit=%00", "cursor=%ff", "limit=1&limit=zqxjkv", "limit=%"):
        response = client.get(f"/v1/documents?{query}")
        check_problem(response)
        assert response.status_code == 422
        assert _MARK not in response.text


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
_FUZZED = st.dictionaries(
    st.sampled_from(["question", "top_k", "collection", "min_confidence"]), _JSON
)
_often = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_often
@given(body=_FUZZED, route=st.sampled_from(["/v1/ask", "/v1/search"]))
def test_any_json(
    client: TestClient, check_problem: Problem, body: dict[str, Any], route: str
) -> None:
    content = json.dumps(body).encode()
    response = client.post(route, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 404, 422)
    if response.status_code != 200:
        check_problem(response)


@_often
@given(
    body=st.binary(max_size=200),
    route=st.sampled_from(["/v1/ask", "/v1/search", "/v1/documents"]),
    kind=st.sampled_from(_TYPES),
)
def test_any_bytes(
    client: TestClient, check_problem: Problem, body: bytes, route: str, kind: str
) -> None:
    response = client.post(route, content=body, headers={"Content-Type": kind})
    assert response.status_code in (400, 415, 422)
    check_problem(response)


@_often
@given(
    name=st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n'), max_size=30),
    suffix=st.sampled_from(["", ".txt", ".md", ".html", ".pdf", ".exe"]),
)
def test_any_file_name(client: TestClient, check_problem: Problem, name: str, suffix: str) -> None:
    head = _PART + b'"files"; filename="' + (name + suffix).encode() + b'"\r\n\r\n'
    kind = "multipart/form-data; boundary=x"
    # White space alone is refused whatever the name is: the shared index stays as it is.
    response = client.post(
        "/v1/documents", content=head + b" \n\r\n--x--", headers={"Content-Type": kind}
    )
    assert response.status_code in (400, 415, 422)
    check_problem(response)
