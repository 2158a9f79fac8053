"""A run's plots, as SVG that takes its colours from the page around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from rag.evaluation.report.labels import CAUSES, milliseconds, percent

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

_INK, _SOFT, _LINE = "#1c2024", "#5a626b", "#dfdcd3"
_FIRST, _SECOND = "#1f5673", "#b5540a"  # blue and orange: told apart by every kind of eye
_VARIABLES = {
    _INK: "var(--ink)",
    _SOFT: "var(--soft)",
    _LINE: "var(--line)",
    _FIRST: "var(--first)",
    _SECOND: "var(--second)",
}
_STYLE: dict[RcKeyType, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rag-verbatim",
    "font.size": 12,
    "text.color": _INK,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _SOFT,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "grid.color": _LINE,
    "legend.frameon": False,
    "legend.borderaxespad": 0,
    "lines.linewidth": 2,
    "lines.markersize": 5,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "xtick.major.pad": 6,
    "ytick.major.pad": 6,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
_WIDTH = 5.0  # inches: 360 units, so that the type is read at a phone's width
_BINS = 24
_REFERENCE = re.compile(r"#([\w.-]+)")


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with its caption; without data there is no `svg`, and the caption says why."""

    name: str
    title: str
    caption: str
    svg: Markup | None = None


def drawn(run: Mapping[str, Any]) -> list[Plot]:
    """All plots of a run."""
    # matplotlib takes these settings from nowhere else; a user's own style must not matter.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        return [plot(run) for plot in _PLOTS]


def _recall(run: Mapping[str, Any]) -> Plot:
    name, title = "recall", "Recall by k"
    points = run["curves"]["recall"]
    if not points:
        return Plot(name, title, "Left out: no question names its evidence.")
    figure, axes = _figure()
    told = []
    for column, label, colour, line, marker in (
        (1, "the passage", _FIRST, "-", "o"),
        (2, "its file", _SECOND, "--", "s"),
    ):
        known = [(point[0], point[column]) for point in points if point[column] is not None]
        if known:
            axes.plot(*zip(*known, strict=True), color=colour, ls=line, marker=marker, label=label)
            (first, at_first), (last, at_last) = known[0], known[-1]
            told.append(f"{label} {percent(at_first)} at {first}, {percent(at_last)} at {last}")
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("k, passages from the best")
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axes.yaxis.set_major_formatter(_percentages())
    _legend(figure, 2)
    caption = "How much of the evidence is among the first k passages."
    return Plot(name, title, caption, _svg(figure, name, f"{title}: {'; '.join(told)}."))


def _risk_coverage(run: Mapping[str, Any]) -> Plot:
    name, title = "risk", "Risk and coverage"
    points = run["curves"]["risk_coverage"]
    if not points:
        return Plot(name, title, "Left out: no answer was found whose strength could be varied.")
    figure, axes = _figure()
    coverage, risk = [point[0] for point in points], [point[1] for point in points]
    axes.plot(coverage, risk, color=_FIRST, label="by threshold")
    answered = run["metrics"].get("answered")
    wrong = run["metrics"].get("wrong_among_answered")
    told = f"{percent(risk[-1])} wrong at {percent(coverage[-1])} answered"
    if answered is not None and wrong is not None:
        used = f"in use: {percent(answered)} answered, {percent(wrong)} of them wrong"
        axes.plot(
            [answered], [wrong], "D", ms=10, mfc="none", mec=_SECOND, mew=2.5, label=used,
            clip_on=False,
        )  # fmt: skip
        told += f"; {used}"
    axes.set_xlim(0, 1)
    axes.set_ylim(0, max(0.05, *risk, wrong or 0) * 1.08)
    axes.set_xlabel("answered, of all questions")
    axes.set_ylabel("wrong, of the answers")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_percentages())
    _legend(figure, 1)
    caption = "What another threshold would mean: more answers, or fewer wrong ones."
    return Plot(name, title, caption, _svg(figure, name, f"{title}: {told}."))


def _calibration(run: Mapping[str, Any]) -> Plot:
    name, title = "calibration", "Calibration"
    bins = run["curves"]["reliability"]
    if not bins:
        return Plot(name, title, "Left out: no answer has a confidence.")
    figure = Figure(figsize=(_WIDTH, 3.9), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    axes.plot([0, 1], [0, 1], color=_SOFT, ls="--", lw=1.5, label="exactly as sure as right")
    sure, right, counts = (list(values) for values in zip(*bins, strict=True))
    axes.plot(sure, right, color=_FIRST, marker="o", label="the answers")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.03)
    axes.set_ylabel("right")
    axes.yaxis.set_major_formatter(_percentages())
    middles = [min(int(value * 10), 9) / 10 + 0.05 for value in sure]
    bars = below.bar(middles, counts, width=0.085, color=_FIRST)
    below.bar_label(bars, [f"{count:.0f}" for count in counts], padding=2, fontsize=10)
    below.set_ylim(0, max(counts) * 1.5)
    below.set_yticks([])
    below.grid(visible=False)
    below.set_ylabel("answers")
    below.set_xlabel("confidence")
    below.xaxis.set_major_formatter(_percentages())
    _legend(figure, 2)
    told = "; ".join(f"{percent(s)} sure, {percent(r)} right of {n:.0f}" for s, r, n in bins)
    caption = "Under the dashed line answers are surer than they are right, above it less sure."
    return Plot(name, title, caption, _svg(figure, name, f"{title}: {told}."))


