"""A run's summary, for people: what was really run, and what came of it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.soak.progress import Progress
from tests.soak.rows import Row

_TREE = Path(__file__).parents[2]
_HEAD = """# What the test plan found

Made by `make soak`, which runs every row of the plan to the end, goes on where it was stopped, and
writes this page; each row's line is of its own last run. `python -m tests.soak --help` says more.
"""
_INVARIANTS = """
After each event the store is opened and judged: every acknowledged document is there, once, and
no other; no document is half there (SHA-256 of every row, every passage told anew from its text);
SQLite's integrity check; the search caches hold the living passages and nothing else; twenty fixed
questions get the answers and citations of a clean build; one more document can be added and is
found. The rows of C judge replies instead: none at 500 or above, every status documented for its
route, every error a problem that tells no path and no trace. The row of D wants each file read or
refused, and the next one read. A control is a fault that is planted to see that the row finds it.
"""


def commit() -> str:
    """What is checked out."""
    try:
        hash_, changes = (
            subprocess.run(command, cwd=_TREE, capture_output=True, text=True, check=True).stdout
            for command in (["git", "rev-parse", "HEAD"], ["git", "status", "--porcelain"])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    ours = [line for line in changes.splitlines() if not line.endswith("REPORT.md")]
    return hash_.strip() + (" with changes" if ours else "")


def machine(work: Path) -> str:
    """The machine, without its name."""
    kind = "memory (tmpfs)" if work.is_relative_to("/dev/shm") else "a disk"  # noqa: S108
    cores = len(os.sched_getaffinity(0))
    words = f"{platform.system()} {platform.machine()}, {cores} cores"
    return f"{words}, Python {platform.python_version()}, stores in {kind}"


def written(rows: Sequence[tuple[Row, Progress | None]], work: Path) -> str:
    """The page, of rows and how far each has come."""
    runs = [run for _, run in rows if run]
    total = sum(run.done for run in runs)
    violations = sum(len(run.failures) for run in runs)
    lines = [
        _HEAD,
        f"{datetime.now(UTC):%Y-%m-%d}. {machine(work)}, shared with other work.",
        "",
        f"**{total:,} cases, {violations} violations.**",
        _INVARIANTS,
        "| | | cases | violations | controls found | minutes | commit, seed |",
        "|---|---|---|---|---|---|---|",
        *(_line(row, run) for row, run in rows),
    ]
    failures = [(run, at, what) for run in runs for at, what in run.failures]
    if failures:
        lines += ["", "## Violations", ""]
        lines += [f"- {run.row} at {at}: {what[:500]}" for run, at, what in failures]
    return "\n".join(lines) + "\n"


def _line(row: Row, run: Progress | None) -> str:
    if run is None:
        return f"| {row.name} | {row.title} | not run | | | | |"
    goal = getattr(row.sizes, run.size)
    cases = f"{run.done:,}" + ("" if run.done >= goal else f" of {goal:,}")
    controls = "; ".join(
        f"{planted}: {'found' if found else '**not found**'}"
        for planted, found in run.controls or []
    )
    if run.hindrance:
        cases = f"left out: {run.hindrance}"
    failures = f"{len(run.failures)}/{run.done:,}"
    told = (run.commit[:7] + run.commit[40:], str(run.seed))
    facts = (row.name, row.title, cases, failures, controls, f"{run.seconds / 60:.1f}")
    return f"| {' | '.join((*facts, ', '.join(told)))} |"
