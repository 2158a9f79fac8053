"""The words of a DOCX paragraph, as a reader sees them."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from rag.loading.docx.xml import W, is_on, shown, value
from rag.loading.formulas import on_one_line
from rag.loading.office import MATHS
from rag.loading.rendering import raised
from rag.loading.xml_tree import local

_LETTERS = {"tab": "\t", "ptab": "\t", "cr": "\n", "noBreakHyphen": "-"}
# Of Wingdings: what Word draws for ticks, boxes and arrows.
_SYMBOLS = {
    "\uf06f": "☐", "\uf0a8": "☐", "\uf0e0": "→", "\uf0fb": "✗", "\uf0fc": "✓", "\uf0fd": "☒",
    "\uf0fe": "☑",
}  # fmt: skip
_NOTES = {"footnoteReference": "footnote", "endnoteReference": "endnote"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in the text that refers to a note: which kind, and the note's id."""

    kind: str
    name: str
    marked: bool
    """Whether the text itself has a mark for it, so that it gets no number."""


@dataclass(slots=True)
class Words:
    """What a paragraph holds: its pieces in order, and the text boxes that hang on it."""

    pieces: list[str | Reference] = field(default_factory=list)
    boxes: list[etree._Element] = field(default_factory=list)
    bold: bool = True
    """Whether all its words are set in bold by themselves."""

    def add(self, element: etree._Element) -> None:
        """Takes in everything under an element that is shown."""
        for inner in shown(element):
            self._take(inner)

    def _take(self, element: etree._Element) -> None:
        tag = element.tag
        if tag == W + "t":
            self.pieces.append(element.text or "")
        elif tag == W + "r":
            self._run(element)
        elif tag == W + "txbxContent":
            self.boxes.append(element)
        elif tag.startswith(W):
            self._mark(element, local(element))
        elif tag == MATHS + "oMath":
            self.pieces.append(on_one_line(element))
        else:
            self.add(element)

    def _run(self, run: etree._Element) -> None:
        if is_on(run, "rPr", "vanish"):
            return
        first = len(self.pieces)
        self.add(run)
        new = self.pieces[first:]
        if any(isinstance(piece, str) and piece.strip() for piece in new):
            self.bold = self.bold and bool(is_on(run, "rPr", "b"))
        if value(run, "rPr", "vertAlign") == "superscript":
            self.pieces[first:] = [raised(p) if isinstance(p, str) else p for p in new]

    def _mark(self, element: etree._Element, name: str) -> None:
        if name in _LETTERS:
            self.pieces.append(_LETTERS[name])
        elif name == "br":
            breaks_page = element.get(W + "type") in ("page", "column")
            self.pieces.append(" " if breaks_page else "\n")
        elif name == "sym":
            self.pieces.append(_symbol(element.get(W + "char") or ""))
        elif name in _NOTES:
            marked = element.get(W + "customMarkFollows") in ("1", "true", "on")
            self.pieces.append(Reference(_NOTES[name], element.get(W + "id", ""), marked))
        else:
            self.add(element)


def _symbol(code: str) -> str:
    """A letter by its code; of those that only a font of symbols has, the usual ones."""
    try:
        letter = chr(int(code, 16))
    except (ValueError, OverflowError):
        return ""
    return _SYMBOLS.get(letter, "" if "\ue000" <= letter <= "\uf8ff" else letter)
