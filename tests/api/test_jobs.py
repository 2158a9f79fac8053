"""Large uploads: taken at once, worked off in steps, watched, cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import jobs
from embeddings.hashing import HashingEmbedder
from rag.assembly import build
from rag.settings import Settings

Check = Callable[..., dict[str, Any]]
Serve = Callable[..., AbstractContextManager[TestClient]]
_ASYNC = {"Prefer": "respond-async, wait=5"}
_QUESTION = {"question": "When is the zebra house repainted?"}
_ZOO = ("zoo.txt", b"The zebra house is repainted in the month of October.\n")


def _send(client: TestClient, *files: tuple[str, bytes], **headers: str) -> Any:
    parts = [("files", file) for file in files]
    return client.post("/v1/documents", files=parts, headers=headers)


def _ended(client: TestClient, location: str) -> dict[str, Any]:
    """The job, once it is over."""
    while True:
        job: dict[str, Any] = client.get(f"/v1/{location}").json()
        if job["state"] not in ("waiting", "running"):
            return job
        time.sleep(0.01)


def test_many_files_are_taken_at_once_and_each_is_reported(empty: TestClient) -> None:
    many = [(f"{n}.txt", f"The number is {n}.\n".encode()) for n in range(jobs.LARGE_FILES)]
    assert _send(empty, *many).status_code == 201
    response = _send(empty, *many, _ZOO, ("photo.jpg", b"x"))
    assert response.status_code == 202
    taken = response.json()
    assert response.headers["location"] == f"jobs/{taken['id']}"
    assert (taken["files"], taken["finished"], taken["results"]) == (52, 0, [])
    job = _ended(empty, response.headers["location"])
    assert (job["state"], job["finished"], job["detail"]) == ("done", 52, None)
    statuses = {result["source"]: result["status"] for result in job["results"]}
    assert statuses.pop("zoo.txt") == "added"
    assert statuses.pop("photo.jpg") == "refused"
    assert statuses == {name: "unchanged" for name, _ in many}
    assert job["passages_encoded"] == 1
    reply = empty.post("/v1/ask", json=_QUESTION).json()
    assert reply["answer"]["citation"]["source"] == "zoo.txt"


def test_a_large_file_is_a_job_and_a_small_one_where_that_is_preferred(empty: TestClient) -> None:
    large = b"Nothing is said here of where things stand.\n\n" * (jobs.LARGE_BYTES // 45)
    assert _send(empty, ("large.txt", large[: jobs.LARGE_BYTES])).status_code == 201
    for file, headers in ((("large.txt", large + b"x" * 100), {}), (_ZOO, _ASYNC)):
        response = _send(empty, file, **headers)
        assert response.status_code == 202
        assert _ended(empty, response.headers["location"])["state"] == "done"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Semaphore]:
    """Passages are encoded only as often as it is released."""
    allowed, encode = threading.Semaphore(0), HashingEmbedder.embed_passages

    def waiting(embedder: HashingEmbedder, texts: Any) -> Any:
        allowed.acquire()
        return encode(embedder, texts)

    monkeypatch.setattr(HashingEmbedder, "embed_passages", waiting)
    yield allowed
    allowed.release(1_000)


def test_what_was_added_before_it_was_cancelled_stays(
    empty: TestClient, held: threading.Semaphore
) -> None:
    # Each step is a file of its own, and the second one takes several encodings.
    first = ("first.txt", b"The first one.\n".ljust(jobs._STEP_BYTES))
    words = "\n\n".join(f"Locker {n} has the key {n}. " + "x" * 900 for n in range(600))
    files = [first, ("second.txt", words.encode()), _ZOO]
    location = _send(empty, *files, **_ASYNC).headers["location"]
    held.release()
    while empty.get(f"/v1/{location}").json()["finished"] < 1:
        time.sleep(0.01)
    held.release()
    while empty.get(f"/v1/{location}").json()["passages_encoded"] < 2:
        time.sleep(0.01)
    assert empty.get(f"/v1/{location}").json()["state"] == "running"
    assert empty.delete(f"/v1/{location}").status_code == 200
    held.release(1_000)
    job = _ended(empty, location)
    assert (job["state"], job["finished"]) == ("cancelled", 1)
    assert [result["source"] for result in job["results"]] == ["first.txt"]
    listed = empty.get("/v1/documents").json()["documents"]
    assert [one["source"] for one in listed] == ["first.txt"]
    assert empty.delete(f"/v1/{location}").json() == job


def test_another_upload_gets_its_turn(empty: TestClient, held: threading.Semaphore) -> None:
    files = [(f"{n}.txt", f"{n}".encode().ljust(jobs._STEP_BYTES)) for n in range(4)]
    location = _send(empty, *files, **_ASYNC).headers["location"]
    answered: list[Any] = []
    other = threading.Thread(target=lambda: answered.append(_send(empty, _ZOO)))
    other.start()
    held.release(2)
    other.join(30)
    assert answered[0].status_code == 201
    assert empty.get(f"/v1/{location}").json()["finished"] < 4
    held.release(1_000)
    assert _ended(empty, location)["finished"] == 4


def test_it_waits_for_another_process_and_fails_in_words(
    tmp_path: Path,
    serve: Serve,
    locked: Callable[[Path], AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "_PATIENCE_SECONDS", 0.01)
    home = tmp_path / "home"
    with serve(home, busy_seconds=0.02, max_store_bytes=2_000_000) as client:
        assert _send(client, ("a.txt", b"One.")).status_code == 201
        with locked(home):
            location = _send(client, _ZOO, **_ASYNC).headers["location"]
            time.sleep(0.1)
            assert client.get(f"/v1/{location}").json()["state"] in ("waiting", "running")
        assert _ended(client, location)["state"] == "done"
        words = "\n\n".join(f"Locker {n} has the key {n}. " + "x" * 900 for n in range(3_000))
        job = _ended(client, _send(client, ("b.txt", words.encode()), **_ASYNC).headers["location"])
        assert (job["state"], job["results"]) == ("failed", [])
        assert "RAG_MAX_STORE_MB" in job["detail"]
        assert str(tmp_path) not in job["detail"]


def test_a_bug_ends_the_job_alone(empty: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("a secret of this machine")

    with monkeypatch.context() as patch:
        patch.setattr(HashingEmbedder, "embed_passages", broken)
        job = _ended(empty, _send(empty, _ZOO, **_ASYNC).headers["location"])
    assert job["state"] == "failed"
    assert "secret" not in job["detail"]
    assert _send(empty, _ZOO).status_code == 201


def test_no_more_is_taken_than_the_memory_may_hold(
    empty: TestClient,
    held: threading.Semaphore,
    monkeypatch: pytest.MonkeyPatch,
    check_problem: Check,
) -> None:
    monkeypatch.setattr(jobs, "_MOST_WAITING_BYTES", 10)
    first = _send(empty, _ZOO, **_ASYNC)
    problem = _send(empty, _ZOO, **_ASYNC)
    check_problem(problem, 503)
    assert int(problem.headers["Retry-After"]) > 0
    held.release(1_000)
    assert _ended(empty, first.headers["location"])["state"] == "done"
    assert _send(empty, _ZOO, **_ASYNC).status_code == 202


def test_old_jobs_are_forgotten_and_unknown_ones_say_so(
    empty: TestClient, monkeypatch: pytest.MonkeyPatch, check_problem: Check
) -> None:
    monkeypatch.setattr(jobs, "_KEPT", 1)
    locations = []
    for _ in range(3):
        locations.append(_send(empty, _ZOO, **_ASYNC).headers["location"])
        _ended(empty, locations[-1])
    check_problem(empty.get(f"/v1/{locations[0]}"), 404)
    assert empty.get(f"/v1/{locations[2]}").status_code == 200
    for job_id in ("none", "0" * 32, "%00", "\U0001f511"):
        check_problem(empty.get(f"/v1/jobs/{job_id}"), 404)
        check_problem(empty.delete(f"/v1/jobs/{job_id}"), 404)


def test_the_end_of_the_server_ends_jobs_after_a_step(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_STEP_FILES", 1)
    files = [(f"{n}.txt", f"The number is {n}.\n".encode()) for n in range(500)]
    home = tmp_path / "home"
    with serve(home) as client:
        location = _send(client, *files).headers["location"]
        while (job := client.get(f"/v1/{location}").json())["finished"] < 2:
            time.sleep(0.01)
    service = build(Settings(home=home, embedder="hashing", reader="sentence"))
    stored = [record.origin.source for record in service.all_documents()]
    service.close()
    assert {result["source"] for result in job["results"]} <= set(stored)
    assert len(stored) < 500
