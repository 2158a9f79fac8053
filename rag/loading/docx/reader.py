"""DOCX: the body of a Word document as paragraphs, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.docx.numbering import Numbering, numeral
from rag.loading.docx.styles import Styles
from rag.loading.docx.tables import arranges, grid, row_cells, table_rows
from rag.loading.docx.text import Reference, Words
from rag.loading.docx.xml import W, child, shown, value
from rag.loading.metadata import language_tag, one_line
from rag.loading.office import Package
from rag.loading.rendering import single_spaced
from rag.loading.story import Story
from rag.loading.table_looks import CellText
from rag.loading.tables import lines
from rag.loading.zipped import is_zip, members
from rag.types import Parsed

_COUNTED = {"footnote": "decimal", "endnote": "lowerRoman"}  # unless the file says otherwise


class DocxReader:
    """Reads .docx: headings by their styles, lists with their numbers, tables row by row.

    A footnote follows the paragraph that refers to it, endnotes stand at the end, both with their
    number. Inserted words are read, deleted ones are not. Left out are headers and footers, which
    say the same on every page, the table of contents, comments, charts, diagrams, and what pictures
    show. There are no pages: Word makes them anew each time that it opens a file.
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


class _Story(Story):
    """The body, and where it refers to them the notes."""

    def __init__(self, package: Package, styles: Styles) -> None:
        super().__init__()
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

    def shown(self, parent: etree._Element) -> Iterator[etree._Element]:
        return shown(parent)

    def block(self, element: etree._Element) -> None:
        if element.tag == W + "tbl":
            self._table(element)
        elif element.tag == W + "p" and not self._styles.lists_contents(element):
            line, _ = self._line(element)
            self.rendering.add(line, self._styles.heading_level(element))

    def _table(self, table: etree._Element) -> None:
        self.end_paragraph()
        if arranges(table, self._styles):
            for row in table_rows(table):
                for cell in row_cells(row):
                    self.read(cell)
            return
        for line in lines(grid(table, self._styles, self._cell)):
            self.rendering.add(line)

    def _cell(self, cell: etree._Element) -> CellText:
        found = [self._line(p) for p in shown(cell) if p.tag == W + "p"]
        found.append((self.before, True))
        self.before = ""
        with_words = [(line, bold) for line, bold in found if line]
        text = " ".join(" ".join(line.split()) for line, _ in with_words)
        return CellText(text, all(bold for _, bold in with_words))

    def _line(self, paragraph: etree._Element) -> tuple[str, bool]:
        """A paragraph's words with its number, and whether they are bold.

        Where its end was deleted they are kept for the next paragraph, and there are none.
        """
        words = Words()
        words.add(paragraph)
        for box in words.boxes:
            self.hang(box)
        text = "".join(p if isinstance(p, str) else self._mark(p) for p in words.pieces)
        if _goes_on(paragraph):
            self.before += text
            return "", False
        label = self._numbering.label(paragraph)
        text = single_spaced(self.before + text)
        self.before = ""
        bold = words.bold or self._styles.is_bold(paragraph)
        return (label + text if text else ""), bold

    def _mark(self, reference: Reference) -> str:
        """What stands in the text for a note, which is read after the block or at the end."""
        kind, key = reference.kind, (reference.kind, reference.name)
        note = self._notes[kind].get(reference.name)
        if note is None:
            return ""
        if key not in self._marks:
            self._marks[key] = mark = "" if reference.marked else self._numbered(kind)
            self.hang(note, mark, at_the_end=kind == "endnote")
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
