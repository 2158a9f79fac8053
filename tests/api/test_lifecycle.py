"""From start to stop: readiness, following other writers, and asking while documents come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import Any

import apsw
import pytest
from starlette.testclient import TestClient

import embeddings.errors
from api.app import create_app
from embeddings import models
from embeddings.base import Embedder
from rag.assembly import build
from rag.settings import Settings
from rag.types import Status

Check = Callable[..., dict[str, Any]]
Serve = Callable[..., AbstractContextManager[TestClient]]
Locked = Callable[[Path], AbstractContextManager[None]]
Ready = Callable[[TestClient], None]
_CLIENTS, _VERSIONS = 16, 8


def _folder(path: Path, count: int, words: str = "The number is") -> Path:
    path.mkdir(exist_ok=True)
    for number in range(count):
        (path / f"{number:03}.txt").write_text(f"{words} {number}.\n")
    return path


def test_not_ready_then_ready(tmp_path: Path, serve: Serve, locked: Locked, ready: Ready) -> None:
    home, folder = tmp_path / "home", _folder(tmp_path / "folder", 3)
    build(Settings(home=home, embedder="hashing", reader="sentence")).close()
    with ExitStack() as stack:
        writer = stack.enter_context(ExitStack())
        writer.enter_context(locked(home))
        client = stack.enter_context(serve(home, wait=False, busy_seconds=60, paths=(folder,)))
        while (seen := client.get("/readyz")).json()["files"] < 3:
            assert seen.status_code == 503
        assert seen.status_code == 503
        assert int(seen.headers["Retry-After"]) > 0
        assert seen.json() == {
            "ready": False, "detail": "ingesting", "files": 3, "total_files": 3,
        }  # fmt: skip
        assert client.get("/healthz").json() == {"status": "ok"}
        # Questions get through, to what is there.
        reply = client.post("/v1/ask", json={"question": "Which number?"}).json()
        assert reply["reason"] == "empty_index"
        writer.close()
        ready(client)
        assert client.get("/readyz").json() == {
            "ready": True, "detail": "ready", "files": 3, "total_files": 3,
        }  # fmt: skip
        client.post("/v1/documents", files=[("files", ("new.txt", b"New words.\n"))])
        assert client.get("/readyz").status_code == 200


def test_ready_without_paths(empty: TestClient) -> None:
    response = empty.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"ready": True, "detail": "ready", "files": 0, "total_files": 0}


def test_ready_while_some_files_are_refused(tmp_path: Path, serve: Serve) -> None:
    folder = _folder(tmp_path / "folder", 1)
    (folder / "photo.jpg").write_bytes(b"\xff")
    with serve(tmp_path / "home", paths=(folder,)) as client:
        assert client.get("/v1/status").json()["documents"] == 1


def _failed(client: TestClient) -> dict[str, Any]:
    while (reply := client.get("/readyz")).json()["detail"] in {"starting", "ingesting"}:
        assert reply.status_code == 503
    assert reply.status_code == 503
    readiness: dict[str, Any] = reply.json()
    return readiness


def test_a_missing_path_is_named(tmp_path: Path, serve: Serve) -> None:
    folder = _folder(tmp_path / "folder", 1)
    with serve(tmp_path / "home", wait=False, paths=(folder, tmp_path / "gone")) as client:
        assert "gone: no such file or folder" in _failed(client)["detail"]
        assert client.get("/v1/status").json()["documents"] == 1


def test_another_model_is_taken_over(tmp_path: Path, serve: Serve) -> None:
    home, folder = tmp_path / "home", _folder(tmp_path / "folder", 1)
    with serve(home, paths=(folder,)):
        pass
    connection = apsw.Connection(str(home / "index.sqlite"))
    connection.execute("UPDATE collections SET embedder = 'another-model'")
    connection.close()
    with serve(home, paths=(folder,)) as client:
        assert client.post("/v1/ask", json={"question": "Which number?"}).json()["passages"]


def test_an_unknown_model_is_named(tmp_path: Path, check_problem: Check) -> None:
    settings = Settings(home=tmp_path / "home", cache=tmp_path, embedder=str(tmp_path / "none"))
    with TestClient(create_app(build(settings), settings)) as client:
        assert str(tmp_path / "none") in _failed(client)["detail"]
        response = client.post("/v1/ask", json={"question": "Which number?"})
        assert str(tmp_path) not in str(check_problem(response, 503))
        assert client.get("/v1/documents").status_code == 200


def _readiness(client: TestClient, wanted: int) -> dict[str, Any]:
    """What `/readyz` says once it has this status: it looks at most once a second."""
    while (reply := client.get("/readyz")).status_code != wanted:
        time.sleep(0.05)
    readiness: dict[str, Any] = reply.json()
    return readiness


def test_damage_that_comes_later_is_told_until_it_is_mended(tmp_path: Path, serve: Serve) -> None:
    home, folder = tmp_path / "home", _folder(tmp_path / "folder", 1)
    with (
        serve(home, paths=(folder,)) as client,
        closing(apsw.Connection(str(home / "index.sqlite"))) as connection,
    ):
        connection.execute("UPDATE passages SET text = 'The number is 7.'")
        assert "rag doctor" in _readiness(client, 503)["detail"]
        assert "rag_ready 0.0" in client.get("/metrics").text
        assert client.get("/healthz").status_code == 200
        connection.execute("UPDATE passages SET text = 'The number is 0.'")
        assert _readiness(client, 200)["detail"] == "ready"


def test_a_model_that_comes_later_makes_it_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home", embedder="hashing", reader="sentence")
    service, load = build(settings), models.load

    def missing(*_: object) -> Embedder:
        raise embeddings.errors.ModelUnavailable("no model yet")

    monkeypatch.setattr(models, "load", missing)
    with TestClient(create_app(service, settings)) as client:
        assert "no model yet" in _failed(client)["detail"]
        monkeypatch.setattr(models, "load", load)
        assert _readiness(client, 200)["ready"]


def test_ready_while_everything_is_encoded_anew(tmp_path: Path, serve: Serve) -> None:
    home, folder = tmp_path / "home", _folder(tmp_path / "folder", 30)
    with serve(home, paths=(folder,)) as client, ThreadPoolExecutor(1) as pool:
        other = build(Settings(home=home, embedder="hashing", reader="sentence"), busy_seconds=30)
        rebuilding = pool.submit(other.rebuilds.run)
        statuses = set()
        done = False
        while not done:
            done = rebuilding.done()
            statuses.add(client.get("/readyz").status_code)
            answer = client.post("/v1/ask", json={"question": "What is the number 7?"})
            statuses.add(answer.status_code)
        rebuilding.result()
        other.close()
    assert statuses == {200}


def test_a_writer_in_another_process_is_followed(tmp_path: Path, serve: Serve) -> None:
    home = tmp_path / "home"
    with serve(home) as client:
        other = build(Settings(home=home, embedder="hashing", reader="sentence"))
        for number in range(3):
            folder = _folder(tmp_path / "folder", 1, f"Version {number} of the")
            other.ingest([folder])
            reply = client.post("/v1/ask", json={"question": "Which version?"}).json()
            assert [p["text"] for p in reply["passages"]] == [f"Version {number} of the 0."]
            assert reply["index"]["generation"] == number + 1
        other.remove(other.find("000.txt"))
        other.close()
        reply = client.post("/v1/ask", json={"question": "Which version?"}).json()
        assert (reply["reason"], reply["passages"]) == ("empty_index", [])
        assert client.get("/readyz").status_code == 200


def test_asking_while_documents_come(tmp_path: Path, serve: Serve) -> None:
    """Two files change together; no reply shows one old and one new."""
    home, folder = tmp_path / "home", tmp_path / "folder"
    folder.mkdir()
    with serve(home) as client:
        other = build(Settings(home=home, embedder="hashing", reader="sentence"), busy_seconds=30)

        def write() -> None:
            for number in range(1, _VERSIONS + 1):
                for name in ("left", "right"):
                    (folder / f"{name}.txt").write_text(f"The {name} lamp shows {number} now.\n")
                other.ingest([folder])

        def ask(writing: Future[None]) -> set[int]:
            seen = set()
            done = False
            while not done:
                done = writing.done()
                response = client.post("/v1/ask", json={"question": "What does the lamp show?"})
                assert response.status_code == 200, response.text
                reply = response.json()
                generation = reply["index"]["generation"]
                shown = [int(passage["text"].split()[-2]) for passage in reply["passages"]]
                assert shown == ([generation] * 2 if generation else [])
                seen.add(generation)
            return seen

        with ThreadPoolExecutor(_CLIENTS + 1) as pool:
            writing = pool.submit(write)
            seen = list(pool.map(ask, [writing] * _CLIENTS))
            writing.result()
        other.close()
    assert all(_VERSIONS in generations for generations in seen)
    assert len(set().union(*seen)) > 1


def test_stopping_in_the_middle_of_the_start(tmp_path: Path, serve: Serve) -> None:
    home, folder = tmp_path / "home", _folder(tmp_path / "folder", 300)
    with serve(home, wait=False, paths=(folder,)) as client:
        while client.get("/readyz").json()["files"] < 2:
            pass
    assert not [t for t in threading.enumerate() if t.name == "start"]
    service = build(Settings(home=home, embedder="hashing", reader="sentence"))
    report = service.ingest([folder])
    assert report.count(Status.ADDED) + report.count(Status.UNCHANGED) == 300
    assert report.count(Status.ADDED) > 0  # it has not run to its end
    service.close()
