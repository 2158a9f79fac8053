"""Each limit at its edge: the last that is accepted and the first that is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from api.limits import Limits
from api.lines import Line
from rag.access import Tokens
from rag.settings import Settings

Check = Callable[..., dict[str, Any]]
Serve = Callable[..., AbstractContextManager[TestClient]]
_HEADERS = {"Content-Type": "application/json"}


def _json(size: int) -> bytes:
    """A good question of so many bytes."""
    body = json.dumps({"question": "Where?"}).encode()
    return body + b" " * (size - len(body))


def test_bytes_of_json(tmp_path: Path, serve: Serve, check_problem: Check) -> None:
    with serve(tmp_path / "home", max_json_bytes=5_000) as client:
        for path in ("/v1/ask", "/v1/search"):
            sent = {"content": _json(5_000), "headers": _HEADERS}
            assert client.post(path, **sent).status_code == 200  # type: ignore[arg-type]
            response = client.post(path, content=_json(5_001), headers=_HEADERS)
            assert "RAG_MAX_JSON_MB" in check_problem(response, 413)["detail"]
            for sizes, status in (((4_000, 1_000), 200), ((4_000, 1_001), 413)):
                head, tail = _json(sizes[0]), b" " * sizes[1]
                response = client.post(path, content=iter([head, tail]), headers=_HEADERS)
                assert response.status_code == status


def test_characters_of_a_question_and_passages(
    tmp_path: Path, serve: Serve, check_problem: Check
) -> None:
    with serve(tmp_path / "home", max_question_chars=10, max_top_k=7) as client:
        for path in ("/v1/ask", "/v1/search"):
            good = {"question": "\U0001f600" * 10, "top_k": 7}
            assert client.post(path, json=good).status_code == 200
            problem = check_problem(client.post(path, json={"question": "x" * 11}), 422)
            assert "10 characters" in problem["detail"]
            problem = check_problem(client.post(path, json={**good, "top_k": 8}), 422)
            assert "from 1 to 7" in problem["detail"]


def test_a_line() -> None:
    """Two work, three wait, the sixth is told to come back; then all is as before."""
    started, done = threading.Semaphore(0), threading.Event()

    def work() -> int:
        started.release()
        assert done.wait(30)
        return 1

    async def run() -> None:
        line = Line(threads=2, waiting=3)
        results: list[int] = []

        async def one() -> None:
            results.append(await line.run(work))

        for _ in range(2):
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(one)
                await anyio.to_thread.run_sync(started.acquire)
                await anyio.to_thread.run_sync(started.acquire)
                assert not started.acquire(blocking=False)
                with pytest.raises(HTTPException) as refused:
                    await line.run(work)
                assert refused.value.status_code == 503
                done.set()
            done.clear()
            while started.acquire(blocking=False):
                pass
        assert results == [1] * 10

    anyio.run(run)


def test_too_many_questions_wait(tmp_path: Path, serve: Serve, check_problem: Check) -> None:
    with serve(tmp_path / "home", max_waiting=0) as client:
        app = client.app
        assert isinstance(app, FastAPI)
        line = app.state.shared._asking
        line._most, question = 1, {"question": "Where?"}
        assert client.post("/v1/ask", json=question).status_code == 200
        line._inside = 1
        response = client.post("/v1/ask", json=question)
        check_problem(response, 503)
        assert int(response.headers["Retry-After"]) > 0
        for path in ("/healthz", "/readyz", "/metrics", "/"):
            assert client.get(path).status_code == 200
        line._inside = 0
        assert client.post("/v1/ask", json=question).status_code == 200


def test_a_rate(tmp_path: Path, serve: Serve, check_problem: Check) -> None:
    tokens = Tokens(tmp_path / "home")
    one, other = (
        {"Authorization": "Bearer " + tokens.add(name, writes=True, collections=None)}
        for name in ("one", "other")
    )
    question = {"question": "Where?"}
    with serve(tmp_path / "home", rate="3/minute") as client:
        for path in ("/v1/ask", "/v1/search", "/v1/ask"):
            assert client.post(path, json=question, headers=one).status_code == 200
        response = client.post("/v1/ask", json=question, headers=one)
        check_problem(response, 429)
        assert 1 <= int(response.headers["Retry-After"]) <= 60
        files = {"files": ("a.txt", b"Words.")}
        check_problem(client.post("/v1/documents", files=files, headers=one), 429)
        assert client.post("/v1/documents", files=files, headers=other).status_code == 201
        for path in ("/", "/page/page.css", "/healthz", "/readyz", "/metrics", "/v1/status") * 2:
            assert client.get(path, headers=one).status_code == 200


def test_a_rate_by_address(tmp_path: Path, serve: Serve) -> None:
    with serve(tmp_path / "home", rate="2/hour") as client:
        question = {"question": "Where?"}
        statuses = [client.post("/v1/search", json=question).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


def _scope(path: str = "/v1/documents") -> Scope:
    return {"type": "http", "method": "POST", "path": path, "headers": []}


def _status(messages: list[tuple[float, bytes]], **limits: Any) -> int:
    """What reading a body of (seconds before it comes, bytes) ends with; 0 where all is well."""

    async def run() -> int:
        came = iter(messages)

        async def receive() -> Message:
            seconds, body = next(came)
            await anyio.sleep(seconds)
            return {"type": "http.request", "body": body, "more_body": body != b"end"}

        counted = Limits(Settings(home=Path("x"), **limits)).counted(_scope(), receive)
        try:
            while (await counted())["more_body"]:
                pass
        except HTTPException as error:
            return error.status_code
        return 0

    return anyio.run(run)


def test_a_body_that_trickles_is_cut_and_a_slow_one_is_not() -> None:
    trickle = [(0.02, b"x")] * 100
    assert _status([*trickle, (0, b"end")], body_seconds=0.1) == 408
    assert _status([(1, b"end")], body_seconds=0.1) == 408
    # Slower in all than the limit, but 1,000 bytes earn a second more.
    slow = [(0.02, b"x" * 100)] * 20
    assert _status([*slow, (0, b"end")], body_seconds=0.1) == 0


def test_after_its_body_a_client_may_wait_as_long_as_it_likes() -> None:
    async def run() -> None:
        messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Message:
            for message in messages:
                return message
            await anyio.sleep(0.2)
            return {"type": "http.disconnect"}

        limits = Limits(Settings(home=Path("x"), body_seconds=0.05))
        counted = limits.counted(_scope(), receive)
        await counted()
        assert (await counted())["type"] == "http.disconnect"

    anyio.run(run)


def test_the_size_of_the_store(tmp_path: Path, serve: Serve, check_problem: Check) -> None:
    home = tmp_path / "home"

    def upload(client: TestClient, number: int) -> Any:
        text = f"Number {number}. " + "".join(f"Word{number}x{i} stands here. " for i in range(800))
        return client.post("/v1/documents", files={"files": (f"{number}.txt", text.encode())})

    with serve(home, max_store_bytes=1_000_000) as client:
        taken = 0
        while (response := upload(client, taken)).status_code == 201:
            taken += 1
            assert taken < 100
        problem = check_problem(response, 507)
        assert "RAG_MAX_STORE_MB" in problem["detail"]
        assert str(tmp_path) not in str(problem)
        documents = client.get("/v1/documents").json()["documents"]
        assert len(documents) == taken > 1
        question = {"question": f"Number {taken}?", "top_k": 100}
        passages = client.post("/v1/search", json=question).json()["passages"]
        assert f"{taken}.txt" not in {p["citation"]["source"] for p in passages}
        # Removal works, and makes room again.
        for document in documents[:2]:
            assert client.delete("/v1/documents/" + document["document_id"]).status_code == 204
        assert upload(client, 200).status_code == 201


def test_many_at_once_lose_nothing(client: TestClient) -> None:
    question = {"question": "When does the car park close?"}
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: client.post("/v1/ask", json=question), range(24)))
    assert {reply.status_code for reply in replies} == {200}
