"""A7: two processes on one store: readers and one writer work side by side, a second writer waits
or is refused in time, and a killed one leaves no lock behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag.errors import StoreBusy
from rag.service import Service
from rag.store.embedded import EmbeddedStore
from tests.soak.forking import Died, in_child, started
from tests.soak.invariants import one_of
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes
from tests.soak.subject import QUESTIONS, State, Step, build, opened, prepare, source_of, text_of

_KINDS = ("two writers", "reader and writer", "held", "killed", "both begin", "reader and rebuild")
_FIRST, _SECOND = range(10), range(10, 20)  # subjects that each process writes
_WAIT = 1.0  # seconds that a second writer waits
_SLACK = 2.0  # seconds for a busy machine to notice
_PATIENCE = 30.0  # seconds, where both are meant to get through
_ASKED = 30
_TRIES = 20  # for two writers to be at it at the same moment


class Pairs(Anywhere):
    """A7. A case is a number; kinds take turns."""

    name = "A7"
    title = "two processes on one store"
    sizes = Sizes(pr=6, nightly=50)
    first = "0"

    def __init__(self, planted: Callable[[], None] = lambda: None) -> None:
        self._planted = planted

    def case(self, bench: Bench, at: str) -> Case:
        number = int(at)
        kind = _KINDS[number % len(_KINDS)]
        chance = bench.chance("pair", number)
        version = chance.randrange(100)
        home = bench.work / "home"
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
        if kind != "both begin":
            in_child(lambda: build(home, [Step(put=((0, version),))]))
        try:
            wrong = self._tried(home, kind, version)
        except Died as died:
            wrong = str(died)
        expected = _texts([*_FIRST, *_SECOND], version)
        violation = wrong or bench.judge.violation(home, one_of(expected))
        return Case(violation and f"{kind}: {violation}", str(number + 1))

    def _tried(self, home: Path, kind: str, version: int) -> str | None:
        writing = started(lambda: self._write(home, _FIRST, version))
        match kind:
            case "two writers" | "both begin":
                other = started(lambda: self._write(home, _SECOND, version))
                return _first_of(writing(), other())
            case "reader and writer":
                other = started(lambda: _ask(home, version))
                told = _first_of(writing(), other())
            case "reader and rebuild":
                told = writing()
                rebuilding = started(lambda: _rebuild(home))
                told = told or _first_of(_ask_in_child(home, version), rebuilding())
            case _:
                told = writing() or self._held(home, version, kills=kind == "killed")
        return told or in_child(lambda: self._write(home, _SECOND, version))

    def _write(self, home: Path, subjects: Sequence[int], version: int) -> str | None:
        prepare()
        self._planted()
        with opened(home, _PATIENCE) as service:
            for subject in subjects:
                Step(put=((subject, version),)).run(service)
        return None

    def _held(self, home: Path, version: int, *, kills: bool) -> str | None:
        """A process that is in the middle of writing, and one that wants to write."""
        reading, writing = os.pipe()
        holder = os.fork()
        if not holder:
            _hold(home, writing)
        os.read(reading, 1)
        if kills:
            os.kill(holder, signal.SIGKILL)
        try:
            return str(in_child(lambda: _second(home, version, is_free=kills)) or "") or None
        finally:
            with suppress(ProcessLookupError):
                os.kill(holder, signal.SIGKILL)
            os.waitpid(holder, 0)
            os.close(reading)
            os.close(writing)

    def controls(self, bench: Bench) -> Sequence[Control]:
        selfish = Pairs(_selfish)
        meetings = range(0, _TRIES * len(_KINDS), len(_KINDS))
        found = any(selfish.case(bench, str(number)).violation for number in meetings)
        return [Control("a store whose writers don't wait for each other", found)]


def _selfish() -> None:
    """The planted fault: nobody waits."""
    begin = EmbeddedStore.__init__

    def begun(self: EmbeddedStore, home: Path, *more: Any, **named: Any) -> None:
        begin(self, home, 0.0, *more[1:], **named)

    EmbeddedStore.__init__ = begun  # type: ignore[method-assign]


def _hold(home: Path, writing: int) -> None:
    """Never comes back: it is killed."""
    prepare()
    with opened(home) as service, service._store._database.write() as connection:  # type: ignore[attr-defined]
        connection.execute("DELETE FROM documents")
        os.write(writing, b"!")
        time.sleep(60)
    os._exit(0)


def _second(home: Path, version: int, *, is_free: bool) -> str | None:
    prepare()
    with opened(home, _WAIT) as service:
        wrong = _asked(service, version, 3)
        began = time.monotonic()
        try:
            Step(put=((0, version + 1),)).run(service)
            status = "written"
            Step(put=((0, version),)).run(service)
        except StoreBusy:
            status = "busy"
        took = time.monotonic() - began
        expected = "written" if is_free else "busy"
        if status != expected or took > _WAIT + _SLACK:
            return f"the second writer was {status} after {took:.2f} s"
        return wrong


def _rebuild(home: Path) -> str | None:
    prepare()
    with opened(home, _PATIENCE) as service:
        for _ in range(3):
            service.rebuilds.run()
    return None


def _ask_in_child(home: Path, version: int) -> Any:
    return in_child(lambda: _ask(home, version))


def _ask(home: Path, version: int) -> str | None:
    prepare()
    with opened(home) as service:
        return _asked(service, version, _ASKED)


def _asked(service: Service, version: int, times: int) -> str | None:
    """What is wrong with answers while another process writes."""
    texts = _texts([*_FIRST, *_SECOND], version)
    for number in range(times):
        question = QUESTIONS[number % len(QUESTIONS)]
        reply = service.ask(question)
        for answer in reply.answers:
            text = texts.get(answer.citation.origin.source, "")
            if answer.citation.span.of(text) != answer.text:
                return f"{question} gets {answer.text!r} from {answer.citation.origin.source}"
        if number % len(QUESTIONS) == 0 and not reply.answers:
            return f"{question} gets no answer"
    return None


def _texts(subjects: Sequence[int], version: int) -> State:
    return {source_of(subject): text_of(subject, version) for subject in subjects}


def _first_of(*told: Any) -> str | None:
    return next((str(one) for one in told if one), None)
