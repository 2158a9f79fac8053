"""The order in which the lines of a PDF page are read: column by column, band by band."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

from rag.loading.pdf.lines import Line

_FEWEST = 3  # lines side by side, for two columns to be seen on a page of its own
_BESIDE = 0.4  # of a page's lines that stand in one of the columns, beside the other
_CROSSING = 0.5  # of the lines, at most, that may run over both columns
_ALIKE = 0.5  # of the lines of one column beside the other, that this one has as well
_PROSE = 20  # letters in the middle line of a column of text
_FULL = 0.4  # of its column's width that the middle line of text fills
_NARROWEST = 0.5  # sizes between two columns
APART = 2.5
"""Sizes; parts of a line that are farther apart are no words of one sentence."""
_SAME_ROW = 0.35  # sizes that parts of one line may be higher or lower
_WIDEST = 20_000  # points; a page is hardly wider, and the places on it are counted


@dataclass(frozen=True, slots=True)
class Gutter:
    """The empty strip between two columns."""

    left: float
    right: float


Row = Sequence[Line]
"""The parts of one line of print, from left to right."""


def gutter(lines: Sequence[Line]) -> Gutter | None:
    """The strip that parts a page's lines into two columns of text, if one does."""
    if len(lines) < 2 * _FEWEST:
        return None
    start = min(line.left for line in lines)
    width = min(_WIDEST, int(max(line.right for line in lines) - start) + 1)
    covered = [0] * (width + 1)
    for line in lines:
        covered[max(0, min(width, int(line.left - start)))] += 1
        covered[max(0, min(width, int(line.right - start) + 1))] -= 1
    cover = list(accumulate(covered))
    middle = range(width // 8, width - width // 8)
    least = min((cover[x] for x in middle), default=0)
    strips = _strips([x for x in middle if cover[x] == least])
    for first, last in sorted(strips, key=lambda strip: strip[0] - strip[1]):
        found = Gutter(start + first, start + last + 1)
        if _parts_text(found, lines):
            return found
    return None


def _strips(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = before = None
    for place in places:
        if first is None or before is None or place > before + 1:
            if first is not None and before is not None:
                yield first, before
            first = place
        before = place
    if first is not None and before is not None:
        yield first, before


def _parts_text(found: Gutter, lines: Sequence[Line]) -> bool:
    left, right, crossing = _sides(found, lines)
    size = median(line.size for line in lines)
    if found.right - found.left < _NARROWEST * size or min(len(left), len(right)) < _FEWEST:
        return False
    low = max(min(line.base for line in side) for side in (left, right))
    high = min(max(line.base for line in side) for side in (left, right))
    beside = [sum(low <= line.base <= high for line in side) for side in (left, right)]
    if min(beside) < max(_FEWEST, _ALIKE * max(beside)) or sum(beside) < _BESIDE * len(lines):
        return False
    most = _CROSSING * (len(left) + len(right))
    return len(crossing) <= most and _is_text(left) and _is_text(right)


def _sides(found: Gutter, lines: Sequence[Line]) -> tuple[list[Line], list[Line], list[Line]]:
    left = [line for line in lines if line.right <= found.left + 1]
    right = [line for line in lines if line.left >= found.right - 1]
    crossing = [
        line for line in lines if line.right > found.left + 1 and line.left < found.right - 1
    ]
    return left, right, crossing


def _is_text(side: Sequence[Line]) -> bool:
    """Whether a side holds lines of text, not the cells of a table's column."""
    width = max(line.right for line in side) - min(line.left for line in side)
    runs = [run for row in _rows(side) for run in _runs(row)]
    letters = median(sum(len(part.text) for part in run) for run in runs)
    return (
        letters >= _PROSE and median(run[-1].right - run[0].left for run in runs) >= _FULL * width
    )


def _runs(row: Row) -> Iterator[list[Line]]:
    """The parts of a line that are as near to each other as stretched words may be."""
    run: list[Line] = []
    for part in row:
        if run and part.left - run[-1].right > APART * part.size:
            yield run
            run = []
        run.append(part)
    yield run


def usual_gutter(pages: Sequence[Sequence[Line]]) -> Gutter | None:
    """The strip between the columns of a document most of whose pages have two."""
    found = [gutter(lines) for lines in pages if len(lines) >= 2 * _FEWEST]
    middles = Counter(round((one.left + one.right) / 2) for one in found if one)
    if 2 * middles.total() <= len(found):
        return None
    middle = middles.most_common(1)[0][0]
    return next(one for one in found if one and round((one.left + one.right) / 2) == middle)


def regions(lines: Sequence[Line], usual: Gutter | None = None) -> Iterator[list[Row]]:
    """The columns of a page as they are read; lines over both columns are regions of their own.

    `usual` is the document's: it also parts pages with too few lines to show columns themselves.
    """
    found = gutter(lines) or (usual if usual and _fits(usual, lines) else None)
    if found is None:
        yield _rows(lines)
        return
    band: list[Line] = []
    crossing: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.base):
        over = line.right > found.left + 1 and line.left < found.right - 1
        if over and band:
            yield from _columns(found, band)
            band = []
        if not over and crossing:
            yield _rows(crossing)
            crossing = []
        (crossing if over else band).append(line)
    if crossing:
        yield _rows(crossing)
    if band:
        yield from _columns(found, band)


def _fits(usual: Gutter, lines: Sequence[Line]) -> bool:
    left, right, crossing = _sides(usual, lines)
    if not left or not right or len(crossing) > _CROSSING * (len(left) + len(right)):
        return False
    return _is_text(left) and _is_text(right)


def _columns(found: Gutter, band: Sequence[Line]) -> Iterator[list[Row]]:
    left, right, _ = _sides(found, band)
    for side in (left, right):
        if side:
            yield from regions(side)


def _rows(lines: Sequence[Line]) -> list[Row]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -line.base):
        if rows and rows[-1][0].base - line.base < _SAME_ROW * min(line.size, rows[-1][0].size):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]
