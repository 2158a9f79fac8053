"""What an ingest did, or would do, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rag.foreseeing import Forecast
from rag.terminal import plain
from rag.types import IngestReport, Outcome, Status

_NEXT_UNIT = 999.5  # what is not rounded to a thousand
_MINUTE = 60  # seconds


def report_lines(report: IngestReport) -> Iterator[str]:
    """A line for each file that is not as before, then the sums."""
    for outcome in report.outcomes:
        if outcome.status is not Status.UNCHANGED:
            yield plain(f"{outcome.status:9} {outcome.source}{_why(outcome)}")
    sums = ", ".join(f"{report.count(status)} {status}" for status in Status)
    yield f"{sums}; {report.encoded} passages encoded, {report.reused} reused"


def forecast_lines(forecast: Forecast) -> Iterator[str]:
    """A line for each file that would not be as before, the sums, and how long it would take."""
    report = forecast.report
    for outcome in report.outcomes:
        if outcome.status is not Status.UNCHANGED:
            size = "" if outcome.size is None else f" ({_size(outcome.size)})"
            yield plain(f"{outcome.status:9} {outcome.source}{size}{_why(outcome)}")
    sums = (f"{report.count(one)} {one} ({_size(report.bytes(one))})" for one in Status)
    yield f"{', '.join(sums)}; nothing was changed: dry run"
    if forecast.seconds is None:
        yield "How long that would take is unknown: no ingest here was large enough to measure."
    elif forecast.work and forecast.pace:
        yield (
            f"To read and encode {_size(forecast.work)} would take about "
            f"{_duration(forecast.seconds)}, at the {_size(forecast.pace)} a second of a former "
            "ingest."
        )


def _why(outcome: Outcome) -> str:
    said = outcome.reason or outcome.note
    return f": {said}" if said else ""


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < _NEXT_UNIT:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * _MINUTE else f"{seconds / 3600:.1f} h"
