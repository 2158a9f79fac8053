"""A server whose embedder was changed answers by the former model, or says that it can't yet."""

from __future__ import annotations

import runpy
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from embeddings.hashing import HashingEmbedder
from rag.assembly import build
from rag.errors import ModelUnavailable
from rag.service import Service
from rag.settings import Settings

Check = Callable[..., dict[str, Any]]
Ready = Callable[[TestClient], None]
Turned = runpy.run_path(str(Path(__file__).parents[1] / "store/killed_work.py"))["Turned"]
_QUESTION = {"question": "Which number has the locker?", "top_k": 20}


class Held(Turned):  # type: ignore[misc, valid-type]
    """Encodes when it may."""

    may = threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> Any:
        assert self.may.wait(30)
        return super().embed_passages(texts)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Made by the light embedder of all tests; every document is there before anybody asks."""
    folder, home = tmp_path / "folder", tmp_path / "home"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"The locker of room {number} is {number}7.\n")
    settings = Settings(home=home, embedder="hashing", reader="sentence")
    with closing(build(settings)) as service:
        service.ingest([folder])
    return home


@pytest.fixture
def serve(home: Path, tmp_path: Path) -> Callable[..., Any]:
    """`serve(knows_former=…)` serves `home` with the other embedder, which waits for `Held.may`."""
    Held.may.clear()

    @contextmanager
    def serving(*, knows_former: bool) -> Iterator[TestClient]:
        def load(name: str) -> Any:
            if name == "held":
                return Held()
            if knows_former:
                return HashingEmbedder()
            raise ModelUnavailable("gone")

        settings = Settings(home=home, embedder="hashing", reader="sentence")
        made = build(settings)
        service = Service(replace(made._parts, embedder="held", load_embedder=load))
        settings = replace(settings, paths=(tmp_path / "folder",))
        with TestClient(create_app(service, settings)) as client:
            yield client
        Held.may.set()
        made.close()

    return serving


def _ask(client: TestClient) -> tuple[list[str], str]:
    reply = client.post("/v1/ask", json=_QUESTION)
    assert reply.status_code == 200, reply.text
    return sorted(p["text"] for p in reply.json()["passages"]), reply.json()["index"]["embedder"]


def _wait(condition: Callable[[], Any]) -> Any:
    until = time.monotonic() + 30
    while not (value := condition()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return value


def test_the_former_model_answers_meanwhile(serve: Any, ready: Ready) -> None:
    with serve(knows_former=True) as client:
        ready(client)
        rebuilding = _wait(lambda: client.get("/v1/status").json()["rebuilding"])
        assert rebuilding == {"collection": "default", "documents": 5, "total_documents": 5}
        texts, embedder = _ask(client)
        assert (len(texts), embedder) == (5, "hashing-1")
        files = [("files", ("new.txt", b"The locker of the gate is 99.\n"))]
        assert client.post("/v1/documents", files=files).status_code == 201
        texts, embedder = _ask(client)
        assert (len(texts), embedder) == (6, "hashing-1")
        assert client.get("/readyz").status_code == 200
        Held.may.set()
        seen = set()
        while client.get("/v1/status").json()["rebuilding"]:
            seen.add((tuple(texts), _ask(client)[1]))
        assert {found for found, _ in seen} <= {tuple(texts)}
        assert _ask(client) == (texts, "turned-1")
        (collection,) = client.get("/v1/status").json()["collections"]
        assert (collection["documents"], collection["embedder"]) == (6, "turned-1")


def test_without_the_former_model_it_says_so(serve: Any, check_problem: Check) -> None:
    with serve(knows_former=False) as client:
        readiness = _wait(lambda: (r := client.get("/readyz")).json()["files"] and r)
        assert readiness.status_code == 503
        assert readiness.json() == {
            "ready": False, "detail": "encoding anew with the configured model",
            "files": 5, "total_files": 5,
        }  # fmt: skip
        for route in ("/v1/ask", "/v1/search"):
            response = client.post(route, json=_QUESTION)
            assert "encodes it anew" in check_problem(response, 503)["detail"]
            assert int(response.headers["Retry-After"]) > 0
        files = [("files", ("new.txt", b"New words.\n"))]
        check_problem(client.post("/v1/documents", files=files), 503)
        assert client.get("/v1/documents").status_code == 200
        Held.may.set()
        _wait(lambda: client.get("/readyz").status_code == 200)
        assert _ask(client)[1] == "turned-1"


@pytest.mark.parametrize("knows_former", [True, False])
def test_stopped_meanwhile(serve: Any, home: Path, knows_former: bool) -> None:
    with serve(knows_former=knows_former) as client:
        _wait(lambda: client.get("/v1/status").json()["rebuilding"])
        threading.Timer(0.2, Held.may.set).start()
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        made_with = connection.execute("SELECT embedder FROM collections").get
    assert made_with in ("hashing-1", "turned-1")
    with serve(knows_former=knows_former) as client:
        Held.may.set()
        _wait(lambda: client.get("/v1/status").json()["collections"][0]["embedder"] == "turned-1")
        _wait(lambda: client.get("/readyz").status_code == 200)
        assert len(_ask(client)[0]) == 5


def test_another_process_rebuilds_first(serve: Any, home: Path, ready: Ready) -> None:
    from rag.store.overhaul import Overhaul  # noqa: PLC0415 - one test alone knows of it

    Held.may.set()
    with Overhaul(home, 1.0).held(), serve(knows_former=True) as client:
        ready(client)
        assert _ask(client)[1] == "hashing-1"
