"""A5: the disk is really full while a service is at work on it, and really read-only for the next.

One that turns read-only under open files can't be had by mounting: A4 has that, as EROFS.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from api.errors import status_of
from rag.diagnosing.findings import Fault
from rag.errors import RagError
from rag.service import Service
from rag.store.embedded import EmbeddedStore
from rag.types import Status
from tests.soak.forking import Died, in_child
from tests.soak.invariants import one_of
from tests.soak.rows import Bench, Case, Control, Sizes
from tests.soak.subject import QUESTIONS, SUBJECTS, State, finish, opened, prepare

_MEGABYTE = 1 << 20
_READ_ONLY, _AGAIN = 1, 32  # MS_RDONLY, MS_REMOUNT
_MOST_UPLOADS = 400
_PADDING = 20_000  # characters
_FULL = 507
_UNABLE = (503, 507)
_MAY_LEAVE = frozenset({Fault.LEFTOVERS, Fault.CACHE})
_libc = ctypes.CDLL(None, use_errno=True)


def mount(folder: Path, size: int, flags: int = 0) -> None:
    """Mounts a file system in memory of so many bytes. Raises OSError where that is forbidden."""
    options = f"size={size}".encode()
    if _libc.mount(b"none", bytes(folder), b"tmpfs", flags, options):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def _mounted(folder: Path, size: int) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    mount(folder, size)
    try:
        yield
    finally:
        _libc.umount2(bytes(folder), 2)  # MNT_DETACH


class FullDisks:
    """A5. A case is a number: 20 sizes from 1 to 8 MB, then again."""

    name = "A5"
    title = "a disk of 1 to 8 MB that is full while serving, then read-only"
    sizes = Sizes(pr=1, nightly=20)
    first = "0"

    def __init__(self, planted: Callable[[], None] = lambda: None) -> None:
        self._planted = planted

    def hindrance(self, bench: Bench) -> str | None:
        """Why it can't be run here."""
        try:
            with _mounted(bench.work / "disk", _MEGABYTE):
                return None
        except OSError as error:
            return f"no file system can be mounted ({error.strerror})"

    def case(self, bench: Bench, at: str) -> Case:
        number = int(at)
        disk = bench.work / "disk"
        size = _MEGABYTE + 7 * _MEGABYTE * (number % 20) // 19
        with _mounted(disk, size):
            violation = self._judged(bench, disk, size)
        return Case(violation and f"{size / 1e6:.1f} MB: {violation}", str(number + 1))

    def _judged(self, bench: Bench, disk: Path, size: int) -> str | None:
        try:
            facts = in_child(lambda: _facts(disk, size, self._planted))
        except Died as died:
            return str(died)
        if facts["wrong"]:
            return "; ".join(facts["wrong"])
        copy = bench.work / "copy"
        with suppress(FileNotFoundError):
            shutil.rmtree(copy)
        shutil.copytree(disk / "home", copy)
        return bench.judge.violation(copy, one_of(facts["state"]), _MAY_LEAVE)

    def controls(self, bench: Bench) -> Sequence[Control]:
        hopeful = FullDisks(_hopeful)
        found = bool(hopeful.case(bench, "3").violation)
        return [Control("a store that calls a failed commit done", found)]


def _hopeful() -> None:
    """The planted fault: errors of a commit are not told."""
    commit = EmbeddedStore.commit

    def committed(self: EmbeddedStore, *given: Any, **named: Any) -> int:
        with suppress(RagError):
            return commit(self, *given, **named)
        return 0

    EmbeddedStore.commit = committed  # type: ignore[method-assign]


def _facts(disk: Path, size: int, planted: Callable[[], None]) -> Any:
    """Fills the disk, makes room, fills it once more, makes it read-only."""
    prepare()
    planted()
    wrong: list[str] = []
    state: State = {}
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(size // 3))
    with opened(disk / "home") as service:
        wrong += _filled(service, state, 0)
        ballast.unlink()
        if (status := _upload(service, "room.txt", "There is room again.", state)) != 201:
            wrong.append(f"with room again a client gets {status}")
        wrong += _filled(service, state, _MOST_UPLOADS)
    mount(disk, size, _READ_ONLY | _AGAIN)
    wrong += _on_read_only(disk / "home", state)
    mount(disk, size, _AGAIN)
    return {"wrong": wrong, "state": state}


def _on_read_only(home: Path, state: State) -> list[str]:
    """What is wrong with a service that is begun on a read-only disk: it may refuse to."""
    try:
        with opened(home) as service:
            status = _upload(service, "late.txt", "Too late.", {})
            told = [] if status in _UNABLE else [f"on a read-only disk a client gets {status}"]
            return told + _reads(service, state)
    except RagError as error:
        status = int(status_of(type(error)))
        return [] if status in _UNABLE else [f"on a read-only disk: {error!r}"]


def _filled(service: Service, state: State, first: int) -> list[str]:
    """Uploads until nothing more is taken, then asks."""
    for number in range(first, first + _MOST_UPLOADS):
        name = SUBJECTS[number % len(SUBJECTS)]
        text = (
            f"Notes {number}\n\nThe locker of {name}{number} holds {number} umbrellas.\n\n"
            f"{f'word{number} ' * (_PADDING // 10)}"
        )
        status = _upload(service, f"{number}.txt", text, state)
        if status == _FULL:
            return _reads(service, state)
        if status != 201:
            return [f"on a full disk a client gets {status}"]
    return ["the disk is never full"]


def _upload(service: Service, source: str, text: str, state: State) -> int:
    try:
        report = service.ingest_uploads([(source, text.encode())])
        finish(service)
    except RagError as error:
        return int(status_of(type(error)))
    except Exception:
        return 500
    if report.count(Status.REFUSED):
        return 422
    state[source] = text
    return 201


def _reads(service: Service, state: State) -> list[str]:
    """What is wrong with some answers."""
    for question in QUESTIONS[:5]:
        try:
            reply = service.ask(question)
        except Exception as error:
            return [f"on a full disk {question} gets {error!r}"]
        for answer in reply.answers:
            if answer.citation.span.of(state[answer.citation.origin.source]) != answer.text:
                return [f"{answer.text!r} is not in {answer.citation.origin.source}"]
    return []