def _latency(run: Mapping[str, Any]) -> Plot:
    name, title = "latency", "Time per question"
    times = [row["milliseconds"] for row in run["rows"] if row["milliseconds"] is not None]
    if not times:
        return Plot(name, title, "Left out: no question was timed.")
    figure, axes = _figure()
    marks = [
        (label, run["metrics"].get(f"latency_{label}_ms"), style)
        for label, style in (("p50", "-"), ("p95", "--"))
    ]
    # One slow question, a cold start say, would press all others into one bar.
    limit = 2 * (marks[1][1] or max(times))
    shown = [time for time in times if time <= limit]
    axes.hist(shown, bins=_BINS, color=_FIRST, alpha=0.55)
    for label, value, style in marks:
        if value is not None:
            axes.axvline(value, color=_SECOND, ls=style, label=f"{label} {milliseconds(value)}")
    axes.set_xlim(left=0)
    axes.set_xlabel("milliseconds")
    axes.set_ylabel("questions")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    if any(value is not None for _, value, _ in marks):
        _legend(figure, 2)
    known = ", ".join(f"{label} {milliseconds(v)}" for label, v, _ in marks if v is not None)
    caption = "How long the questions took."
    if len(shown) < len(times):
        left = len(times) - len(shown)
        caption += f" {left} slower, up to {milliseconds(max(times))}, left out."
    told = f"{title}: {len(times)} questions, {known}."
    return Plot(name, title, caption, _svg(figure, name, told))


def _causes(run: Mapping[str, Any]) -> Plot:
    name, title = "causes", "Causes of failure"
    counts = [run["causes"].get(cause, 0) for cause in CAUSES]
    if not any(counts):
        return Plot(name, title, "Left out: no question went wrong.")
    figure, axes = _figure(2.6)
    titles = [cause.title for cause in CAUSES.values()]
    bars = axes.barh(titles, counts, color=_FIRST, height=0.62)
    axes.bar_label(bars, padding=4)
    axes.invert_yaxis()
    axes.set_xlim(0, max(counts) * 1.12)
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", labelcolor=_INK)
    told = ", ".join(f"{t} {n}" for t, n in zip(titles, counts, strict=True))
    caption = "Questions that went wrong, by the stage that failed."
    return Plot(name, title, caption, _svg(figure, name, f"{title}: {told}."))


_PLOTS: tuple[Callable[[Mapping[str, Any]], Plot], ...] = (
    _recall,
    _risk_coverage,
    _calibration,
    _latency,
    _causes,
)


def _figure(height: float = 3.2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _percentages() -> PercentFormatter:
    return PercentFormatter(1, symbol="\N{NO-BREAK SPACE}%")


def _legend(figure: Figure, columns: int) -> None:
    figure.legend(loc="outside upper left", ncols=columns, labelcolor=_INK)


def _svg(figure: Figure, name: str, told: str) -> Markup:
    """The figure as an element of the page: what it tells in words, no styles, ids of its own.

    A page that allows no style but its own refuses style attributes, so they become attributes.
    """
    written = BytesIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    root = Xml.fromstring(written.getvalue())  # noqa: S314 - what matplotlib has just written
    used = set(_REFERENCE.findall(" ".join(v for e in root.iter() for v in e.attrib.values())))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
        element.text = (element.text or "").strip()
        element.tail = ""
        attributes = dict(_attributes(element.attrib, name, used))
        element.attrib.clear()
        element.attrib.update(attributes)
    _, _, width, height = root.attrib["viewBox"].split()
    root.attrib.clear()
    root.attrib.update(
        {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": told, "class": "plot"}
    )
    return Markup(Xml.tostring(root, "unicode"))  # noqa: S704 - drawn from numbers and own words


def _attributes(given: Mapping[str, str], name: str, used: set[str]) -> list[tuple[str, str]]:
    kept = []
    for key, value in given.items():
        if key == "style":
            pairs = (pair.split(":", 1) for pair in value.split(";") if pair.strip())
            kept += [(k.strip(), _coloured(v.strip())) for k, v in pairs if "family" not in k]
        elif key != "id":
            kept.append((key.partition("}")[2] or key, _REFERENCE.sub(rf"#{name}-\1", value)))
        elif value in used:
            kept.append((key, f"{name}-{value}"))
    return kept


def _coloured(value: str) -> str:
    return _VARIABLES.get(value, value)
