"""`rag eval` from its options to its verdict: the run, what changed, may it ship, what to trust."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.assembly import build
from rag.errors import InvalidInput
from rag.evaluating import Wanted, evaluated
from rag.evaluation import compare, gate, run, threshold
from rag.evaluation.report.page import render
from rag.settings import Settings
from rag.tuning import Tuning


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be made of the run: compared with a `baseline`, held against a `gate`, used to
    promise that at most the share `max_wrong` of the answers is wrong.
    """

    baseline: Path | None = None
    compare_anyway: bool = False
    gate: Path | None = None
    max_wrong: float | None = None


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The collection's own calibration and the file it is in, or why there is none."""

    tuning: Tuning | None
    file: Path | None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """A run and its verdict; `broken` says which limits it breaks, None where there is no gate."""

    run: run.Run
    comparison: compare.Comparison | None
    broken: list[str] | None
    calibrated: Calibrated | None

    @property
    def passed(self) -> bool:
        return not self.broken and not (self.calibrated and self.calibrated.refusal)

    def payload(self) -> dict[str, Any]:
        """run.json, and what was made of it."""
        payload: dict[str, Any] = {**self.run}
        if self.comparison:
            payload["comparison"] = self.comparison
        if self.broken is not None:
            payload["gate"] = {"passed": not self.broken, "failures": self.broken}
        if self.calibrated:
            tuning = self.calibrated.tuning
            payload["calibration"] = {
                "tuning": asdict(tuning) if tuning else None,
                "refusal": self.calibrated.refusal,
            }
        return payload

    def lines(self) -> Iterator[str]:
        """The same for a terminal."""
        yield from run.lines(self.run)
        if self.comparison:
            yield from compare.lines(self.comparison)
        if self.broken is not None:
            yield from ("", "gate: NOT passed" if self.broken else "gate: passed", *self.broken)
        if self.calibrated and self.calibrated.tuning and self.calibrated.file:
            yield from threshold.lines(self.calibrated.tuning, self.calibrated.file)
        elif self.calibrated:
            yield from ("", f"no threshold: {self.calibrated.refusal}")

    def write(self, folder: Path) -> None:
        """run.json and report.html."""
        run.write(self.run, folder / "run.json")
        (folder / "report.html").write_text(render(self.run, self.comparison), "utf-8")


def assessed(wanted: Wanted, asked: Asked, settings: Settings) -> Assessment:
    """Asks the questions and judges the run. Raises `InvalidInput` for what can't be used, before
    any question is asked where that can be told.
    """
    limits = gate.read_gate(asked.gate) if asked.gate else None
    before = run.read(asked.baseline) if asked.baseline else None
    if limits and limits.worse and before is None:
        raise InvalidInput(f"{asked.gate} compares with a baseline: name one with --baseline")
    if asked.max_wrong is not None:
        threshold.fewest(asked.max_wrong)
        if wanted.corpus:
            raise InvalidInput("--calibrate is for your own index: ingest it, without --corpus")
    made = evaluated(wanted, settings)
    comparison = compare.compare(made, before, anyway=asked.compare_anyway) if before else None
    return Assessment(
        run=made,
        comparison=comparison,
        broken=gate.failures(limits, made, comparison) if limits else None,
        calibrated=None
        if asked.max_wrong is None
        else _calibrated(made, asked.max_wrong, wanted.collection, settings),
    )


def _calibrated(made: run.Run, max_wrong: float, collection: str, settings: Settings) -> Calibrated:
    try:
        tuning = threshold.calibrated(made, max_wrong)
    except threshold.NoThreshold as refusal:
        return Calibrated(None, None, str(refusal))
    with closing(build(settings)) as service:
        return Calibrated(tuning, service.tune(collection, tuning))
