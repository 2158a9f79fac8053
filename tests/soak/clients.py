"""A2: SIGKILL at random moments of a server that four uploaders and two deleters are using."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn

import api.server
from rag.entries import UPLOADS, document_id
from rag.store.embedded import EmbeddedStore
from tests.soak.forking import started
from tests.soak.invariants import Unlike
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes
from tests.soak.subject import SUBJECTS, State, prepare, settings_of, source_of, text_of

_UPLOADERS, _DELETERS = 4, 2
_SERIES = 25  # kills of one store
_LONGEST_RESTART = 5.0  # seconds
_LONGEST = 0.25  # seconds from the first answer to the kill
_EARLY = 0.1  # of the kills come while the server starts
_DONE = {201, 204}
_FINE = {*_DONE, 404, 429, 503}


@dataclass(frozen=True, slots=True)
class Change:
    """What a client asked for: a text for a source, None to forget it. `ended` is when it was
    acknowledged, endless where it never was.
    """

    source: str
    text: str | None
    began: float
    ended: float


def unlike(before: State, changes: Sequence[Change]) -> Unlike:
    """A document may be any change's that no change acknowledged later has undone."""

    def wrong(found: State) -> str | None:
        for source in sorted({*before, *found, *(change.source for change in changes)}):
            mine = [change for change in changes if change.source == source]
            mine.append(Change(source, before.get(source), 0.0, 0.0))
            last = max(change.began for change in mine if change.ended < float("inf"))
            possible = [change.text for change in mine if change.ended >= last]
            if found.get(source) not in possible:
                return f"{source} is none of the {len(possible)} texts that it may be"
        return None

    return wrong


def serve(home: Path, listening: socket.socket, planted: Callable[[], None]) -> None:
    """The server itself, as `rag serve` runs it, until it is killed."""
    prepare()
    planted()
    os.environ.update(settings_of(home).to_environment())
    config = uvicorn.Config(
        api.server.create, factory=True, log_level="critical", server_header=False
    )
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    uvicorn.Server(config).run(sockets=[listening])


class _Client(Thread):
    """Changes documents one after another until the server is gone."""

    def __init__(self, port: int, chance: random.Random, deletes: bool, say: Callable[[], None]):
        super().__init__()
        self._port = port
        self._chance = chance
        self._deletes = deletes
        self._say = say
        self.changes: list[tuple[int, int | None, float, float]] = []
        self.errors: list[str] = []

    def run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
        with suppress(OSError, HTTPException):
            while True:
                self._change(connection)

    def _change(self, connection: HTTPConnection) -> None:
        subject, version = self._chance.randrange(len(SUBJECTS)), self._chance.randrange(1000)
        self.changes.append(
            (subject, None if self._deletes else version, time.monotonic(), float("inf"))
        )
        if self._deletes:
            identity = document_id("default", UPLOADS, source_of(subject))
            connection.request("DELETE", f"/v1/documents/{identity}")
        else:
            connection.request("POST", "/v1/documents", *_upload(subject, version))
        response = connection.getresponse()
        said = response.read()
        if response.status in _DONE:
            self._say()
            self.changes[-1] = (*self.changes[-1][:3], time.monotonic())
        elif response.status not in _FINE:
            self.errors.append(f"{response.status} {said!r}")
        if response.status == 404:
            self.changes.pop()


def _upload(subject: int, version: int) -> tuple[bytes, dict[str, str]]:
    head = (
        "--x\r\nContent-Disposition: form-data; "
        f'name="files"; filename="{source_of(subject)}"\r\n\r\n'
    )
    body = f"{head}{text_of(subject, version)}\r\n--x--\r\n".encode()
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


def ask_for_changes(port: int, chance: random.Random, started: int) -> Any:
    """Six clients until the server is gone: all their changes, errors, when the first was done."""
    firsts: list[float] = []

    def say() -> None:
        if not firsts:
            firsts.append(time.monotonic())
            os.write(started, b"!")

    clients = [
        _Client(port, random.Random(chance.random()), n >= _UPLOADERS, say)  # noqa: S311
        for n in range(_UPLOADERS + _DELETERS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return {
        "changes": [change for client in clients for change in client.changes],
        "errors": [error for client in clients for error in client.errors],
        "first": firsts[0] if firsts else None,
    }


@contextmanager
def _forked(work: Callable[[], None]) -> Iterator[int]:
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class Clients(Anywhere):
    """A2. A case is a number; every 25th begins with a new store, and a replay with the first."""

    name = "A2"
    title = "SIGKILL at random moments under 4 uploaders and 2 deleters over HTTP"
    sizes = Sizes(pr=30, nightly=1_000)
    first = "0"

    def __init__(self, planted: Callable[[], None] = lambda: None) -> None:
        self._planted = planted
        self._known: tuple[int, State] | None = None
        self.slowest = 0.0

    def case(self, bench: Bench, at: str) -> Case:
        number = int(at)
        home = bench.work / "served"
        if number % _SERIES == 0 or self._known is None or self._known[0] != number:
            with suppress(FileNotFoundError):
                shutil.rmtree(home)
            self._known = (number, {})
        before = self._known[1]
        began = time.monotonic()
        said = _until_killed(home, bench.chance("clients", number), self._planted)
        changes = [
            Change(source_of(s), None if v is None else text_of(s, v), begun, ended)
            for s, v, begun, ended in said["changes"]
        ]
        if said["first"]:
            self.slowest = max(self.slowest, said["first"] - began)
        violation = "; ".join(said["errors"]) or self._judged(bench, home, before, changes)
        if not violation and said["first"] and said["first"] - began > _LONGEST_RESTART:
            violation = f"the first change was done after {said['first'] - began:.1f} s"
        if violation:
            self._known = None
        return Case(violation, str(number + 1))

    def _judged(
        self, bench: Bench, home: Path, before: State, changes: Sequence[Change]
    ) -> str | None:
        copy = bench.work / "copy"
        with suppress(FileNotFoundError):
            shutil.rmtree(copy)
        if home.exists():
            shutil.copytree(home, copy)
        after: list[State] = []
        differs = unlike(before, changes)

        def noted(found: State) -> str | None:
            after.append(found)
            return differs(found)

        violation = bench.judge.violation(copy, noted)
        assert self._known
        self._known = (self._known[0] + 1, after[0] if after else {})
        return violation

    def controls(self, bench: Bench) -> Sequence[Control]:
        forgetful = Clients(_forgetful)
        found = any(forgetful.case(bench, str(n)).violation for n in range(5))
        return [Control("a store that leaves out every third commit", found)]


def _forgetful() -> None:
    """The planted fault: what is acknowledged was not always done."""
    commit, calls = EmbeddedStore.commit, count(1)

    def committed(self: EmbeddedStore, *given: Any, **named: Any) -> int:
        return 0 if next(calls) % 3 == 0 else commit(self, *given, **named)

    EmbeddedStore.commit = committed  # type: ignore[method-assign]


def _until_killed(home: Path, chance: random.Random, planted: Callable[[], None]) -> Any:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    first, say = os.pipe()
    with _forked(lambda: serve(home, listening, planted)):
        listening.close()
        clients = started(lambda: ask_for_changes(port, chance, say))
        os.close(say)
        if chance.random() < _EARLY:
            time.sleep(chance.uniform(0, _LONGEST))
        else:
            os.read(first, 1)
            time.sleep(chance.uniform(0, _LONGEST))
    os.close(first)
    return clients()
