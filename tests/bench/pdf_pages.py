"""PDFs with known paragraphs: made at random from a seed, laid out here line by line.

Fonts, sizes, margins, justified or ragged lines, gaps or indents between paragraphs, headers and
footers, page numbers, headings, lists and broken words vary from seed to seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fpdf import FPDF

_CORPUS = Path(__file__).parents[2] / "data" / "corpus"
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_PIECES = re.compile(r"(?<=\w-)(?=\w)")
_SYLLABLE = re.compile(r"(?<=[a-z][aeiouy])(?=[bcdfghjklmnpqrstvwz][aeiouy][a-z])|"
                       r"(?<=[aeiouy][bcdfgklmnprst])(?=[bcdfgkmnpst][aeiouy][a-z])")  # fmt: skip
_COMPOUNDS = ("well-known", "long-term", "second-hand", "two-year", "north-eastern", "self-made")


@dataclass(frozen=True, slots=True)
class Made:
    """A PDF, and its paragraphs, headings and list items in the order of reading."""

    data: bytes
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph before it is laid out."""

    text: str
    kind: str = "paragraph"  # or "heading" or "item"


@cache
def sentences() -> tuple[str, ...]:
    """The sample corpus's sentences of plain text and Markdown that core fonts can show."""
    found = []
    for file in sorted([*_CORPUS.rglob("*.txt"), *_CORPUS.rglob("*.md")]):
        for paragraph in re.split(r"\n\s*\n", file.read_text("utf-8")):
            if paragraph[0].isalpha() and not set("|`*#[_") & set(paragraph):
                found += _SENTENCE.split(" ".join(paragraph.split()))
    return tuple(s for s in found if s.isascii() and len(s) > 30 and s[-1] in ".!?")


def content(chance: random.Random, blocks: int) -> Iterator[Block]:
    """Paragraphs of one to eight sentences, now and then a heading or a list."""
    while blocks > 0:
        if chance.random() < 0.15:
            words = chance.choice(sentences()).rstrip(".!?").split()[: chance.randint(1, 6)]
            yield Block(" ".join(words).rstrip(",;:"), "heading")
            blocks -= 1
        if chance.random() < 0.08:
            mark = chance.choice(["- ", "* ", "%d. ", "(%d) "])
            for number in range(1, chance.randint(3, 5)):
                text = _sentences(chance, 1, 1)
                yield Block((mark % number if "%" in mark else mark) + text, "item")
                blocks -= 1
        yield Block(_sentences(chance, 1, 8))
        blocks -= 1


def _sentences(chance: random.Random, fewest: int, most: int) -> str:
    picked = chance.sample(sentences(), chance.randint(fewest, most))
    text = " ".join(picked)
    if chance.random() < 0.3:
        text = text.replace(" a ", f" a {chance.choice(_COMPOUNDS)} ", 1)
    if chance.random() < 0.1:
        year = chance.randint(1950, 2020)
        text += f" This was so in {year}-{year + chance.randint(1, 9)}, and later."
    return text


@dataclass(frozen=True, slots=True)
class Style:
    """How a document looks; lengths in points."""

    columns: int
    page: str
    font: str
    size: float
    leading: float
    margin: float
    top: float
    gutter: float
    justified: bool
    hyphenated: bool
    gap: float
    indent: float
    heading: float
    title: bool
    header: str
    footer: str
    by_rows: bool

    @classmethod
    def drawn(cls, chance: random.Random, columns: int) -> Style:
        size = chance.choice([8, 9, 9.5, 10, 11, 12]) if columns == 1 else chance.uniform(7.5, 10)
        gap = chance.choice([0, 0.4, 0.5, 0.8, 1.0])
        return cls(
            columns=columns,
            page=chance.choice(["A4", "Letter"]),
            font=chance.choice(["Helvetica", "Times", "Times", "Courier"][: 5 - columns]),
            size=size,
            leading=size * chance.uniform(1.1, 1.6),
            margin=chance.uniform(42, 90) if columns == 1 else chance.uniform(36, 60),
            top=chance.uniform(60, 90),
            gutter=chance.uniform(1.6, 3) * size,
            justified=chance.random() < 0.6,
            hyphenated=chance.random() < 0.6,
            gap=gap,
            indent=chance.choice([1.0, 1.5, 2.0]) if gap == 0 or chance.random() < 0.2 else 0,
            heading=chance.choice([1.0, 1.15, 1.3, 1.5]),
            title=chance.random() < 0.6,
            header=chance.choice(["", "", "{title}", "{title}|{n}", "{side}", "{chapter}"]),
            footer=chance.choice(["", "{n}", "Page {n}", "- {n} -", "{n} / {total}", "3 May|{n}"]),
            by_rows=columns > 1 and chance.random() < 0.1,
        )  # fmt: skip


@dataclass(slots=True)
class _Layout:
    """A document under way: what stands on each page, and where the next line goes."""

    style: Style
    pdf: FPDF
    pages: list[list[tuple[float, float, list[str], str, float, float]]] = field(
        default_factory=list
    )
    column: int = 0
    y: float = 0.0
    starts: float = 0.0
    floor: float = 0.0

    @property
    def width(self) -> float:
        style = self.style
        room = self.pdf.w - 2 * style.margin - (style.columns - 1) * style.gutter
        return room / style.columns

    @property
    def left(self) -> float:
        return self.style.margin + self.column * (self.width + self.style.gutter)

    def next_page(self) -> None:
        self.pages.append([])
        self.column, self.starts = 0, self.style.top
        self.y, self.floor = self.starts, self.pdf.h - self.style.top

    def next_column(self) -> None:
        if self.column + 1 < self.style.columns:
            self.column += 1
            self.y = self.starts
            self.floor = self.pdf.h - self.style.top
        else:
            self.next_page()

    def put(self, words: list[str], x: float, look: str, size: float, stretch: float) -> None:
        self.pages[-1].append((x, self.y, words, look, size, stretch))


