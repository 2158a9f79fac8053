"""A1: SIGKILL at the k-th system call on a file of the store, k = 1, 2, 3 … until a run ends clean.
A6: the same, then again while the store is being opened and mended.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.service import Service
from tests.soak.forking import in_child
from tests.soak.invariants import one_of
from tests.soak.rows import Bench, Case, Control, Sizes, Traceable
from tests.soak.subject import (
    State,
    Step,
    build,
    downgrade,
    opened,
    prepare,
    random_step,
    source_of,
    written,
)
from tests.soak.tracing import Call, Traced, Verdict, mark

_HASTY = "a writer that acknowledges before it commits"
ACKNOWLEDGED = "acknowledged"
_KINDS = ("add", "replace", "delete", "several", "rebuild", "migrate", "begin")
_MOST_STEPS = 6
_MOST_CALLS = 3_000


@dataclass(frozen=True, slots=True)
class Scene:
    """A store as it is before, and one operation on it."""

    kind: str
    before: tuple[Step, ...]
    step: Step
    was_closed: bool

    @property
    def states(self) -> tuple[State, State]:
        """The documents before and after."""
        before = written(self.before)
        return before, self.step.applied(before)

    @classmethod
    def drawn(cls, bench: Bench, number: int) -> Scene:
        """The scene of this number: kinds take turns, the rest is chance."""
        chance = bench.chance("scene", number)
        kind = _KINDS[number % len(_KINDS)]
        steps: list[Step] = []
        for _ in range(0 if kind == "begin" else chance.randrange(1, _MOST_STEPS)):
            steps.append(random_step(chance, written(steps)))
        if not written(steps) and kind != "begin":
            steps.append(Step(put=((chance.randrange(20), chance.randrange(100)),)))
        there = [n for n in range(20) if source_of(n) in written(steps)]
        known = chance.choice(there) if there else 0
        new = chance.choice([n for n in range(20) if n not in there])
        version = chance.randrange(100, 200)
        step = {
            "replace": Step(put=((known, version),)),
            "delete": Step(removed=(known,)),
            "several": Step(put=((new, version), (known, version)), removed=()),
            "rebuild": Step(rebuild=True),
        }.get(kind, Step(put=((new, version),)))
        return cls(kind, tuple(steps), step, chance.random() < 0.5 or kind == "migrate")

    def made(self, home: Path) -> None:
        """Makes the store."""
        if self.before:
            in_child(lambda: build(home, self.before, closed=self.was_closed))
        if self.kind == "migrate":
            in_child(lambda: downgrade(home))


Operate = Callable[[Service, Step], None]


def _operate(service: Service, step: Step) -> None:
    step.run(service)
    mark(ACKNOWLEDGED)


def _hasty(service: Service, step: Step) -> None:
    """The planted fault: says that it is done before it is."""
    mark(ACKNOWLEDGED)
    step.run(service)


@dataclass(slots=True)
class _Killer:
    """Kills at the k-th call."""

    at: int
    calls: int = 0
    was_acknowledged: bool = False

    def __call__(self, call: Call) -> Verdict:
        if call.name == "mark":
            self.was_acknowledged |= call.path == ACKNOWLEDGED
            return Verdict.PASS
        self.calls += 1
        return Verdict.KILL if self.calls == self.at else Verdict.PASS


def killed_at(home: Path, at: int, work: Callable[[], None]) -> tuple[bool, bool]:
    """Runs `work` to its `at`-th call: whether it was killed, and had acknowledged by then."""
    killer = _Killer(at)
    status = Traced(home, killer).run(work)
    if status not in (0, -signal.SIGKILL):
        raise AssertionError(f"the writer ended with status {status} by itself")
    return status != 0, killer.was_acknowledged


def working(home: Path, step: Step, operate: Operate = _operate) -> Callable[[], None]:
    def work() -> None:
        prepare()
        with opened(home) as service:
            operate(service, step)

    return work


class Kills(Traceable):
    """A1. A case is `scene:k`; a `stride` above 1 leaves calls out, so that few cases see every
    kind of operation.
    """

    name = "A1"
    title = "SIGKILL at the k-th system call on the store's files"
    sizes = Sizes(pr=200, nightly=2_500)
    first = "0:1"

    def __init__(self, stride: int = 1) -> None:
        self._stride = stride
        self._scene: tuple[int, int, Scene, Path] | None = None

    def case(self, bench: Bench, at: str) -> Case:
        return self._case(bench, at, _operate)

    def _case(self, bench: Bench, at: str, operate: Operate) -> Case:
        number, k = map(int, at.split(":"))
        scene, made = self._at(bench, number)
        home = bench.work / "home"
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
        if made.exists():
            shutil.copytree(made, home)
        was_killed, was_acknowledged = killed_at(home, k, working(home, scene.step, operate))
        before, after = scene.states
        unlike = one_of(after) if was_acknowledged else one_of(before, after)
        violation = bench.judge.violation(home, unlike)
        following = f"{number}:{k + self._stride}" if was_killed else f"{number + 1}:1"
        said = f"{scene.kind}, call {k}: {violation}" if violation else None
        return Case(said, following, counted=was_killed)

    def _at(self, bench: Bench, number: int) -> tuple[Scene, Path]:
        """The scene and its store, which is made once."""
        if self._scene is None or self._scene[:2] != (bench.seed, number):
            made = bench.work / "scene"
            with suppress(FileNotFoundError):
                shutil.rmtree(made)
            scene = Scene.drawn(bench, number)
            scene.made(made)
            self._scene = (bench.seed, number, scene, made)
        return self._scene[2:]

    def controls(self, bench: Bench) -> Sequence[Control]:
        found = any(self._case(bench, f"0:{k}", _hasty).violation is not None for k in range(1, 40))
        return [Control(_HASTY, found)]


class Compound(Traceable):
    """A6. A case is a number: a scene, a kill in it, and a second kill while it is opened again."""

    name = "A6"
    title = "a second SIGKILL while the store is opened again, mended or rebuilt"
    sizes = Sizes(pr=20, nightly=500)
    first = "0"

    def case(self, bench: Bench, at: str) -> Case:
        return self._case(bench, at, _operate)

    def _case(self, bench: Bench, at: str, operate: Operate) -> Case:
        number = int(at)
        chance = bench.chance("compound", number)
        scene = Scene.drawn(bench, 10**6 + number)
        home = bench.work / "home"
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
        scene.made(home)
        was_acknowledged = False
        later = Step(rebuild=True) if chance.random() < 0.5 else Step()
        for step, calls in ((scene.step, 120), (later, 60), (later, 60)):
            work = working(home, step, operate)
            _, acknowledged = killed_at(home, chance.randrange(1, calls), work)
            was_acknowledged |= acknowledged and step is scene.step
        before, after = scene.states
        unlike = one_of(after) if was_acknowledged else one_of(before, after)
        violation = bench.judge.violation(home, unlike)
        return Case(violation and f"{scene.kind}: {violation}", str(number + 1))

    def controls(self, bench: Bench) -> Sequence[Control]:
        found = any(self._case(bench, str(n), _hasty).violation is not None for n in range(20))
        return [Control(_HASTY, found)]
