"""A4: system calls on the store's files fail: no room, an error of the disk, an interruption, half
a write; once, or from some moment on until there is room again. Or the disk turns read-only.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.errors import status_of
from rag.diagnosing.findings import Fault
from rag.errors import RagError
from rag.service import Service
from rag.store.embedded import EmbeddedStore
from tests.soak.invariants import one_of, state_of
from tests.soak.kills import Scene
from tests.soak.rows import Bench, Case, Control, Sizes, Traceable
from tests.soak.subject import QUESTIONS, SUBJECTS, State, opened, prepare, source_of
from tests.soak.tracing import Call, Traced, Verdict, mark

_BEGIN, _ROOM = "begin", "room"
_DONE = 201
_UNABLE = (503, 507)
_CASES_OF_A_SCENE = 12
_GROWING = {"write", "create", "empty", "mkdir", "link", "ftruncate", "fallocate", "rename"}
_SYNCING = {"fsync", "fdatasync"}
_MAY_LEAVE = frozenset({Fault.LEFTOVERS})
_KINDS: dict[str, Verdict | int] = {
    "ENOSPC": errno.ENOSPC,
    "EIO": errno.EIO,
    "EINTR": errno.EINTR,
    "short": Verdict.SHORT,
    "EROFS": errno.EROFS,
}


@dataclass(slots=True)
class _Injector:
    """Lets the `at`-th call that it concerns fail, and the following ones where it sticks."""

    kind: str
    at: int
    sticks: bool
    in_database: bool
    calls: list[Call] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    is_on: bool = False

    def __call__(self, call: Call) -> Verdict | int:
        if call.name == "mark":
            self.is_on = call.path == _BEGIN
            return Verdict.PASS
        if not self.is_on or not self.concerns(call):
            return Verdict.PASS
        self.calls.append(call)
        if len(self.calls) == self.at or (self.sticks and len(self.calls) > self.at):
            self.failed.append(f"{call.name} {call.path}")
            return _KINDS[self.kind]
        return Verdict.PASS

    def concerns(self, call: Call) -> bool:
        if self.in_database and "index.sqlite" not in call.path:
            return False
        match self.kind:
            case "EIO" | "EROFS":
                return True
            case "ENOSPC":
                return call.name in _GROWING | _SYNCING
            case "EINTR":
                return call.name in {"write", *_SYNCING}
            case _:
                return call.name == "write" and len(call.data) > 1


class Faults(Traceable):
    """A4. A case is a number."""

    name = "A4"
    title = "ENOSPC, EIO, EINTR, EROFS and short writes, once and sticky"
    sizes = Sizes(pr=100, nightly=1_500)
    first = "0"

    def __init__(self, planted: Callable[[], None] = lambda: None) -> None:
        self._planted = planted
        self._scene: tuple[int, Scene, Path, list[Call]] | None = None

    def case(self, bench: Bench, at: str) -> Case:
        number = int(at)
        scene, made, calls = self._at(bench, number // _CASES_OF_A_SCENE)
        chance = bench.chance("fault", number)
        kind = chance.choice(list(_KINDS))
        # An interruption that sticks would be waited out for ever, as it must be.
        sticks = kind == "EROFS" or (kind != "EINTR" and number % 2 == 1)
        injector = _Injector(kind, 0, sticks, in_database=chance.random() < 0.5)
        injector.at = chance.randint(1, max(1, sum(map(injector.concerns, calls))))
        home = bench.work / "home"
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
        shutil.copytree(made, home)
        dies = chance.random() < 0.3
        told = self._told(home, scene, injector, dies=dies)
        violation = _in_process(told, dies=dies) or bench.judge.violation(
            home, one_of(*_allowed(scene, told)), _MAY_LEAVE
        )
        if violation:
            how = "from then on" if injector.sticks else "once"
            where = ", ".join(injector.failed[:3])
            violation = f"{scene.kind}, {kind} {how} at {where}: {violation}; {told}"
        return Case(violation, str(number + 1))

    def _told(self, home: Path, scene: Scene, injector: _Injector, *, dies: bool) -> Any:
        reading, writing = os.pipe()

        def work() -> None:
            prepare()
            self._planted()
            with opened(home) as service:
                told = _through(service, scene, dies=dies)
                os.write(writing, json.dumps(told).encode())
                if dies:
                    os._exit(0)

        status = Traced(home, injector).run(work)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            data = pipe.read()
        return json.loads(data) if data else {"died": status}

    def _at(self, bench: Bench, number: int) -> tuple[Scene, Path, list[Call]]:
        """The scene, its store, and the calls that its operation makes."""
        if self._scene is None or self._scene[0] != number:
            made, home = bench.work / "scene", bench.work / "home"
            for folder in (made, home):
                with suppress(FileNotFoundError):
                    shutil.rmtree(folder)
            scene = Scene.drawn(bench, 2 * 10**6 + number)
            scene.made(made)
            if not made.exists():
                made.mkdir()
            shutil.copytree(made, home)
            counting = _Injector("EIO", 0, sticks=False, in_database=False)
            self._told(home, scene, counting, dies=True)
            self._scene = (number, scene, made, counting.calls)
        return self._scene[1:]

    def controls(self, bench: Bench) -> Sequence[Control]:
        hopeful = Faults(_hopeful)
        found = any(hopeful.case(bench, str(n)).violation for n in range(1, 80, 2))
        return [Control("a store that calls a failed commit done", found)]


def _hopeful() -> None:
    """The planted fault: errors of a commit are not told."""
    commit = EmbeddedStore.commit

    def committed(self: EmbeddedStore, *given: Any, **named: Any) -> int:
        try:
            return commit(self, *given, **named)
        except RagError:
            return 0

    EmbeddedStore.commit = committed  # type: ignore[method-assign]


def _through(service: Service, scene: Scene, *, dies: bool) -> Any:
    """The operation while calls fail, questions meanwhile, and the operation once more after."""
    before, after = scene.states
    _known_answers(service, before)  # a service that has answered before
    mark(_BEGIN)
    status = _status(lambda: scene.step.run(service))
    told: dict[str, Any] = {"status": status}
    if dies and status == _DONE:
        return told
    told["reads"] = _known_answers(service, after if status == _DONE else before)
    told["state"] = _same(lambda: state_of(service)[0], after if status == _DONE else before)
    mark(_ROOM)
    if dies:
        return told
    told["again"] = _DONE if status == _DONE else _status(lambda: scene.step.run(service))
    told["reads again"] = _known_answers(service, after)
    return told


def _status(work: Callable[[], None]) -> int:
    """What a client would get."""
    try:
        work()
    except RagError as error:
        return int(status_of(type(error)))
    except Exception:
        return 500
    return _DONE


def _same(get: Callable[[], State], expected: State) -> bool:
    try:
        return get() == expected
    except RagError:
        return False


def _known_answers(service: Service, state: State) -> str | None:
    """What is wrong with the answers about three documents that are there."""
    there = [n for n in range(len(SUBJECTS)) if source_of(n) in state][:3]
    for subject in there:
        try:
            reply = service.ask(QUESTIONS[subject])
        except Exception as error:
            return f"{QUESTIONS[subject]}: {error!r}"
        best = reply.answers[0].citation if reply.answers else None
        text = state[source_of(subject)]
        if best is None or best.origin.source != source_of(subject):
            return f"{QUESTIONS[subject]}: {best}"
        if best.span.of(text) != best.quote:
            return f"{QUESTIONS[subject]}: {best.quote!r} is not in the text"
    return None


def _in_process(told: Any, *, dies: bool) -> str | None:
    """What the process said that it must not say."""
    if "died" in told:
        return "the process ended"
    if told["status"] not in (_DONE, *_UNABLE):
        return f"a client would get {told['status']}"
    if told.get("reads"):
        return f"questions meanwhile: {told['reads']}"
    if told.get("state") is False:
        return "the list of documents is another than was acknowledged"
    if not dies and told["again"] != _DONE:
        return f"with room again a client would get {told['again']}"
    if told.get("reads again"):
        return f"questions afterwards: {told['reads again']}"
    return None


def _allowed(scene: Scene, told: Any) -> Sequence[State]:
    before, after = scene.states
    if told["status"] == _DONE or "again" in told:
        return [after]
    return [before, after]
