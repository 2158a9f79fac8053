"""The words and lines of print on a PDF page, and where they stand.

Positions are in points, 1/72 inch, counted from the lower left corner of the page as it is read:
a page whose text runs up or down its side is turned first.
"""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium
from pypdfium2 import raw

HYPHEN = "\x02"
"""What pdfium writes for a hyphen that ends a line, the line's end swallowed."""

_HYPHEN_IN_ALL = "\ufffe"  # the same, where it is asked for all letters of a page
BULLET = re.compile(r"(?:[•◦▪‣·∙●○■–—*-]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s")
"""What begins an item of a list."""

_STRETCH = re.compile(rf"[^\r\n{HYPHEN}]+{HYPHEN}?")
_ACCENTS = {"¨": "\u0308", "´": "\u0301", "ˆ": "\u0302", "˜": "\u0303", "¸": "\u0327",
            "˚": "\u030a", "ˇ": "\u030c"}  # fmt: skip
_ACCENTED = re.compile(rf"([{''.join(_ACCENTS)}])([A-Za-z])")
_WORD = re.compile(r"\S+")
_SAME_HEIGHT = 0.1  # points
_LAST_CODE = 0x10FFFF
_PART = 0.9  # sizes; words farther apart on one line may stand in different columns or cells
_BOLD = re.compile(r"bold|black|heavy|demi|cmbx|-bd", re.I)
_QUARTER = math.pi / 2
_FONT_NAME = 128  # bytes of a font's name that are looked at


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its box; `base` is where its letters stand, `size` the height of their type.

    `bold` is that of the first and the last word of its line.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of print, or the part of one that a wide gap sets off.

    `size` is that of most of its letters: neither a footnote's mark nor one word in another font
    changes it. `first` is the width of its first word. `row` is set for what never joins other
    lines, such as a row of a table. `heading` is the level of the outline's entry that it belongs
    to, and a number that tells neighbouring entries apart.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    first: float
    bold: bool = False
    row: bool = False
    heading: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Print:
    """What is printed on a page: the words of each line or part of one, and those set across them.

    `turn` is how many quarters the page was turned to the right so that its text is level.
    """

    parts: Sequence[Sequence[Word]]
    across: Sequence[Sequence[Word]]
    turn: int
    bottom: float
    top: float


def line_of(words: Sequence[Word]) -> Line:
    """The line that neighbouring words make."""
    sizes: Counter[float] = Counter()
    for word in words:
        sizes[word.size] += len(word.text)
    return Line(
        " ".join(word.text for word in words),
        left=min(word.left for word in words),
        right=max(word.right for word in words),
        base=min(words[0].base, words[-1].base),
        size=max(sizes, key=lambda size: sizes[size]),
        first=words[0].right - words[0].left,
        bold=all(word.bold for word in words),
    )


def print_of(page: pdfium.PdfPage) -> Print:
    """Raises `PdfiumError`."""
    opened = page.get_textpage()
    letters = _Letters(opened)
    stretches = list(letters.stretches())
    weights: Counter[int] = Counter()
    for stretch in stretches:
        weights[stretch.turn] += len(stretch.text)
    turn = max(weights, key=lambda one: weights[one], default=0)
    level: list[list[Word]] = []
    across: list[list[Word]] = []
    for stretch in stretches:
        words = list(letters.words(stretch))
        if stretch.turn != turn:
            across.append(words)
        else:
            level += _parts(words)
    opened.close()  # now: a book's pages would otherwise pile up in memory
    left, bottom, right, top = page.get_bbox()
    heights = [turned(x, y, turn)[1] for x in (left, right) for y in (bottom, top)]
    return Print(level, across, turn, min(heights), max(heights))


