"""Listing, paging, reading and forgetting documents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

Problem = Callable[..., dict[str, Any]]

_FIELDS: dict[str, tuple[type, ...]] = {
    "document_id": (str,),
    "source": (str,),
    "title": (str,),
    "collection": (str,),
    "paragraphs": (int,),
    "passages": (int,),
    "characters": (int,),
    "bytes": (int,),
    "sha256": (str,),
    "text_sha256": (str,),
    "loader": (str,),
    "date": (str, type(None)),
    "language": (str, type(None)),
    "ingested_at": (str,),
}
_NOBODY = "0" * 32


@pytest.fixture
def many(empty: TestClient) -> TestClient:
    """Seven documents in two collections; two have one name."""
    for collection, names in {"default": "abcde", "other": "af"}.items():
        files = [("files", (f"{n}.txt", f"About {n}.\n".encode())) for n in names]
        response = empty.post("/v1/documents", files=files, data={"collection": collection})
        assert response.status_code == 201
    return empty


def _pages(client: TestClient, limit: int, **more: str) -> list[list[dict[str, Any]]]:
    pages = []
    cursor: str | None = None
    while True:
        params: dict[str, str | int] = {"limit": limit, **more}
        if cursor:
            params["cursor"] = cursor
        page = client.get("/v1/documents", params=params).json()
        assert page.keys() == {"documents", "next"}
        pages.append(page["documents"])
        cursor = page["next"]
        if cursor is None:
            return pages


def test_fields(client: TestClient, handbook: Path) -> None:
    documents = client.get("/v1/documents").json()["documents"]
    assert [document["source"] for document in documents] == sorted(
        path.relative_to(handbook).as_posix() for path in handbook.rglob("*.*")
    )
    for document in documents:
        assert document.keys() == _FIELDS.keys()
        for name, types in _FIELDS.items():
            assert type(document[name]) in types, name
        assert re.fullmatch("[0-9a-f]{32}", document["document_id"])
        data = (handbook / document["source"]).read_bytes()
        assert document["sha256"] == hashlib.sha256(data).hexdigest()
        assert document["bytes"] == len(data)
        assert client.get(f"/v1/documents/{document['document_id']}").json() == document
        text = client.get(f"/v1/documents/{document['document_id']}/text").content
        assert document["text_sha256"] == hashlib.sha256(text).hexdigest()
        assert document["characters"] == len(text.decode())
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", document["ingested_at"])


def test_text_is_the_files_own(client: TestClient, handbook: Path) -> None:
    for document in client.get("/v1/documents").json()["documents"]:
        response = client.get(f"/v1/documents/{document['document_id']}/text")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        if document["source"].endswith((".txt", ".md")):
            raw = (handbook / document["source"]).read_bytes()
            assert response.content == raw.removeprefix(b"\xef\xbb\xbf")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_paging_shows_everything_once(many: TestClient, limit: int) -> None:
    pages = _pages(many, limit)
    assert all(len(page) == limit for page in pages[:-1])
    shown = [(d["source"], d["collection"]) for page in pages for d in page]
    assert [source for source, _ in shown] == [f"{n}.txt" for n in "aabcdef"]
    assert len(set(shown)) == 7


def test_paging_goes_on_where_its_document_went(many: TestClient) -> None:
    page = many.get("/v1/documents", params={"limit": 3}).json()
    for document in page["documents"][1:]:
        assert many.delete(f"/v1/documents/{document['document_id']}").status_code == 204
    rest = many.get("/v1/documents", params={"limit": 3, "cursor": page["next"]}).json()
    assert [d["source"] for d in rest["documents"]] == ["c.txt", "d.txt", "e.txt"]


def test_one_collection(many: TestClient) -> None:
    page = many.get("/v1/documents", params={"collection": "other"}).json()
    assert [d["source"] for d in page["documents"]] == ["a.txt", "f.txt"]


def test_words_find_documents_page_by_page(empty: TestClient) -> None:
    texts = {
        "Straße Nord.txt": "Roads.",
        "plan nord.md": "# STRASSE und Weg\n\nRoads.",
        "plan süd.md": "# Straße\n\nRoads.",
        "re\u0301sume\u0301 100%_.txt": "Papers.",
        "x.txt": "Strasse nord: text is not looked at.",
    }
    files = [("files", (name, text.encode())) for name, text in texts.items()]
    assert empty.post("/v1/documents", files=files).status_code == 201

    def found(q: str, limit: int = 50) -> list[str]:
        return [d["source"] for page in _pages(empty, limit, q=q) for d in page]

    for limit in (1, 2, 50):
        assert found("NORD strasse", limit) == ["Straße Nord.txt", "plan nord.md"]
    assert found("SÜD") == ["plan süd.md"]
    assert [name[-9:] for name in found("R\xc9SUM\xc9")] == [" 100%_.txt"[-9:]]
    assert found("0%_") == found("résumé")
    assert found("%") == found("_") == found("0%_")
    assert found("nord nirgends") == []
    assert len(found("  ")) == len(found("")) == len(texts)


@pytest.mark.parametrize("q", ["\0", "x" * 2_001])
def test_bad_words(client: TestClient, check_problem: Problem, q: str) -> None:
    check_problem(client.get("/v1/documents", params={"q": q}), 422)


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1.5", "x", "", "9" * 30])
def test_bad_limit(client: TestClient, check_problem: Problem, limit: str) -> None:
    check_problem(client.get("/v1/documents", params={"limit": limit}), 422)


@pytest.mark.parametrize("cursor", ["x", "\0" * 40, "0" * 32, "x" * 9_000])
def test_bad_cursor(client: TestClient, check_problem: Problem, cursor: str) -> None:
    check_problem(client.get("/v1/documents", params={"cursor": cursor}), 422)


@pytest.mark.parametrize(
    "name",
    [_NOBODY, "x", "%00", "%ff%fe", "%ED%A0%80", "..%2f..%2fetc", "x" * 5_000, _NOBODY + "0"],
)
def test_unknown_documents(client: TestClient, check_problem: Problem, name: str) -> None:
    for response in (
        client.get(f"/v1/documents/{name}"),
        client.get(f"/v1/documents/{name}/text"),
        client.get(f"/v1/documents/{name}/original"),
        client.delete(f"/v1/documents/{name}"),
    ):
        assert len(check_problem(response, 404)["detail"]) < 200


def test_deleted_words_are_never_found_again(empty: TestClient, check_problem: Problem) -> None:
    words = b"The quokka sleeps under the marmalade bridge.\n"
    files = [("files", ("q.txt", words)), ("files", ("other.txt", b"The boat leaves at noon.\n"))]
    results = empty.post("/v1/documents", files=files).json()["results"]
    gone = next(r["document_id"] for r in results if r["source"] == "q.txt")
    question = {"question": "Where does the quokka sleep?", "top_k": 100}
    assert "quokka" in empty.post("/v1/ask", json=question).text.partition('"passages"')[2]
    response = empty.delete(f"/v1/documents/{gone}")
    assert (response.status_code, response.content) == (204, b"")
    for _ in range(3):
        reply = empty.post("/v1/ask", json=question).json()
        assert not any("marmalade" in passage["text"] for passage in reply["passages"])
        assert reply["answered"] is False
    for path in (f"/v1/documents/{gone}", f"/v1/documents/{gone}/text"):
        check_problem(empty.get(path), 404)
    check_problem(empty.delete(f"/v1/documents/{gone}"), 404)
    assert [d["source"] for d in empty.get("/v1/documents").json()["documents"]] == ["other.txt"]


def test_collections_and_status(many: TestClient) -> None:
    collections = many.get("/v1/collections").json()
    assert collections.keys() == {"collections"}
    for collection in collections["collections"]:
        assert collection.keys() == {"name", "documents", "passages", "generation", "embedder"}
    assert [(c["name"], c["documents"]) for c in collections["collections"]] == [
        ("default", 5),
        ("other", 2),
    ]
    status = many.get("/v1/status").json()
    assert status.keys() == {
        "version", "reader", "documents", "passages", "collections", "rebuilding", "writable",
    }  # fmt: skip
    assert status["rebuilding"] is None
    assert (status["documents"], status["passages"]) == (7, 7)
    assert status["collections"] == collections["collections"]
