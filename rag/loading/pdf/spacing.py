"""The white space of a document: what stands between its lines, and what that says of paragraphs.

All thresholds are relative to the size of the type.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from rag.loading.pdf.lines import BULLET, Line

_SENTENCE_END = re.compile(r"[.!?:][)\]\"'’”»\d]*$")
_CLOSE = 9  # letters at the end of a line that are looked at
NEW_SIZE = 0.12  # relative difference of sizes that sets a heading or a footnote off
_NEW_GAP = 1.25  # line distances; more than this much lies between paragraphs
_EVEN_GAP = 1.12  # line distances; enough after a sentence where most lines are evenly apart
_SAME = 0.02  # relative difference of even line distances
_MOSTLY = 0.6  # of a size's line distances that are even
INDENT = 0.8  # sizes
SPACE = 0.25  # sizes that a space between words takes at least
_FULL = 0.3  # sizes that a justified line leaves empty at most: marks may hang in the margin
_JUSTIFIED = 0.4  # of a document's lines that are full, where its text is justified
_SET_APART = 0.8  # of ends of paragraphs that show a gap or indent, where these mark all of them
_FEWEST_ENDS = 5


@dataclass(frozen=True)
class Region:
    """The lines of a column, from the top down."""

    page: int
    lines: Sequence[Line]

    @cached_property
    def left(self) -> float:
        """Where most lines begin."""
        places = Counter(round(line.left) for line in self.lines if not line.row)
        return max(places, key=lambda place: (places[place], -place), default=0)

    @cached_property
    def width(self) -> float:
        return max(line.right for line in self.lines) - min(line.left for line in self.lines)

    @cached_property
    def _rights(self) -> dict[int, float]:
        found: dict[int, float] = defaultdict(float)
        for line in self.lines:
            if not line.row:
                found[int(line.left // 10)] = max(found[int(line.left // 10)], line.right)
        return found

    def room(self, line: Line) -> float:
        """What a line leaves empty, as the longest of those show that begin about where it does."""
        place, span = int(line.left // 10), int(3 * line.size // 10) + 1
        near = [self._rights[p] for p in range(place - span, place + span + 1) if p in self._rights]
        return max(near, default=line.right) - line.right


class Style:
    """What the document does between paragraphs: the usual distance of its lines, by size of type,
    and whether a gap or indent marks the end of each paragraph.
    """

    def __init__(self, regions: Sequence[Region]) -> None:
        pairs = [(region, *pair) for region in regions for pair in pairwise(region.lines)]
        drops = _drops((above, line) for _, above, line in pairs)
        self._text = _most(line for region in regions for line in region.lines)
        self._usual = {size: sorted(found)[len(found) // 4] for size, found in drops.items()}
        self._even = {
            size
            for size, usual in self._usual.items()
            if sum(abs(drop - usual) < _SAME * usual for drop in drops[size])
            >= _MOSTLY * len(drops[size])
        }
        ends = [
            self.has_gap(above, line) or is_indented(region, above, line)
            for region, above, line in pairs
            if _may_end(region, above, line)
        ]
        lines = [(region, line) for region in regions for line in region.lines if not line.row]
        full = sum(region.room(line) <= _FULL * line.size for region, line in lines)
        self.is_justified = full >= _JUSTIFIED * len(lines)
        self.marks_all = len(ends) >= _FEWEST_ENDS and sum(ends) >= _SET_APART * len(ends)

    def is_large(self, line: Line) -> bool:
        """Whether a line is set larger than most of the text."""
        return line.size > self._text * (1 + NEW_SIZE)

    def has_room(self, region: Region, lines: Sequence[Line], line: Line) -> bool:
        """Whether the last of a paragraph's lines ends early, seen from the next one's first word.

        In justified text it does where it stops short of the margin.
        """
        above = lines[-1]
        if self.is_justified and all(region.room(one) <= _FULL * one.size for one in lines[-2:-1]):
            return region.room(above) > _FULL * above.size
        return _has_room(region, above, line)

    def has_gap(self, above: Line, line: Line) -> bool:
        """Whether two lines are farther apart than lines of their size usually are."""
        usual, drop = 1.2 * line.size, above.base - line.base
        if not self.is_large(line):
            usual = self._usual.get(line.size, usual)
        if drop > _NEW_GAP * usual:
            return True
        clear = line.size in self._even and drop > _EVEN_GAP * usual
        return clear and ends_sentence(above)


def _drops(pairs: Iterable[tuple[Line, Line]]) -> Mapping[float, list[float]]:
    """How far lines are below those before them, by size of type."""
    found: dict[float, list[float]] = defaultdict(list)
    for above, line in pairs:
        drop = above.base - line.base
        if above.size == line.size and 0.7 * line.size < drop < 2.5 * line.size:
            found[line.size].append(drop)
    return found


def _most(lines: Iterable[Line]) -> float:
    """The size of most letters."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    return max(letters, key=lambda size: letters[size], default=0.0)


def _may_end(region: Region, above: Line, line: Line) -> bool:
    """Whether the line before ends a sentence, and stops where the next word had found room."""
    return _has_room(region, above, line) and ends_sentence(above)


def _has_room(region: Region, above: Line, line: Line) -> bool:
    return region.room(above) > line.first + SPACE * line.size


def is_indented(region: Region, above: Line, line: Line) -> bool:
    """Whether a line is set in from the one above, and does not hang under an item's mark."""
    if line.left - above.left <= INDENT * line.size:
        return False
    return not BULLET.match(above.text) or _may_end(region, above, line)


def sizes_differ(one: Line, other: Line) -> bool:
    """Whether the type of two lines is of two sizes."""
    return max(one.size, other.size) > min(one.size, other.size) * (1 + NEW_SIZE)


def ends_sentence(line: Line) -> bool:
    """Whether a line ends as a sentence does."""
    return bool(_SENTENCE_END.search(line.text[-_CLOSE:]))
