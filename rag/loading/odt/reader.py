"""ODT: the text of an OpenDocument file as paragraphs, in the order in which it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.formulas import on_one_line
from rag.loading.metadata import iso_date, language_tag, one_line
from rag.loading.numerals import whole
from rag.loading.odt.styles import DRAW, OFFICE, OUTLINE, TABLE, TEXT, OdtLists, OdtStyles
from rag.loading.odt.tables import arranges, grid, table_cells, table_rows
from rag.loading.odt.text import Inline
from rag.loading.rendering import single_spaced
from rag.loading.story import Story
from rag.loading.table_looks import CellText
from rag.loading.tables import lines
from rag.loading.xml_tree import local, parsed_xml
from rag.loading.zipped import Members, is_zip, members
from rag.types import Parsed

_KIND = b"application/vnd.oasis.opendocument.text"
# OpenOffice put one before each formula: it names a DTD and declares nothing.
_DOCTYPE = re.compile(rb"<!DOCTYPE[^<>\[\]]{0,300}>")
_PARAGRAPHS = (TEXT + "p", TEXT + "h")
_ITEMS = (TEXT + "list-header", TEXT + "list-item")
# What repeats the text's own words, and what was deleted.
_NEVER = frozenset(
    TEXT + name
    for name in (
        *("tracked-changes", "table-of-content", "alphabetical-index", "illustration-index"),
        *("object-index", "table-index", "user-index"),
    )
)
_WRAPPERS = frozenset(
    TEXT + name
    for name in ("bibliography", "index-body", "index-title", "note-body", "numbered-paragraph")
)


class OdtReader:
    """Reads .odt: headings by their level, lists with their numbers, tables row by row.

    A footnote follows the paragraph that refers to it, endnotes stand at the end, both with their
    number. Left out are headers and footers, which say the same on every page, the table of
    contents and other indexes, deleted words, comments, and what pictures show. There are no
    pages: LibreOffice makes them anew each time that it opens a file.
    """

    loader = "odt/1"
    extensions = frozenset({".odt", ".ott"})

    def matches(self, data: bytes) -> bool:
        if not is_zip(data):
            return False
        files = members(data)
        return "mimetype" in files and files["mimetype"].strip().startswith(_KIND)

    def read(self, data: bytes) -> Parsed:
        files = members(data)
        if b"encryption-data" in _part(files, "META-INF/manifest.xml"):
            raise FileRefused("encrypted: open it, remove the password, and add it again")
        content = parsed_xml(_part(files, "content.xml"))
        styles = OdtStyles(
            *(parsed_xml(files["styles.xml"]) for _ in range("styles.xml" in files)), content
        )
        body = content.find(f"{OFFICE}body/{OFFICE}text")
        if body is None:
            raise FileRefused("damaged: it has no text in it; open it and save it afresh")
        story = _Story(files, styles)
        story.read(body)
        story.end()
        rendering, about = story.rendering, _about(files)
        if not rendering.offset:
            raise FileRefused("no text came out: is it made of pictures? run OCR on them first")
        first = rendering.headings[0].text if rendering.headings else None
        return Parsed(
            text=rendering.text,
            loader=self.loader,
            title=one_line(about.get("title")) or one_line(first),
            date=iso_date(about.get("date")) or iso_date(about.get("creation-date")),
            language=language_tag(about.get("language") or styles.language),
            headings=rendering.headings,
        )


class _Story(Story):
    """The body, with its notes and shapes."""

    def __init__(self, files: Members, styles: OdtStyles) -> None:
        super().__init__()
        self._files = files
        self._styles = styles
        self._lists = OdtLists(styles.lists)

    def shown(self, parent: etree._Element) -> Iterator[etree._Element]:
        for element in parent:
            tag = element.tag
            if tag in _WRAPPERS or tag.startswith(DRAW):
                yield from self.shown(element)
            elif tag == TEXT + "section":
                if element.get(TEXT + "display") != "none":
                    yield from self.shown(element)
            elif tag not in _NEVER:
                yield element

    def block(self, element: etree._Element) -> None:
        if element.tag in _PARAGRAPHS:
            self._paragraph(element)
        elif element.tag == TEXT + "list":
            for paragraph, label in self._items(element):
                self._paragraph(paragraph, label)
                self.read_hanging()
        elif element.tag == TABLE + "table":
            self._table(element)

    def _paragraph(self, element: etree._Element, label: str = "") -> None:
        line, _ = self._line(element, label)
        level = None
        if element.tag == TEXT + "h":
            level = whole(element.get(TEXT + "outline-level"), 1) or 1
        elif self._styles.is_title(element):
            level = 1
        self.rendering.add(line, level)

    def _line(self, element: etree._Element, label: str = "") -> tuple[str, bool]:
        """A paragraph's words after its number, and whether they are bold."""
        inline = Inline(element, self._styles, self._formula)
        for box in inline.boxes:
            self.hang(box)
        for mark, note in inline.notes:
            self.hang(note, mark, note.get(TEXT + "note-class") == "endnote")
        if element.tag == TEXT + "h" and not label:
            label = self._number(element)
        text = single_spaced(inline.text)
        line = self.before + label + text if text else ""
        self.before = "" if text else self.before
        return line, inline.bold

    def _formula(self, name: str) -> str:
        """A formula that is a file of its own; of any other object, such as a chart, nothing."""
        part = f"{name.removeprefix('./').rstrip('/')}/content.xml"
        if part not in self._files:
            return ""
        root = parsed_xml(_DOCTYPE.sub(b"", self._files[part], count=1))
        return on_one_line(root) if local(root) == "math" else ""

    def _number(self, heading: etree._Element) -> str:
        if heading.get(TEXT + "is-list-header") == "true":
            return ""
        style = self._styles.list_style(heading) or OUTLINE
        start = heading.get(TEXT + "start-value")
        return self._lists.label(style, whole(heading.get(TEXT + "outline-level"), 1), start)

    def _items(
        self, element: etree._Element, outer: str = "", level: int = 1
    ) -> Iterator[tuple[etree._Element, str]]:
        """The paragraphs of a list and of those in it, each with its number."""
        style = element.get(TEXT + "style-name", outer)
        if level == 1:
            self._lists.begin(element, style)
        for item in element.iterchildren(*_ITEMS):
            counted = item.tag == TEXT + "list-item"
            for inner in self.shown(item):
                if inner.tag == TEXT + "list":
                    yield from self._items(inner, style, level + 1)
                elif inner.tag in _PARAGRAPHS:
                    start = item.get(TEXT + "start-value")
                    yield inner, self._lists.label(style, level, start) if counted else ""
                    counted = False
                else:
                    self.block(inner)

    def _table(self, table: etree._Element) -> None:
        if arranges(table):
            for row in table_rows(table):
                for cell, _ in table_cells(row):
                    self.read(cell)
            return
        for line in lines(grid(table, self._cell)):
            self.rendering.add(line)

    def _cell(self, cell: etree._Element) -> CellText:
        found: list[tuple[str, bool]] = []
        for element in self.shown(cell):
            if element.tag in _PARAGRAPHS:
                found.append(self._line(element))
            elif element.tag == TEXT + "list":
                found += [self._line(inner, label) for inner, label in self._items(element)]
        with_words = [(line, bold) for line, bold in found if line]
        text = " ".join(" ".join(line.split()) for line, _ in with_words)
        return CellText(text, all(bold for _, bold in with_words))


def _part(files: Members, name: str) -> bytes:
    if name not in files:
        raise FileRefused(f"damaged: {name} in it is missing; open it and save it afresh")
    return files[name]


def _about(files: Members) -> dict[str, str | None]:
    """What the file says about itself, by name."""
    if "meta.xml" not in files:
        return {}
    found = parsed_xml(files["meta.xml"]).find(OFFICE + "meta")
    return {} if found is None else {local(element): element.text for element in found}


READER: FormatReader = OdtReader()
