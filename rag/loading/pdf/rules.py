"""The rules drawn on a PDF page: the level and upright strokes that tables are made of."""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.loading.pdf.lines import turned

_MOST = 20_000  # strokes; a page with more is a drawing
_STRAIGHT = 1.0  # points by which the ends of a rule may differ
_SHORTEST = 4.0  # points
NEAR = 3.0
"""Points within which two ends of rules are one place."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A stroke: `at` is its height, or its distance from the left where it is upright."""

    at: float
    start: float
    end: float


def rules(page: pdfium.PdfPage, turn: int) -> tuple[list[Rule], list[Rule]]:
    """The level and the upright rules, on the page turned by so many quarters."""
    level: list[Rule] = []
    upright: list[Rule] = []
    paths = page.get_objects(filter=(raw.FPDF_PAGEOBJ_PATH,), max_depth=3)
    for one, other in (stroke for path in paths for stroke in _strokes(path)):
        (x, y), (end_x, end_y) = turned(*one, turn), turned(*other, turn)
        if abs(y - end_y) < _STRAIGHT and abs(x - end_x) > _SHORTEST:
            level.append(Rule((y + end_y) / 2, min(x, end_x), max(x, end_x)))
        elif abs(x - end_x) < _STRAIGHT and abs(y - end_y) > _SHORTEST:
            upright.append(Rule((x + end_x) / 2, min(y, end_y), max(y, end_y)))
        if len(level) + len(upright) > _MOST:
            return [], []
    return level, upright


def _strokes(path: pdfium.PdfObject) -> Iterator[tuple[Point, Point]]:
    if not _is_drawn(path):
        return
    matrix = path.get_matrix()
    corners: list[Point] = []
    for number in range(min(raw.FPDFPath_CountSegments(path.raw), _MOST)):
        segment = raw.FPDFPath_GetPathSegment(path.raw, number)
        x, y = ctypes.c_float(), ctypes.c_float()
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        kind = raw.FPDFPathSegment_GetType(segment)
        point = matrix.on_point(x.value, y.value)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            yield from pairwise(corners)
            corners = [point]
        elif kind == raw.FPDF_SEGMENT_LINETO:
            corners.append(point)
        else:
            yield from pairwise(corners)
            corners = [point]
        if raw.FPDFPathSegment_GetClose(segment) and corners:
            corners.append(corners[0])
    yield from pairwise(corners)


def _is_drawn(path: pdfium.PdfObject) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(path.raw, fill, stroke)
    return bool(fill.value or stroke.value)


def merged(rules: Sequence[Rule]) -> list[Rule]:
    """The same strokes with those that touch or cover each other drawn as one."""
    found: list[Rule] = []
    lanes = positions([rule.at for rule in rules])
    by_lane: dict[float, list[Rule]] = {lane: [] for lane in lanes}
    for rule in rules:
        by_lane[lanes[bisect_right(lanes, rule.at) - 1]].append(rule)
    for lane, strokes in by_lane.items():
        strokes.sort(key=lambda rule: rule.start)
        start, end = strokes[0].start, strokes[0].end
        for rule in strokes[1:]:
            if rule.start > end + NEAR:
                found.append(Rule(lane, start, end))
                start = rule.start
            end = max(end, rule.end)
        found.append(Rule(lane, start, end))
    return found


def positions(places: Sequence[float]) -> list[float]:
    """Distinct places in order; those less than `NEAR` from the one before are that one."""
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > NEAR:
            found.append(place)
    return found