def make(seed: int, columns: int, blocks: int = 60) -> Made:
    """The document of a seed."""
    chance = random.Random(seed * 10 + columns)  # noqa: S311 - nothing secret
    style = Style.drawn(chance, columns)
    pdf = FPDF(unit="pt", format=style.page)
    pdf.set_auto_page_break(False)
    layout = _Layout(style, pdf)
    layout.next_page()
    expected = []
    title = "Report of the northern survey"
    if style.title:
        _line(layout, title, style.margin, size=style.size * 1.8)
        layout.y += style.size
        layout.starts = layout.y
        expected.append(title)
    expected += [_set(layout, block) for block in content(chance, blocks)]
    _draw(layout, title)
    return Made(bytes(pdf.output()), tuple(expected))


def _line(layout: _Layout, text: str, x: float, size: float, look: str = "B") -> None:
    layout.put(text.split(), x, look, size, 0)
    layout.y += size * 1.2


def _set(layout: _Layout, block: Block) -> str:
    """Sets a block and returns the words of it that were set."""
    style = layout.style
    if block.kind == "heading":
        return _set_heading(layout, block.text)
    if layout.y > layout.starts:
        layout.y += style.gap * style.leading
    first = style.indent * style.size if block.kind == "paragraph" else 0
    hanging = 1.5 * style.size if block.kind == "item" and style.indent == 0 else 0
    _set_lines(layout, block.text, first, hanging)
    return block.text


def _set_heading(layout: _Layout, text: str) -> str:
    style = layout.style
    size = style.size * style.heading
    if layout.floor - layout.y < size * 1.2 + 4 * style.leading:
        layout.next_column()
    if layout.y > layout.starts:
        layout.y += style.leading * 0.7
    layout.pdf.set_font(style.font, "B", size)
    words = text.split()
    while len(words) > 1 and layout.pdf.get_string_width(" ".join(words)) > layout.width:
        words.pop()
    _line(layout, " ".join(words), layout.left, size)
    layout.y += style.leading * 0.3
    return " ".join(words)


def _set_lines(layout: _Layout, text: str, first: float, hanging: float) -> None:
    style = layout.style
    layout.pdf.set_font(style.font, "", style.size)
    lines = list(_broken(layout, text, first, hanging))
    for number, words in enumerate(lines):
        if layout.y + style.leading > layout.floor:
            layout.next_column()
        inset = first if number == 0 else hanging
        last = number == len(lines) - 1
        width = sum(map(layout.pdf.get_string_width, words))
        room = layout.width - inset - width
        space = room / (len(words) - 1) if style.justified and not last and len(words) > 1 else 0
        layout.put(words, layout.left + inset, "", style.size, space)
        layout.y += style.leading


def _broken(layout: _Layout, text: str, first: float, hanging: float) -> Iterator[list[str]]:
    """The lines of a paragraph, each as full as it can be."""
    measure, space = layout.pdf.get_string_width, layout.pdf.get_string_width(" ")
    line: list[str] = []
    room, glued = layout.width - first, False
    for word in text.split():
        for number, piece in enumerate(_PIECES.split(word)):
            glued = number > 0
            before = 0 if glued or not line else space
            if measure(piece) + before <= room:
                room -= measure(piece) + before
                line = [*line[:-1], line[-1] + piece] if glued else [*line, piece]
                continue
            head = _head(layout, piece, room - before) if layout.style.hyphenated else ""
            if head:
                line = [*line[:-1], line[-1] + head] if glued else [*line, head]
                piece = piece.removeprefix(head.removesuffix("-"))  # noqa: PLW2901
            yield line
            line, room = [piece], layout.width - hanging - measure(piece)
    yield line


def _head(layout: _Layout, word: str, room: float) -> str:
    """As many syllables of a word as fit, with a hyphen."""
    heads = [word[: found.start()] + "-" for found in _SYLLABLE.finditer(word)]
    fit = [h for h in heads if len(h) > 2 and layout.pdf.get_string_width(h) <= room]
    return fit[-1] if fit else ""


def _draw(layout: _Layout, title: str) -> None:
    pdf, style = layout.pdf, layout.style
    for number, page in enumerate(layout.pages, start=1):
        pdf.add_page()
        names = {
            "n": number,
            "total": len(layout.pages),
            "title": title,
            "side": title if number % 2 else f"Chapter {1 + number // 6}",
            "chapter": f"{1 + number // 4} Observations of {1900 + number // 4}",
        }
        pdf.set_font(style.font, "", style.size * 0.85)
        _furniture(pdf, style, style.header.format(**names), style.top / 2)
        _furniture(pdf, style, style.footer.format(**names), pdf.h - style.top / 2)
        rows = sorted(page, key=lambda put: (put[1], put[0])) if style.by_rows else page
        for x, y, words, look, size, stretch in rows:
            pdf.set_font(style.font, look, size)
            _print(pdf, words, x, y + size, stretch)


def _furniture(pdf: FPDF, style: Style, text: str, y: float) -> None:
    left, bar, right = text.partition("|")
    if bar:
        pdf.text(style.margin, y, left)
        pdf.text(pdf.w - style.margin - pdf.get_string_width(right), y, right)
    elif text:
        pdf.text((pdf.w - pdf.get_string_width(text)) / 2, y, text)


def _print(pdf: FPDF, words: Sequence[str], x: float, y: float, stretch: float) -> None:
    if not stretch:
        pdf.text(x, y, " ".join(words))
        return
    for word in words:
        pdf.text(x, y, word)
        x += pdf.get_string_width(word) + stretch
