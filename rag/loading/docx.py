"""DOCX: the body of a Word document as paragraphs, in the order in which it is read."""

from __future__ import annotations

from collections import deque

from lxml import etree

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.docx_numbering import Numbering, numeral
from rag.loading.docx_styles import Styles
from rag.loading.docx_tables import Words as CellWords
from rag.loading.docx_tables import arranges, grid, row_cells, table_rows
from rag.loading.docx_text import Reference, Words
from rag.loading.docx_xml import W, child, shown, value
from rag.loading.metadata import language_tag, one_line
from rag.loading.office import Package
from rag.loading.rendering import Rendering, single_spaced
from rag.loading.tables import lines
from rag.loading.zipped import is_zip, members
from rag.types import Parsed

_COUNTED = {"footnote": "decimal", "endnote": "lowerRoman"}  # unless the file says otherwise


class DocxReader:
    """Reads .docx: headings by their styles, lists with their numbers, tables row by row.

    A footnote follows the paragraph that refers to it, endnotes stand at the end, both with their
    number. Inserted words are read, deleted ones are not. Left out are headers and footers, which
    say the same on every page, the table of contents, comments, and what pictures show. There are
    no pages: Word makes them anew each time that it opens a file.
    """

    loader = "docx/1"
    extensions = frozenset({".docx", ".docm"})

    def matches(self, data: bytes) -> bool:
        return is_zip(data) and any(name.startswith("word/") for name in members(data))

    def read(self, data: bytes) -> Parsed:
        package = Package(data)
        body = child(package.root(package.main), "body")
        if body is None:
            raise FileRefused("damaged: it has no body; open it in Word and save it afresh")
        styles = Styles(package.companion("styles"))
        story = _Story(package, styles)
        story.read(body)
        story.end()
        rendering, about = story.rendering, package.properties()
        if not rendering.offset:
            raise FileRefused("no text came out: is it made of pictures? run OCR on them first")
        first = rendering.headings[0].text if rendering.headings else None
        return Parsed(
            text=rendering.text,
            loader=self.loader,
            title=about.title or one_line(first),
            date=about.date,
            language=about.language or language_tag(styles.language),
            headings=rendering.headings,
        )


class _Story:
    """Reads block by block; what hangs on a block, a note or a text box, comes after it."""

    def __init__(self, package: Package, styles: Styles) -> None:
        self.rendering = Rendering()
        self._styles = styles
        self._numbering = Numbering(package.companion("numbering"), styles)
        settings = package.companion("settings")
        self._formats = {
            kind: value(settings, f"{kind}Pr", "numFmt") or usual
            for kind, usual in _COUNTED.items()
        }
        self._notes = {kind: _notes(package.companion(f"{kind}s"), kind) for kind in _COUNTED}
        self._marks: dict[tuple[str, str], str] = {}  # of the notes met so far
        self._count = dict.fromkeys(_COUNTED, 0)
        self._hanging: deque[tuple[str, etree._Element]] = deque()  # each with its mark
        self._endnotes: deque[tuple[str, etree._Element]] = deque()
        self._before = ""  # the next paragraph: a note's mark, or words whose paragraph goes on
        self._busy = False  # with what hangs on a block

    def read(self, parent: etree._Element) -> None:
        """Adds all blocks under an element."""
        for element in shown(parent):
            if element.tag == W + "p":
                self._paragraph(element)
            elif element.tag == W + "tbl":
                self._table(element)
            self._read_hanging()

    def end(self) -> None:
        """Adds what has to come last: the endnotes."""
        self._end_paragraph()
        self._hanging = self._endnotes
        self._read_hanging()

    def _read_hanging(self) -> None:
        if self._busy or self._before:
            return
        self._busy = True
        while self._hanging:
            self._before, element = self._hanging.popleft()
            self.read(element)
            self._before = ""
        self._busy = False

    def _paragraph(self, paragraph: etree._Element) -> None:
        if not self._styles.lists_contents(paragraph):
            line, _ = self._line(paragraph)
            self.rendering.add(line, self._styles.heading_level(paragraph))

    def _table(self, table: etree._Element) -> None:
        self._end_paragraph()
        if arranges(table, self._styles):
            for row in table_rows(table):
                for cell in row_cells(row):
                    self.read(cell)
            return
        for line in lines(grid(table, self._styles, self._cell)):
            self.rendering.add(line)

    def _cell(self, cell: etree._Element) -> CellWords:
        found = [self._line(p) for p in shown(cell) if p.tag == W + "p"]
        found.append((self._before, True))
        self._before = ""
        with_words = [(line, bold) for line, bold in found if line]
        text = " ".join(" ".join(line.split()) for line, _ in with_words)
        return CellWords(text, all(bold for _, bold in with_words))

    def _line(self, paragraph: etree._Element) -> tuple[str, bool]:
        """A paragraph's words with its number, and whether they are bold.

        Where its end was deleted they are kept for the next paragraph, and there are none.
        """
        words = Words()
        words.add(paragraph)
        self._hanging.extend(("", box) for box in words.boxes)
        text = "".join(p if isinstance(p, str) else self._mark(p) for p in words.pieces)
        if _goes_on(paragraph):
            self._before += text
            return "", False
        label = self._numbering.label(paragraph)
        text = single_spaced(self._before + text)
        self._before = ""
        bold = words.bold or self._styles.is_bold(paragraph)
        return (label + text if text else ""), bold

    def _end_paragraph(self) -> None:
        self.rendering.add(single_spaced(self._before))
        self._before = ""

    def _mark(self, reference: Reference) -> str:
        """What stands in the text for a note, which is read after the block or at the end."""
        kind, key = reference.kind, (reference.kind, reference.name)
        note = self._notes[kind].get(reference.name)
        if note is None:
            return ""
        if key not in self._marks:
            self._marks[key] = mark = "" if reference.marked else self._numbered(kind)
            later = self._hanging if kind == "footnote" else self._endnotes
            later.append((mark and f"{mark} ", note))
        return self._marks[key]

    def _numbered(self, kind: str) -> str:
        self._count[kind] += 1
        return f"[{numeral(self._count[kind], self._formats[kind])}]"


def _goes_on(paragraph: etree._Element) -> bool:
    """Whether the end of a paragraph was deleted, so that the next one continues it."""
    mark = child(paragraph, "pPr", "rPr")
    return child(mark, "del") is not None or child(mark, "moveFrom") is not None


def _notes(root: etree._Element | None, kind: str) -> dict[str, etree._Element]:
    notes = [] if root is None else root.findall(W + kind)
    return {note.get(W + "id", ""): note for note in notes}


READER: FormatReader = DocxReader()
