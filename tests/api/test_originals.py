"""A document's file as it was ingested: from the index for uploads, else from the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import apsw
import pytest
from starlette.testclient import TestClient

Problem: TypeAlias = Callable[..., dict[str, Any]]
Serve: TypeAlias = Callable[..., AbstractContextManager[TestClient]]

_WORDS = b"\xef\xbb\xbfThe quokka sleeps.\r\n\r\nIt eats leaves.\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "quokka.txt").write_bytes(_WORDS)
    return folder


@pytest.fixture
def mine(serve: Serve, folder: Path, tmp_path: Path) -> Iterator[TestClient]:
    with serve(tmp_path / "home", paths=(folder,)) as client:
        yield client


def _upload(client: TestClient, name: str, data: bytes) -> dict[str, Any]:
    response = client.post("/v1/documents", files=[("files", (name, data))])
    (result,) = response.json()["results"]
    return dict(result)


def _original(client: TestClient, document_id: str) -> Any:
    return client.get(f"/v1/documents/{document_id}/original")


def _only(client: TestClient) -> str:
    (document,) = client.get("/v1/documents").json()["documents"]
    return str(document["document_id"])


def test_every_file_byte_for_byte(client: TestClient, handbook: Path) -> None:
    for document in client.get("/v1/documents").json()["documents"]:
        response = _original(client, document["document_id"])
        assert response.status_code == 200
        assert response.content == (handbook / document["source"]).read_bytes()
        assert response.headers["content-type"] == "application/octet-stream"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["etag"] == f'"{document["sha256"]}"'
        assert response.headers["content-disposition"].startswith("attachment; ")


def test_an_upload_byte_for_byte_until_it_is_removed(
    empty: TestClient, check_problem: Problem
) -> None:
    first = _upload(empty, "one.txt", _WORDS)["document_id"]
    second = _upload(empty, "two.txt", _WORDS)["document_id"]
    assert _original(empty, first).content == _original(empty, second).content == _WORDS
    empty.delete(f"/v1/documents/{first}")
    check_problem(_original(empty, first), 404)
    assert _original(empty, second).content == _WORDS
    assert _upload(empty, "two.txt", b"Another text.")["status"] == "replaced"
    assert _original(empty, second).content == b"Another text."


def test_a_changed_file_is_409(mine: TestClient, folder: Path, check_problem: Problem) -> None:
    document_id = _only(mine)
    (folder / "quokka.txt").write_bytes(_WORDS + b"x")
    problem = check_problem(_original(mine, document_id), 409)
    assert "the file has changed since" in problem["detail"]
    assert str(folder) not in problem["detail"]
    (folder / "quokka.txt").write_bytes(_WORDS)
    assert _original(mine, document_id).content == _WORDS


def test_a_file_that_is_gone_is_404(
    mine: TestClient, folder: Path, tmp_path: Path, check_problem: Problem
) -> None:
    document_id = _only(mine)
    path = folder / "quokka.txt"
    path.rename(tmp_path / "outside.txt")
    path_told = [check_problem(_original(mine, document_id), 404)["detail"]]
    path.symlink_to(tmp_path / "outside.txt")  # leads out of the folder
    path_told += [check_problem(_original(mine, document_id), 404)["detail"]]
    folder.rename(tmp_path / "elsewhere")
    path_told += [check_problem(_original(mine, document_id), 404)["detail"]]
    assert str(tmp_path) not in "".join(path_told)


def test_an_upload_of_a_former_version(
    serve: Serve, tmp_path: Path, check_problem: Problem
) -> None:
    home = tmp_path / "home"
    with serve(home) as client:
        _upload(client, "q.txt", _WORDS)
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        connection.execute("DELETE FROM originals")
    with serve(home) as client:
        document_id = _only(client)
        assert "upload it once more" in check_problem(_original(client, document_id), 404)["detail"]
        assert _upload(client, "q.txt", _WORDS)["status"] == "replaced"
        assert _original(client, document_id).content == _WORDS
        assert _upload(client, "q.txt", _WORDS)["status"] == "unchanged"


def test_a_rebuild_keeps_uploads(empty: TestClient) -> None:
    document_id = _upload(empty, "q.txt", _WORDS)["document_id"]
    empty.app.state.shared._whole.rebuilds.run()  # type: ignore[attr-defined]
    assert _original(empty, document_id).content == _WORDS


@pytest.mark.parametrize(
    "name",
    ["plain.txt", "two words.txt", "caf\u00e9.txt", "\U0001f600.md", "a'b(c)%41;.txt", "תשובה.txt"],
)
def test_names(empty: TestClient, name: str) -> None:
    document_id = _upload(empty, name, _WORDS)["document_id"]
    header = _original(empty, document_id).headers["content-disposition"]
    kind, plain, full = header.split("; ")
    assert kind == "attachment"
    assert plain.isascii()
    assert len(plain) == len(f'filename="{name}"')
    assert full.startswith("filename*=UTF-8''")
    assert unquote(full.removeprefix("filename*=UTF-8''")) == name


def test_names_of_files_that_would_break_a_header(
    serve: Serve, folder: Path, tmp_path: Path
) -> None:
    name = 'a"b\\c\r\nX-Injected: 1\x1b.txt'
    (folder / "quokka.txt").rename(folder / name)
    with serve(tmp_path / "home", paths=(folder,)) as client:
        response = _original(client, _only(client))
    assert response.content == _WORDS
    assert "x-injected" not in response.headers
    header = response.headers["content-disposition"]
    assert header.startswith('attachment; filename="a_b_c__X-Injected_ 1_.txt"; ')
    assert unquote(header.rpartition("''")[2]) == name
