"""May this build ship? Thresholds in a small TOML file against a run."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import InvalidInput
from rag.evaluation.causes import IN_WORDS, Cause
from rag.evaluation.compare import Comparison
from rag.evaluation.figures import COMPARED, KNOWN, LOWER_IS_BETTER, SHARES
from rag.evaluation.run import Run, shown

_SURE = 0.05  # p below which a change for the worse is no chance


@dataclass(frozen=True, slots=True)
class Gate:
    """Figures with the `least` or the `most` that they may be, and by how much a figure may be
    `worse` than the baseline's, where that is no chance (p < .05).
    """

    least: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)
    worse: Mapping[str, float] = field(default_factory=dict)


def read_gate(file: Path) -> Gate:
    """A gate from its TOML file. Raises `InvalidInput` that says what is wrong with it."""
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"{file} can't be read as a gate: {error}; it is a TOML file with limits such as f1 = "
            "0.6 under [least], [most] or [worse]"
        ) from error
    names = {"least": KNOWN, "most": KNOWN, "worse": COMPARED}
    if unknown := sorted(tables.keys() - names.keys()):
        raise InvalidInput(f"{file}: [{unknown[0]}] is no part of a gate: {', '.join(names)} are")
    gate = Gate(
        **{table: _limits(file, table, tables.get(table, {}), names[table]) for table in names}
    )
    if not (gate.least or gate.most or gate.worse):
        raise InvalidInput(f"{file} sets no limit, so it would let everything pass")
    return gate


def _limits(file: Path, table: str, limits: Any, known: tuple[str, ...]) -> dict[str, float]:
    if not isinstance(limits, dict):
        raise InvalidInput(f"{file}: {table} must be a table such as [{table}]")
    for name, limit in limits.items():
        if name not in known:
            raise InvalidInput(
                f"{file}: no figure {name!r} for [{table}]; there are {', '.join(known)}"
            )
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise InvalidInput(f"{file}: {name} in [{table}] must be a number")
    return {name: float(limit) for name, limit in limits.items()}


def failures(gate: Gate, run: Run, comparison: Comparison | None = None) -> list[str]:
    """Why the run does not pass, in words; empty where it does. The first cause of failure is
    told with it, the one that grew most since the baseline if there is one.
    """
    found = [
        *_beyond(run, gate.least, "at least", lambda value, limit: value < limit),
        *_beyond(run, gate.most, "at most", lambda value, limit: value > limit),
        *(_worse(gate.worse, comparison) if comparison else ()),
    ]
    return [*found, *_causes(run, comparison)] if found else []


def _beyond(
    run: Run, limits: Mapping[str, float], asked: str, fails: Callable[[float, float], bool]
) -> Iterator[str]:
    for name, limit in limits.items():
        value = run["metrics"].get(name)
        if value is None:
            yield f"{name} can't be told: no question of the set has it"
        elif fails(value, limit):
            yield f"{name} is {shown(name, value)}, {asked} {shown(name, limit)} is asked"


def _worse(limits: Mapping[str, float], comparison: Comparison) -> Iterator[str]:
    for name, limit in limits.items():
        change = comparison["metrics"].get(name)
        if change is None:
            yield f"{name} can't be compared: no question has it in both runs"
            continue
        lost = change["difference"] if name in LOWER_IS_BETTER else -change["difference"]
        if lost > limit and change["p"] < _SURE:
            yield (
                f"{name} went from {shown(name, change['before'])} to "
                f"{shown(name, change['now'])}, worse by more than {limit:.3f} "
                f"(p {change['p']:.4f})"
            )


def _causes(run: Run, comparison: Comparison | None) -> Iterator[str]:
    """The cause that grew most since the baseline, or without one the most frequent."""
    counts = run["causes"]
    weights: Mapping[str, float] = counts
    if comparison:
        changes = comparison["metrics"]
        weights = {
            cause: changes[name]["difference"] for name, cause in SHARES.items() if name in changes
        }
    cause = max(weights, key=lambda name: weights[name], default=None)
    if cause is not None and weights[cause] > 0:
        grew = f", {weights[cause]:+.1%} of the questions since the baseline" if comparison else ""
        yield f"first cause: {cause} ({IN_WORDS[Cause(cause)]}): {counts[cause]} questions{grew}"
