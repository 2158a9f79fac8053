"""How far each row is, in a file, so that a run that is stopped goes on where it was."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.soak.rows import Bench, Row

_SAVED_EVERY = 5.0  # seconds
_MOST_FAILURES = 20  # then a row stops: it is broken


@dataclass(slots=True)
class Progress:
    """One row of one run: of a size, with a seed, on a commit."""

    row: str
    size: str
    seed: int
    commit: str
    following: str
    done: int = 0
    seconds: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)
    controls: list[tuple[str, bool]] | None = None
    hindrance: str | None = None

    @property
    def is_sound(self) -> bool:
        """Nothing was violated, and every planted fault that was looked for was found."""
        return not self.failures and all(found for _, found in self.controls or [])

    def is_of(self, other: Progress) -> bool:
        mine = (self.row, self.size, self.seed, self.commit)
        return mine == (other.row, other.size, other.seed, other.commit)


class Runner:
    """Runs rows and keeps their progress in `folder`."""

    def __init__(self, folder: Path, size: str, commit: str, until: float) -> None:
        self._folder = folder
        self._size = size
        self._commit = commit
        self._until = until
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, row: Row, bench: Bench) -> Progress:
        """Goes on with a row to its end, or to the end of the time."""
        total = getattr(row.sizes, self._size)
        progress = self._begun(row, bench)
        progress.hindrance = row.hindrance(bench)
        if progress.hindrance:
            print(f"{row.name} left out: {progress.hindrance}")
            return progress
        print(f"{row.name} {row.title}: {progress.done} of {total} done, seed {bench.seed}")
        saved = time.monotonic()
        while progress.done < total and len(progress.failures) < _MOST_FAILURES:
            if time.monotonic() > self._until:
                break
            self._step(row, bench, progress)
            if time.monotonic() - saved > _SAVED_EVERY:
                self._save(progress)
                saved = time.monotonic()
        if progress.controls is None and progress.done >= total:
            progress.controls = [(c.planted, c.was_found) for c in row.controls(bench)]
        self._save(progress)
        print(
            f"{row.name}: {progress.done} of {total} in {progress.seconds:.0f} s, "
            f"{len(progress.failures)} violations; controls found: {progress.controls}",
            flush=True,
        )
        return progress

    def _step(self, row: Row, bench: Bench, progress: Progress) -> None:
        began = time.monotonic()
        at = progress.following
        case = row.case(bench, at)
        progress.seconds += time.monotonic() - began
        progress.done += case.counted
        progress.following = case.following
        if case.violation:
            progress.failures.append((at, case.violation))
            print(f"{row.name} VIOLATED: {case.violation}")
            print(f"  again: {again(row, bench, self._size, at)}", flush=True)
            self._save(progress)

    def _begun(self, row: Row, bench: Bench) -> Progress:
        new = Progress(row.name, self._size, bench.seed, self._commit, row.first)
        former = self.former(row)
        return former if former and former.is_of(new) else new

    def former(self, row: Row) -> Progress | None:
        """How far a row came last, on whatever commit."""
        try:
            return Progress(**json.loads(self._file(row.name).read_text()))
        except FileNotFoundError:
            return None

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}-{self._size}.json"

    def _save(self, progress: Progress) -> None:
        partial = self._file(progress.row).with_suffix(".partial")
        partial.write_text(json.dumps(asdict(progress), indent=1))
        partial.replace(self._file(progress.row))


def again(row: Row, bench: Bench, size: str, at: str) -> str:
    """The command that runs exactly this case."""
    return f"python -m tests.soak --only {row.name} --seed {bench.seed} --size {size} --at {at}"


def former_seed(folder: Path, size: str) -> int | None:
    """The seed of a run that was begun there."""
    for file in sorted(folder.glob(f"*-{size}.json")):
        return int(json.loads(file.read_text())["seed"])
    return None
