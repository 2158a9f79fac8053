"""A3: the power fails. A process's calls are recorded once; for many moments, five disks each that
the failure may leave are opened and judged.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from rag import assembly
from rag.diagnosing.findings import Fault
from rag.store import sqlite
from tests.soak.disk import DAMAGES, Disk
from tests.soak.forking import in_child
from tests.soak.invariants import one_of
from tests.soak.rows import Bench, Case, Control, Sizes, Traceable
from tests.soak.subject import (
    State,
    Step,
    build,
    downgrade,
    prepare,
    random_step,
    settings_of,
    written,
)
from tests.soak.tracing import Call, Traced, Verdict, mark

_STEPS = 8
_REOPENED = 3  # one step in so many begins with a new process's opening
_VOLATILE = ("-shm",)  # shared memory, which no crash leaves
_MAY_LEAVE = frozenset({Fault.CACHE})  # caches are not synced: they are noticed and made anew


@dataclass(slots=True)
class Recording:
    """What a process did to a folder, and the documents before and after each step."""

    start: Path
    states: list[State]
    calls: list[Call] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)

    def __call__(self, call: Call) -> Verdict:
        self.calls.append(call)
        return Verdict.PASS


def _careless() -> None:
    """The planted fault: commits are not synced."""
    connect = sqlite.Database._connect

    def connected(self: sqlite.Database) -> apsw.Connection:
        connection = connect(self)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    sqlite.Database._connect = connected  # type: ignore[method-assign]


def recorded(
    bench: Bench, number: int, moments: int, planted: Callable[[], None] | None
) -> Recording:
    """Runs random steps once. Every fourth recording begins with a store of version 1."""
    chance = bench.chance("power", number)
    steps: list[Step] = []
    for _ in range(_STEPS):
        steps.append(random_step(chance, written(steps)))
    disk, start = bench.work / "disk", bench.work / "start"
    for folder in (disk, start):
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
        folder.mkdir()
    old = 2 if number % 4 == 3 else 0
    if old:
        in_child(lambda: build(disk / "home", steps[:old]))
        in_child(lambda: downgrade(disk / "home"))
    start.rmdir()
    shutil.copytree(disk, start)

    def work() -> None:
        prepare()
        if planted:
            planted()
        service = assembly.build(settings_of(disk / "home"))
        for place, step in enumerate(steps[old:]):
            if place % _REOPENED == _REOPENED - 1:
                service.close()
                service = assembly.build(settings_of(disk / "home"))
            step.run(service)
            mark("done")
        service.close()

    states = [written(steps[:n]) for n in range(old, len(steps) + 1)]
    recording = Recording(start, states)
    if Traced(disk, recording, _VOLATILE).run(work):
        raise AssertionError("the recorded process failed")
    count = min(moments, len(recording.calls))
    recording.moments = sorted(chance.sample(range(1, len(recording.calls) + 1), count))
    return recording


class PowerLoss(Traceable):
    """A3. A case is `recording:moment:damage`, with so many moments of each recording."""

    name = "A3"
    title = "power loss: images in which unsynced writes are lost, torn or reordered"
    sizes = Sizes(pr=100, nightly=5_000)
    first = "0:0:0"

    def __init__(self, moments: int = 100, planted: Callable[[], None] | None = None) -> None:
        self._moments = moments
        self._planted = planted
        self._number = -1
        self._recording: Recording | None = None
        self._disk: Disk | None = None
        self._followed = 0

    def case(self, bench: Bench, at: str) -> Case:
        number, moment, damage = map(int, at.split(":"))
        recording, disk, done = self._until(bench, number, moment)
        home = bench.work / "image"
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
        disk.leave(home, DAMAGES[damage], bench.chance("damage", at))
        states = recording.states[done : done + 2]
        violation = bench.judge.violation(home / "home", one_of(*states), _MAY_LEAVE)
        if violation:
            call = recording.calls[recording.moments[moment] - 1]
            last = f"{call.name} {call.path}"
            violation = f"after {last}, with {DAMAGES[damage]} left: {violation}"
        following = _after(number, moment, damage, len(recording.moments))
        return Case(violation, following)

    def _until(self, bench: Bench, number: int, moment: int) -> tuple[Recording, Disk, int]:
        """The disk at a moment, and how many steps were acknowledged."""
        if self._number != number or self._recording is None:
            self._recording = recorded(bench, number, self._moments, self._planted)
            self._number, self._disk = number, None
        recording = self._recording
        until = recording.moments[moment]
        if self._disk is None or self._followed > until:
            self._disk, self._followed = Disk(recording.start), 0
        for call in recording.calls[self._followed : until]:
            self._disk.happens(call)
        self._followed = until
        done = sum(call.name == "mark" for call in recording.calls[:until])
        return recording, self._disk, done

    def controls(self, bench: Bench) -> Sequence[Control]:
        careless = PowerLoss(planted=_careless)
        found = any(careless.case(bench, f"0:{n}:0").violation for n in range(0, 100, 5))
        return [Control("PRAGMA synchronous = OFF", found)]


def _after(number: int, moment: int, damage: int, moments: int) -> str:
    if damage + 1 < len(DAMAGES):
        return f"{number}:{moment}:{damage + 1}"
    return f"{number}:{moment + 1}:0" if moment + 1 < moments else f"{number + 1}:0:0"
