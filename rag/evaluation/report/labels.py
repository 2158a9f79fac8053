"""What a run's figures are called, which way is better, and how numbers are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from rag.evaluation.causes import IN_WORDS
from rag.evaluation.figures import LOWER_IS_BETTER, SHARES

_SPACE = "\N{NO-BREAK SPACE}"
_MISSING = "\N{EN DASH}"
_SURE = 0.05  # the p below which a difference is called one


class CauseLabel(NamedTuple):
    """A stage that can fail: its name, and what has happened in words."""

    title: str
    meaning: str


CAUSES = {
    cause.value: CauseLabel(cause.value.replace("_", " ").capitalize(), words)
    for cause, words in IN_WORDS.items()
}

_RANKING = {
    **{f"recall@{k}": f"Recall among the first {k}" for k in (1, 5, 10)},
    **{f"hit@{k}": f"At least one among the first {k}" for k in (1, 5, 10)},
    "mrr@10": "One by the first rank",
    "ndcg@10": "Discounted gain",
    "map": "Mean average precision",
}
_GROUPS: dict[str, dict[str, str]] = {
    "Answers": {
        "right": "Right: the accepted words from a right file, or rightly refused",
        "exact_match": "Exact match, as in SQuAD",
        "f1": "Overlap of words, as in SQuAD",
        "answer_in_sentence": "An accepted answer stands in the sentence shown",
    },
    "Refusing and confidence": {
        "answered": "Answered",
        "wrong_among_answered": "Wrong among the answered",
        "wrongly_answered": "Answered though the files don't",
        "wrongly_refused": "Refused though the files answer",
        "rejected_again": "An answer that somebody has rejected",
        "auroc": "Right answers surer than wrong ones",
        "calibration_error": "Confidence off by",
    },
    "Reading SQuAD's own paragraphs": {
        "has_answer_exact_match": "Exact match, answerable questions",
        "has_answer_f1": "Overlap of words, answerable questions",
        "no_answer_f1": "Rightly refused, of the others",
        "forced_exact_match": "Exact match where an answer is forced",
        "forced_f1": "Overlap of words where an answer is forced",
        "best_exact_match": "Exact match at the best threshold",
        "best_f1": "Overlap of words at the best threshold",
    },
    "Citations": {
        "citation_source": "Right file",
        "citation_paragraph": "Right paragraph",
        "citation_quote": "The quote holds the evidence",
        "citation_verbatim": "The quote stands in the file to the letter",
    },
    "Finding the passage": {**_RANKING, "retrieved": "Among the passages that are read"},
    "Finding the file": {f"file_{name}": label for name, label in _RANKING.items()},
    "Causes of failure": {name: CAUSES[cause].title for name, cause in SHARES.items()},
    "Time": {
        "latency_p50_ms": "Half took no longer than",
        "latency_p95_ms": "95 in 100 took no longer than",
        "latency_p99_ms": "99 in 100 took no longer than",
    },
}
_OTHERS = "More"


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric as the table shows it; `scale` has it from 0 to 100, with its interval."""

    name: str
    label: str
    lower: bool
    value: str
    interval: str
    weight_free: str
    scale: Scale | None


class Scale(NamedTuple):
    """Where a share, its interval and the weight-free reader's share stand between 0 and 100."""

    value: float
    low: float
    width: float
    weight_free: float | None


class Headline(NamedTuple):
    """One of the few figures that matter."""

    title: str
    value: str
    meaning: str
    interval: str
    before: str


@dataclass(frozen=True, slots=True)
class Change:
    """A metric now and before."""

    label: str
    name: str
    lower: bool
    now: str
    before: str
    difference: str
    interval: str
    p: str
    verdict: str


def percent(share: float, digits: int = 0) -> str:
    """A share of one as a percentage."""
    return f"{100 * share:.{digits}f}{_SPACE}%"


def milliseconds(value: float) -> str:
    """A time, with a digit after the point where it is short."""
    return f"{value:,.{int(value < 10)}f}{_SPACE}ms"


def groups(run: Mapping[str, Any]) -> list[tuple[str, list[Figure]]]:
    """All metrics of a run by what they are about, those that this report doesn't know last."""
    known = {name for labels in _GROUPS.values() for name in labels}
    others = {name: "" for name in run["metrics"] if name not in known}
    every = {**_GROUPS, _OTHERS: others}
    found = {
        title: [_figure(run, name, label) for name, label in labels.items() if _has(run, name)]
        for title, labels in every.items()
    }
    return [(title, figures) for title, figures in found.items() if figures]


