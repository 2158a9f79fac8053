"""No word of a client is ever a path of the server, and no file outside the index is touched."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from fastapi import FastAPI
from starlette.testclient import TestClient

Serve: TypeAlias = Callable[..., AbstractContextManager[TestClient]]
_MARK = "zqxjkv"
_PATHS = {  # how many of an event's arguments, from the first on
    **dict.fromkeys(("open", "os.listdir", "os.mkdir", "os.remove", "os.rmdir", "os.scandir"), 1),
    **dict.fromkeys(("os.link", "os.rename", "os.symlink"), 2),
}
_touched: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _touched is not None and event in _PATHS:
        paths = arguments[: _PATHS[event]]
        _touched.extend(os.fsdecode(path) for path in paths if isinstance(path, str | bytes))


sys.addaudithook(_hook)  # for ever: Python has no way to take one back


@contextmanager
def _touching() -> Iterator[list[str]]:
    """The paths that this process opens, lists, makes, moves and removes meanwhile."""
    global _touched  # noqa: PLW0603 - a hook has no other state
    _touched = []
    try:
        yield _touched
    finally:
        _touched = None


def _names(folder: Path) -> Sequence[str]:
    """Names of files that would lead to `folder` from anywhere."""
    up = "../" * 12
    return [
        f"{folder}/{_MARK}.txt",
        f"{up}{folder}/{_MARK}.txt",
        f"..\\..\\{_MARK}.txt",
        f"....//....//{_MARK}.txt",
        f"file://{folder}/{_MARK}.txt",
        f"%2e%2e%2f{_MARK}.txt",
        f"{_MARK}.txt/.",
        f"~/{_MARK}.txt",
    ]


def _use_everywhere(client: TestClient, name: str) -> None:
    """Sends a name wherever a client can send one."""
    escaped = quote(name, safe="")
    for path in ("/page/{}", "/docs/{}", "/v1/collections/{}", "/v1/documents/{}"):
        for shown in (name, escaped, quote(escaped)):
            client.get(path.format(shown))
    for path in ("", "/text", "/original"):
        client.get(f"/v1/documents/{escaped}{path}")
    client.delete(f"/v1/documents/{escaped}")
    client.get("/v1/documents", params={"q": name, "cursor": name})
    question = {"question": name, "collection": name, "filters": {"folders": [name]}}
    for route in ("/v1/ask", "/v1/search"):
        client.post(route, json=question)
        client.post(route, json=question | {"collection": "default", "path": name, "file": name})
    client.post("/v1/documents", files={"files": (name, b"Words.")}, data={"collection": name})
    client.post("/v1/documents", files={"files": (name, b"Words.")}, data={"path": name})
    cited = {"document_id": "0" * 32, "source": name, "start": 0, "end": 1, "quote": "x"}
    client.post("/v1/verify", json={"citations": [cited | {"document_id": None}, cited]})


def test_no_name_becomes_a_path(tmp_path: Path, serve: Serve) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f"{_MARK}.txt").write_text("The secret of the outside.")
    with serve(tmp_path / "home") as client, _touching() as touched:
        for name in _names(outside):
            _use_everywhere(client, name)
        sources = {d["source"] for d in client.get("/v1/documents").json()["documents"]}
        status = client.post("/v1/search", json={"question": "The secret of the outside?"})
    assert touched
    assert [path for path in touched if _MARK in path or str(outside) in path] == []
    assert all("/" not in source and "\\" not in source for source in sources)
    assert "secret" not in str(status.json()["passages"])
    assert [p.name for p in outside.iterdir()] == [f"{_MARK}.txt"]
    assert list(tmp_path.rglob(f"*{_MARK}*")) == [outside / f"{_MARK}.txt"]


def test_a_path_that_is_touched_is_noticed(tmp_path: Path) -> None:
    with _touching() as touched:
        (tmp_path / "made").write_text("words")
        (tmp_path / "made").rename(tmp_path / "moved")
    assert touched == [str(tmp_path / name) for name in ("made", "made", "moved")]


def test_removing_a_document_leaves_its_file(tmp_path: Path, handbook: Path, serve: Serve) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in handbook.rglob("*") if path.is_file()}

    before = files()
    with serve(tmp_path / "home", paths=(handbook,)) as client:
        documents = client.get("/v1/documents").json()["documents"]
        assert len(documents) == len(before)
        for document in documents:
            assert client.delete(f"/v1/documents/{document['document_id']}").status_code == 204
        assert client.get("/v1/documents").json()["documents"] == []
    assert files() == before


def test_no_request_has_a_field_for_a_path(client: TestClient) -> None:
    """The description is closed: a field that is new has to be thought about here."""
    assert isinstance(client.app, FastAPI)
    description = client.app.openapi()
    schemas = description["components"]["schemas"]
    parameters = {
        parameter["name"]
        for methods in description["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
    }
    assert parameters == {"collection", "cursor", "document_id", "job_id", "limit", "name", "q"}
    asked = {name for name in schemas if name.endswith("Request") or name.startswith("Body_")}
    fields = {field for name in asked for field in schemas[name]["properties"]}
    forbidden = {"path", "paths", "file", "folder", "dir", "directory", "root", "uri", "url"}
    assert {"files", "question", "citations", "folders"} <= fields
    assert not fields & forbidden
