"""The real application with light parts, in this process, over a small folder of files."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import apsw
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from rag.assembly import build
from rag.settings import Settings

Serve: TypeAlias = Callable[..., AbstractContextManager[TestClient]]
_STARTING = {"starting", "ingesting", "encoding anew with the configured model"}
CORPUS = Path(__file__).parents[2] / "data" / "corpus"
FILES = {
    "leave.md": (
        "# Annual leave\n\nEvery full-time member of staff has 28 days of annual leave.\n\n"
        "## Carrying over\n\nAt most 5 days of leave may be carried over into the next year."
    ),
    "parking.txt": (
        "\ufeffThe car park \U0001f697 closes at 22:30 on weekdays.\r\n \r\n"
        "Visitors park in the north yard.\r\n\r\nThe code of the barrier is 4711 \U0001f600.\r\n"
    ),
    "kitchen.html": (
        "<html><head><title>Kitchen rules</title></head><body><article>"
        "<h1>Kitchen rules</h1><p>The dishwasher is emptied by the team of the week every "
        "morning before nine o'clock, and nobody leaves cups in the sink overnight.</p>"
        "<p>Milk for everybody stands in the left refrigerator on the ground floor.</p>"
        "</article></body></html>"
    ),
    "copies/one.txt": "The fire assembly point is behind the boiler house.\n",
    "copies/two.txt": "The fire assembly point is behind the boiler house.\n",
}


@pytest.fixture(scope="session")
def handbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Text, Markdown, HTML and a PDF; one text twice."""
    folder = tmp_path_factory.mktemp("handbook")
    for source, text in FILES.items():
        path = folder / source
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    (folder / "equipment.pdf").write_bytes((CORPUS / "handbook" / "equipment.pdf").read_bytes())
    return folder


@contextmanager
def _serve(
    home: Path, *, busy_seconds: float = 1.0, wait: bool = True, **changes: Any
) -> Iterator[TestClient]:
    settings = Settings(
        home=home, cache=home / "cache", embedder="hashing", reader="sentence", **changes
    )
    with TestClient(create_app(build(settings, busy_seconds), settings)) as client:
        if wait:
            wait_until_ready(client)
        yield client


def wait_until_ready(client: TestClient) -> None:
    while (reply := client.get("/readyz")).status_code != 200:
        assert reply.json()["detail"] in _STARTING, reply.json()
        time.sleep(0.01)


@pytest.fixture(scope="session")
def serve() -> Serve:
    """`serve(home, **settings)` runs an application; ready unless `wait=False`."""
    return _serve


@pytest.fixture(scope="session")
def ready() -> Callable[[TestClient], None]:
    """Returns once `/readyz` says 200."""
    return wait_until_ready


@pytest.fixture(scope="session")
def client(handbook: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Serves the handbook; for tests that only read."""
    with _serve(tmp_path_factory.mktemp("home"), paths=(handbook,)) as client:
        yield client


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[TestClient]:
    """Serves an index of its own without any document."""
    with _serve(tmp_path / "home") as client:
        yield client


@pytest.fixture(scope="session")
def locked() -> Callable[[Path], AbstractContextManager[None]]:
    """`locked(home)` is another process in the middle of a write."""

    @contextmanager
    def hold(home: Path) -> Iterator[None]:
        connection = apsw.Connection(str(home / "index.sqlite"))
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()

    return hold


def paragraph_at(text: str, offset: int) -> int:
    """The number of the paragraph at an offset, by the contract's words alone."""
    number, end, after_blank = 0, 0, True
    for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text):
        if not line.strip():
            after_blank = True
        elif after_blank:
            number, after_blank = number + 1, False
        end += len(line)
        if offset < end:
            return number
    raise AssertionError("beyond the text")


@pytest.fixture(scope="session")
def check_citation() -> Callable[[TestClient, dict[str, Any]], str]:
    """Holds a citation against the document's text, which it returns."""

    def check(client: TestClient, citation: dict[str, Any]) -> str:
        reply = client.get(f"/v1/documents/{citation['document_id']}/text")
        text = reply.content.decode()
        start, end = citation["start"], citation["end"]
        assert text[start:end] == citation["quote"] != ""
        assert citation["prefix"] == text[max(0, start - 32) : start]
        assert citation["suffix"] == text[end : end + 32]
        assert citation["paragraph"] == paragraph_at(text, start)
        assert citation["paragraph_end"] == paragraph_at(text, end - 1)
        assert citation["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
        return text

    return check


@pytest.fixture(scope="session")
def check_problem() -> Callable[..., dict[str, Any]]:
    """Holds a response against RFC 9457 and returns the problem."""

    def check(response: Any, status: int | None = None) -> dict[str, Any]:
        assert status is None or response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = response.json()
        assert {"type", "title", "status", "detail", "request_id"} <= problem.keys()
        assert problem["type"] == "about:blank"
        assert problem["status"] == response.status_code
        assert problem["request_id"] == response.headers["x-request-id"]
        assert problem["detail"]
        return problem

    return check
