"""A12: backups made while another process writes hold one state, and so does what is restored,
into a new home and into one that is being asked.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag import backup
from rag.store import transfer
from tests.soak.forking import Died, in_child, started
from tests.soak.invariants import one_of
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes
from tests.soak.subject import QUESTIONS, State, Step, build, opened, prepare, random_step, written

_STEPS = 12
_FIRST = 3  # steps before the backup begins
_PATIENCE = 30.0  # seconds


class Backups(Anywhere):
    """A12. A case is a number."""

    name = "A12"
    title = "backup while another process writes, restored into a new home and over a live one"
    sizes = Sizes(pr=3, nightly=100)
    first = "0"

    def __init__(self, planted: Callable[[], None] = lambda: None) -> None:
        self._planted = planted

    def case(self, bench: Bench, at: str) -> Case:
        chance = bench.chance("backup", at)
        steps: list[Step] = [Step(put=((chance.randrange(20), chance.randrange(100)),))]
        while len(steps) < _STEPS:
            steps.append(random_step(chance, written(steps)))
        home, kept, new = (bench.work / name for name in ("home", "kept", "new"))
        for folder in (home, kept, new):
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)
        in_child(lambda: build(home, steps[:_FIRST]))
        pause = chance.uniform(0, 0.1)
        try:
            writing = started(lambda: _write(home, steps[_FIRST:]))
            in_child(lambda: _back_up(home, kept, pause, self._planted))
            writing()
            in_child(lambda: _restore(kept, new))
            in_child(lambda: _restore_and_ask(kept, home))
        except Died as died:
            return Case(str(died), str(int(at) + 1))
        return Case(_judged(bench, steps, new, home), str(int(at) + 1))

    def controls(self, bench: Bench) -> Sequence[Control]:
        torn = Backups(_torn)
        found = any(torn.case(bench, str(n)).violation for n in range(10))
        return [Control("a backup that copies the file without its log", found)]


def _judged(bench: Bench, steps: Sequence[Step], new: Path, home: Path) -> str | None:
    """Both restored stores hold the same state, one of those while the backup was made."""
    seen: list[State] = []
    whole = one_of(*(written(steps[:n]) for n in range(_FIRST, len(steps) + 1)))

    def noted(state: State) -> str | None:
        seen.append(state)
        return whole(state)

    wrong = bench.judge.violation(new, noted)
    if wrong:
        return f"in a new home: {wrong}"
    wrong = bench.judge.violation(home, one_of(*seen))
    return f"over a live index: {wrong}" if wrong else None


def _torn() -> None:
    """The planted fault."""

    def copied(home: Path, target: Path, _: float) -> Any:
        shutil.copyfile(home / transfer.INDEX, target)
        return transfer.check(target)

    transfer.copy_out = copied  # type: ignore[assignment]


def _write(home: Path, steps: Sequence[Step]) -> None:
    prepare()
    with opened(home, _PATIENCE) as service:
        for step in steps:
            step.run(service)


def _back_up(home: Path, to: Path, pause: float, planted: Callable[[], None]) -> None:
    prepare()
    planted()
    time.sleep(pause)
    backup.back_up(home, to, _PATIENCE)


def _restore(kept: Path, home: Path) -> None:
    prepare()
    backup.restore(kept, home, _PATIENCE)


def _restore_and_ask(kept: Path, home: Path) -> None:
    """Over an index whose service has answered before and answers after."""
    prepare()
    with opened(home) as service:
        service.ask(QUESTIONS[0])
        backup.restore(kept, home, _PATIENCE, replace=True)
        for question in QUESTIONS:
            for answer in service.ask(question).answers:
                citation = answer.citation
                text = service.document(citation.origin.document_id)[0].text
                if citation.span.of(text) != answer.text:
                    raise AssertionError(f"{question} gets {answer.text!r}")
