"""What a row of the test plan is, whichever it is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.soak import tracing
from tests.soak.invariants import Judge


@dataclass(frozen=True, slots=True)
class Bench:
    """What every case works with: a seed, a folder in memory for stores, and the judge."""

    seed: int
    work: Path
    judge: Judge

    def chance(self, *names: object) -> random.Random:
        """The same random numbers for the same seed and names."""
        return random.Random(f"{self.seed} {' '.join(map(str, names))}")  # noqa: S311


@dataclass(frozen=True, slots=True)
class Case:
    """How a case ended, and where the next one is; `at` alone names it for a replay."""

    violation: str | None
    following: str
    counted: int = 1


@dataclass(frozen=True, slots=True)
class Control:
    """A fault that was planted to see whether the row finds it."""

    planted: str
    was_found: bool


class Sizes(NamedTuple):
    """How many cases run with every check, and how many in the whole plan."""

    pr: int
    nightly: int


class Anywhere:
    """A row that runs on every Linux."""

    def hindrance(self, bench: Bench) -> str | None:  # noqa: ARG002
        return None


class Traceable:
    """A row that watches system calls."""

    def hindrance(self, bench: Bench) -> str | None:  # noqa: ARG002
        return None if tracing.IS_POSSIBLE else "system calls are watched on x86-64 alone"


class Row(Protocol):
    """One row: how many cases, and each case by where it stands in the row's order."""

    name: str
    title: str
    sizes: Sizes
    first: str

    def hindrance(self, bench: Bench) -> str | None:
        """Why it can't be run on this machine, if it can't."""
        ...

    def case(self, bench: Bench, at: str) -> Case: ...

    def controls(self, bench: Bench) -> Sequence[Control]: ...