def headlines(
    run: Mapping[str, Any], comparison: Mapping[str, Any] | None, rows: int
) -> list[Headline]:
    """The row of figures above all others."""
    sizes = run["question_set"]
    judged = rows - sizes["unjudged"]
    given = sum(row["answered"] and row["right"] is not None for row in run["rows"])
    p95 = run["metrics"].get("latency_p95_ms")
    tiles = {
        "right": ("Right", f"of {judged:,} questions: rightly answered, or rightly refused"),
        "wrong_among_answered": ("Wrong among answered", f"of {given:,} answers that were given"),
        "wrongly_answered": (
            "Wrongly answered",
            f"of {sizes['unanswerable']:,} questions that the files don't answer",
        ),
        "wrongly_refused": (
            "Wrongly refused",
            f"of {sizes['answerable']:,} questions that the files answer",
        ),
        "recall@5": ("Recall at 5", "of the evidence is among the first five passages"),
        "latency_p50_ms": (
            "Time, p50",
            f"half took no longer; p95 is {_MISSING if p95 is None else milliseconds(p95)}",
        ),
    }
    before = comparison["metrics"] if comparison else {}
    return [
        Headline(
            title,
            _large(name, run["metrics"].get(name)),
            meaning,
            _large_interval(name, run["intervals"].get(name)),
            _large(name, before[name]["before"]) if name in before else "",
        )
        for name, (title, meaning) in tiles.items()
    ]


def changes(comparison: Mapping[str, Any]) -> list[Change]:
    """All metrics that both runs have."""
    labels = {name: label for names in _GROUPS.values() for name, label in names.items()}
    ordered = sorted(comparison["metrics"], key=lambda name: list(labels).index(name)
                     if name in labels else len(labels))  # fmt: skip
    return [_change(name, labels.get(name, ""), comparison["metrics"][name]) for name in ordered]


def _has(run: Mapping[str, Any], name: str) -> bool:
    """Whether the run, or the reader beside it, tells the figure."""
    beside = run["weight_free"]
    told = [run["metrics"], beside["metrics"] if beside else {}]
    return any(metrics.get(name) is not None for metrics in told)


def _figure(run: Mapping[str, Any], name: str, label: str) -> Figure:
    value, interval = run["metrics"].get(name), run["intervals"].get(name)
    other = run["weight_free"]["metrics"].get(name) if run["weight_free"] else None
    return Figure(
        name=name,
        label=label or name,
        lower=name in LOWER_IS_BETTER,
        value=_plain(name, value),
        interval=_range(name, interval),
        weight_free=_plain(name, other),
        scale=_scale(name, value, interval, other),
    )


def _scale(name: str, value: float | None, interval: Any, other: float | None) -> Scale | None:
    if value is None or not 0 <= value <= 1 or name.endswith("_ms"):
        return None
    low, high = interval or (value, value)
    beside = None if other is None else round(100 * other, 1)
    return Scale(round(100 * value, 1), round(100 * low, 1), round(100 * (high - low), 1), beside)


def _change(name: str, label: str, found: Mapping[str, Any]) -> Change:
    difference, p = found["difference"], found["p"]
    low, high = found["low"], found["high"]
    signed = "" if difference is None else f"{_plain(name, difference, sign='+')}"
    return Change(
        label=label or name,
        name=name,
        lower=name in LOWER_IS_BETTER,
        now=_plain(name, found["now"]),
        before=_plain(name, found["before"]),
        difference=signed or _MISSING,
        interval="" if low is None or high is None else _range(name, (low, high), sign="+"),
        p=_MISSING if p is None else f"<{_SPACE}0.001" if p < 0.001 else f"{p:.3f}",
        verdict=_verdict(name, difference, p),
    )


def _verdict(name: str, difference: float | None, p: float | None) -> str:
    if not difference or p is None or p >= _SURE:
        return "no clear change"
    return "worse" if (difference > 0) == (name in LOWER_IS_BETTER) else "better"


def _plain(name: str, value: float | None, sign: str = "") -> str:
    if value is None:
        return _MISSING
    digits = (1 if abs(value) < 10 else 0) if name.endswith("_ms") else 3
    return f"{value:{sign},.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _range(name: str, interval: Any, sign: str = "") -> str:
    if interval is None:
        return _MISSING
    between = " to " if sign else _MISSING
    return between.join(_plain(name, bound, sign) for bound in interval)


def _large(name: str, value: float | None) -> str:
    if value is None:
        return _MISSING
    return milliseconds(value) if name.endswith("_ms") else percent(value, 1)


def _large_interval(name: str, interval: Any) -> str:
    if interval is None:
        return ""
    low, high = interval
    if name.endswith("_ms"):
        return f"{low:,.{int(low < 10)}f}–{milliseconds(high)}"
    return f"{100 * low:.1f}–{percent(high, 1)}"
