"""The words of an OpenDocument paragraph, as a reader sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from rag.loading.numerals import whole
from rag.loading.odt.styles import DRAW, OFFICE, TEXT, OdtStyles
from rag.loading.rendering import raised

_HREF = "{http://www.w3.org/1999/xlink}href"
_SPACES = 100  # the most that one element stands for
_LETTERS = {TEXT + "tab": "\t", TEXT + "line-break": "\n"}
_NEVER = frozenset(
    (OFFICE + "annotation", OFFICE + "annotation-end", TEXT + "ruby-text", TEXT + "hidden-text")
)


class Inline:
    """Takes a paragraph apart: its words, and the notes and shapes that hang on it."""

    def __init__(
        self, paragraph: etree._Element, styles: OdtStyles, formula: Callable[[str], str]
    ) -> None:
        """`formula` gives the words of an object in the file by its name."""
        self._styles = styles
        self._formula = formula
        self._bold = styles.is_bold(paragraph)
        self.notes: list[tuple[str, etree._Element]] = []
        """Each with its mark in the text."""
        self.boxes: list[etree._Element] = []
        self.bold = True
        """Whether all words are bold."""
        self.text = "".join(self._words(paragraph, bold=self._bold, lifted=False))

    def _words(self, parent: etree._Element, bold: bool, lifted: bool) -> Iterator[str]:
        yield self._piece(parent.text, bold, lifted)
        for element in parent:
            yield from self._inner(element, bold, lifted)
            yield self._piece(element.tail, bold, lifted)

    def _inner(self, element: etree._Element, bold: bool, lifted: bool) -> Iterator[str]:
        tag = element.tag
        if tag in _NEVER or (tag == TEXT + "span" and self._styles.is_hidden(element)):
            return
        if tag in _LETTERS:
            yield _LETTERS[tag]
        elif tag == TEXT + "s":
            yield " " * min(whole(element.get(TEXT + "c"), 1), _SPACES)
        elif tag == TEXT + "note":
            yield self._note(element)
        elif tag.startswith(DRAW) and tag != DRAW + "a":
            self.boxes.append(element)
            for held in element.iterchildren(DRAW + "object"):
                yield self._formula(held.get(_HREF, ""))
        else:
            is_span = tag == TEXT + "span"
            bold = bold or (is_span and self._styles.is_bold(element))
            lifted = lifted or (is_span and self._styles.is_raised(element))
            yield from self._words(element, bold, lifted)

    def _piece(self, text: str | None, bold: bool, lifted: bool) -> str:
        words = (text or "").replace("\n", " ")  # only an element breaks a line
        if words.strip():
            self.bold = self.bold and bold
        return raised(words) if lifted else words

    def _note(self, note: etree._Element) -> str:
        citation, body = (note.find(TEXT + name) for name in ("note-citation", "note-body"))
        number = "" if citation is None else " ".join((citation.text or "").split())
        mark = f"[{number}]" if number else ""
        if body is not None:
            self.notes.append((mark, note))
        return mark