def turned(x: float, y: float, turn: int) -> tuple[float, float]:
    """A point after so many quarters to the right around the origin."""
    for _ in range(turn):
        x, y = y, -x
    return x, y


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Letters that pdfium takes for one line, from number `start` on."""

    start: int
    text: str
    turn: int


class _Letters:
    """What pdfium knows of each letter of a page, asked for with as few objects as possible."""

    def __init__(self, page: pdfium.PdfTextPage) -> None:
        self._page, self._count = page.raw, page.count_chars()
        self._rect, self._matrix = raw.FS_RECTF(), raw.FS_MATRIX()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._name = ctypes.create_string_buffer(_FONT_NAME)

    def stretches(self) -> Iterator[_Stretch]:
        """What pdfium takes for lines."""
        text = self._text()
        for found in _STRETCH.finditer(text):
            words = found[0].strip()
            if words:
                start = text.index(words, found.start())
                angle = raw.FPDFText_GetCharAngle(self._page, start)
                yield _Stretch(start, words, round(-angle / _QUARTER) % 4)

    def _text(self) -> str:
        """All letters, one by one only where pdfium leaves some out when asked for all of them."""
        units = (ctypes.c_ushort * (self._count + 1))()
        written = raw.FPDFText_GetText(self._page, 0, self._count, units)
        text = bytes(units).decode("utf-16-le", "replace")[:-1]
        if written == self._count + 1 and len(text) == self._count:
            return text.replace(_HYPHEN_IN_ALL, HYPHEN)
        codes = [raw.FPDFText_GetUnicode(self._page, n) for n in range(self._count)]
        return "".join(chr(code) if code <= _LAST_CODE else "\ufffd" for code in codes)

    def words(self, stretch: _Stretch) -> Iterator[Word]:
        """The words of a stretch, on the page turned so that it is level."""
        places = [
            (stretch.start + found.start(), stretch.start + found.end() - 1, found[0])
            for found in _WORD.finditer(stretch.text)
        ]
        bold = self._is_bold(places[0][0]) and self._is_bold(places[-1][0])
        height = size = 0.0
        for first, last, text in places:
            left, low, right, high = self._box(first, stretch.turn)
            if last > first:
                box = self._box(last, stretch.turn)
                left, low = min(left, box[0]), min(low, box[1])
                right, high = max(right, box[2]), max(high, box[3])
            if abs(high - low - height) > _SAME_HEIGHT:
                height, size = high - low, self._size(first, high - low)
            text = _ACCENTED.sub(_composed, text)  # noqa: PLW2901 - the same word
            yield Word(text, left, right, self._base(first, stretch.turn), size, bold)

    def _box(self, number: int, turn: int) -> tuple[float, float, float, float]:
        """From left, bottom, right and top of a letter's place in its font."""
        rect = self._rect
        raw.FPDFText_GetLooseCharBox(self._page, number, rect)
        if not turn:
            return rect.left, rect.bottom, rect.right, rect.top
        x, y = turned(rect.left, rect.bottom, turn)
        end_x, end_y = turned(rect.right, rect.top, turn)
        return min(x, end_x), min(y, end_y), max(x, end_x), max(y, end_y)

    def _base(self, number: int, turn: int) -> float:
        raw.FPDFText_GetCharOrigin(self._page, number, self._x, self._y)
        return turned(self._x.value, self._y.value, turn)[1] if turn else self._y.value

    def _size(self, number: int, height: float) -> float:
        """The size of type in half points; its box's height where its font's own means little."""
        raw.FPDFText_GetMatrix(self._page, number, self._matrix)
        scale = math.hypot(self._matrix.c, self._matrix.d)
        size = raw.FPDFText_GetFontSize(self._page, number) * scale
        return max(1.0, round(2 * (size if height / 2 < size < height * 1.5 else height)) / 2)

    def _is_bold(self, number: int) -> bool:
        self._name[0] = b"\0"
        raw.FPDFText_GetFontInfo(self._page, number, self._name, _FONT_NAME, None)
        return bool(_BOLD.search(self._name.value.decode("latin-1")))


def _composed(found: re.Match[str]) -> str:
    """One letter of an accent that is printed over the letter after it, where there is one."""
    letter = unicodedata.normalize("NFC", found[2] + _ACCENTS[found[1]])
    return letter if len(letter) == 1 else found[0]


def _parts(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words of a line up to each wide gap."""
    part: list[Word] = []
    for word in words:
        if part and not -word.size < word.left - part[-1].right < _PART * word.size:
            yield part
            part = []
        part.append(word)
    if part:
        yield part
