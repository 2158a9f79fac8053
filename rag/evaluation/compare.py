"""Two runs over the same questions: what was fixed, what broke, and whether that is chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from typing_extensions import TypedDict

from rag.errors import InvalidInput
from rag.evaluation.figures import COMPARED, column
from rag.evaluation.rows import Row
from rag.evaluation.run import Run, shown
from rag.evaluation.statistics import Bootstrap, randomisation_p, weighted_mean

_SHOWN = 10  # questions of each kind, in a terminal


class Change(TypedDict):
    """A figure now and before over the questions that have it in both runs, their difference with
    its 95 % interval, and the p of a paired randomisation test.
    """

    now: float
    before: float
    difference: float
    low: float
    high: float
    p: float


class BaselineFacts(TypedDict):
    """The run that this one is compared with."""

    date: str
    reader: str
    embedder: str


class Comparison(TypedDict):
    """What changed since a baseline; `warnings` say how far the two can be compared."""

    baseline: BaselineFacts
    compared: int
    warnings: list[str]
    metrics: Mapping[str, Change]
    fixed: list[str]
    broken: list[str]
    right_in_both: int
    wrong_in_both: int


def compare(run: Run, baseline: Run, *, anyway: bool = False) -> Comparison:
    """Compares the questions that both runs have.

    Raises `InvalidInput` where the questions or the documents differ, unless it is wanted `anyway`.
    """
    differences = list(_differences(run, baseline))
    if differences and not anyway:
        raise InvalidInput(
            f"the baseline is of another kind: {'; '.join(differences)}. Run both over the same, "
            "or compare what they share with --compare-anyway"
        )
    before = {row["id"]: row for row in baseline["rows"]}
    pairs = [(row, before[row["id"]]) for row in run["rows"] if row["id"] in before]
    if not pairs:
        raise InvalidInput("the baseline has none of these questions: name another --baseline")
    verdicts = [(now["id"], now["right"], then["right"]) for now, then in pairs]
    return Comparison(
        baseline=BaselineFacts(
            date=baseline["date"],
            reader=baseline["settings"]["reader"],
            embedder=baseline["settings"]["embedder"],
        ),
        compared=len(pairs),
        warnings=differences,
        metrics=_changes([now for now, _ in pairs], [then for _, then in pairs]),
        fixed=[i for i, now, then in verdicts if now and then is False],
        broken=[i for i, now, then in verdicts if then and now is False],
        right_in_both=sum(bool(now and then) for _, now, then in verdicts),
        wrong_in_both=sum(now is then is False for _, now, then in verdicts),
    )


def _differences(run: Run, baseline: Run) -> Iterator[str]:
    if run["settings"]["mode"] != baseline["settings"]["mode"]:
        yield f"it was asked in mode {baseline['settings']['mode']}"
    if run["question_set"]["fingerprint"] != baseline["question_set"]["fingerprint"]:
        yield "its questions are others"
    corpora = [one["corpus"] and one["corpus"]["fingerprint"] for one in (run, baseline)]
    if corpora[0] != corpora[1]:
        yield "its documents are others"


def _changes(now: Sequence[Row], before: Sequence[Row]) -> dict[str, Change]:
    bootstrap = Bootstrap(len(now))
    once = np.ones(len(now))
    changes: dict[str, Change] = {}
    for name in COMPARED:
        ours, theirs = column(now, name), column(before, name)
        both = ~np.isnan(ours) & ~np.isnan(theirs)
        differences = np.where(both, ours - theirs, np.nan)
        interval = bootstrap.interval(weighted_mean(differences))
        if both.any() and interval:
            changes[name] = Change(
                now=weighted_mean(np.where(both, ours, np.nan))(once) or 0.0,
                before=weighted_mean(np.where(both, theirs, np.nan))(once) or 0.0,
                difference=weighted_mean(differences)(once) or 0.0,
                low=interval[0],
                high=interval[1],
                p=randomisation_p(differences[both]),
            )
    return changes


def lines(comparison: Comparison) -> Iterator[str]:
    """The comparison for a terminal: figures that changed, then questions."""
    yield ""
    yield f"Against the run of {comparison['baseline']['date']}, {comparison['compared']} questions"
    yield from (f"  beware: {warning}" for warning in comparison["warnings"])
    for name, change in comparison["metrics"].items():
        if change["difference"]:
            yield (
                f"{name:24} {shown(name, change['before'])} -> {shown(name, change['now'])} "
                f"({change['low']:+.3f} to {change['high']:+.3f}, p {change['p']:.4f})"
            )
    both = comparison["right_in_both"], comparison["wrong_in_both"]
    yield f"right in both {both[0]}, wrong in both {both[1]}"
    for kind, ids in (("fixed", comparison["fixed"]), ("broken", comparison["broken"])):
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        yield f"{kind} {len(ids)}{': ' if ids else ''}{', '.join(ids[:_SHOWN])}{more}"
