"""Hostile files sent as uploads: each is refused or read, and the server goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.jobs import LARGE_FILES
from tests.loading.nasty import NASTY

Problem = Callable[..., dict[str, Any]]
_QUESTION = {"question": "When does the owl hoot?"}
_SLOW = "a form that draws itself"  # seconds, and then the end of the parser's child


def _file(name: str) -> tuple[str, bytes]:
    nasty = NASTY[name]
    return f"{name}{nasty.suffix}", nasty.make()


def _upload(client: TestClient, *files: tuple[str, bytes]) -> Any:
    return client.post("/v1/documents", files=[("files", file) for file in files])


def test_what_is_refused_stops_nothing_beside_it(empty: TestClient) -> None:
    names = [name for name, nasty in NASTY.items() if nasty.outcome != "ok" and name != _SLOW]
    files = [_file(name) for name in names]
    for place, hour in enumerate(("dusk", "dawn", "noon"), start=1):
        files.insert(place * len(names) // 3, (f"{hour}.txt", f"The owl hoots at {hour}.".encode()))
    told: dict[str, Any] = {}
    for at in range(0, len(files), LARGE_FILES):
        response = _upload(empty, *files[at : at + LARGE_FILES])
        assert response.status_code in (201, 422)
        told |= {result["source"]: result for result in response.json()["results"]}
    assert len(told) == len(files) > 20
    added = {source for source, result in told.items() if result["status"] == "added"}
    assert added == {"dusk.txt", "dawn.txt", "noon.txt"}
    assert all(told[source]["reason"] for source in told.keys() - added)
    reply = empty.post("/v1/ask", json=_QUESTION).json()
    assert {p["citation"]["source"] for p in reply["passages"]} == added


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("NUL", 415),
        ("zip", 415),
        ("encrypted", 422),
        ("script only", 422),
        ("cut at 50 %", 422),
        ("every byte", 422),
        ("labels that hold themselves", 422),
    ],
)
def test_alone_it_is_a_problem_with_its_reason(
    empty: TestClient, check_problem: Problem, name: str, status: int
) -> None:
    problem = check_problem(_upload(empty, _file(name)), status)
    assert problem["results"][0]["reason"] in problem["detail"]
    assert _upload(empty, ("a.txt", b"The owl hoots at dusk.")).status_code == 201


def test_questions_and_uploads_go_on_beside_a_slow_one(empty: TestClient) -> None:
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(_upload, empty, _file(_SLOW))
        beside = pool.submit(_upload, empty, ("a.txt", b"The owl hoots at dusk."))
        statuses = set()
        while not slow.done():
            statuses.add(empty.post("/v1/search", json=_QUESTION).status_code)
            statuses.add(empty.get("/healthz").status_code)
        assert statuses == {200}
        assert slow.result().status_code == 422
        assert beside.result().status_code == 201
    assert empty.post("/v1/ask", json=_QUESTION).json()["answer"]["text"]
