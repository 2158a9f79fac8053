"""What the styles of a DOCX say about its paragraphs and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from rag.loading.docx.xml import W, child, is_on, value
from rag.loading.numerals import whole

_HEADING = re.compile(r"heading ([1-9])")
_CONTENTS = re.compile(r"toc (?:[1-9]|heading)")
_BODY_TEXT = 9  # an outline level that makes no heading
_FIRST = {"firstRow": 0x20, "firstColumn": 0x80}  # bits of a table's look in older files
_CONDITIONS = {"firstRow": "firstRow", "firstColumn": "firstCol"}


class Styles:
    """The styles by id. Ids are in the language of the program that wrote them; names are not."""

    def __init__(self, root: etree._Element | None) -> None:
        styles = [] if root is None else root.findall(W + "style")
        self._by_id = {style.get(W + "styleId", ""): style for style in styles}
        self._default = next(
            (
                style.get(W + "styleId", "")
                for style in styles
                if style.get(W + "type") == "paragraph" and style.get(W + "default") == "1"
            ),
            "",
        )
        self.language = value(child(root, "docDefaults"), "rPrDefault", "rPr", "lang")
        """The language that the document is set in, as it is written there."""

    def style(self, name: str | None) -> etree._Element | None:
        return self._by_id.get(name or "")

    def of(self, paragraph: etree._Element) -> Iterator[etree._Element]:
        """A paragraph's style and those that it is based on, the nearest first."""
        return self._chain(value(paragraph, "pPr", "pStyle") or self._default)

    def heading_level(self, paragraph: etree._Element) -> int | None:
        """How deep a heading is, 1 at the top; None where the paragraph is none."""
        given = value(paragraph, "pPr", "outlineLvl")
        if given is not None:
            return _level(given)
        for style in self.of(paragraph):
            name = (value(style, "name") or "").lower()
            if name == "title":
                return 1
            if found := _HEADING.fullmatch(name):
                return int(found[1])
            given = value(style, "pPr", "outlineLvl")
            if given is not None:
                return _level(given)
        return None

    def lists_contents(self, paragraph: etree._Element) -> bool:
        """Whether a paragraph is a line of the table of contents."""
        return any(
            _CONTENTS.fullmatch((value(s, "name") or "").lower()) for s in self.of(paragraph)
        )

    def is_bold(self, paragraph: etree._Element) -> bool:
        """Whether a paragraph's style sets its words in bold."""
        given = (is_on(style, "rPr", "b") for style in self.of(paragraph))
        return next((bold for bold in given if bold is not None), False)

    def sets_off(self, table: etree._Element, part: str) -> bool:
        """Whether a table's style makes its `firstRow` or `firstColumn` look unlike the others."""
        look = child(table, "tblPr", "tblLook")
        if look is None:
            return False
        given = look.get(W + part)
        bits = look.get(W + "val") or ""
        on = given in ("1", "true", "on") if given else _has_bit(bits, _FIRST[part])
        return on and any(
            condition.get(W + "type") == _CONDITIONS[part]
            for style in self._chain(value(table, "tblPr", "tblStyle") or "")
            for condition in style.findall(W + "tblStylePr")
        )

    def _chain(self, name: str) -> Iterator[etree._Element]:
        seen: set[str] = set()
        while name not in seen and name in self._by_id:
            seen.add(name)
            yield self._by_id[name]
            name = value(self._by_id[name], "basedOn") or ""


def _level(outline: str) -> int | None:
    level = whole(outline, _BODY_TEXT)
    return level + 1 if level < _BODY_TEXT else None


def _has_bit(value: str, bit: int) -> bool:
    try:
        return bool(int(value, 16) & bit)
    except ValueError:
        return False
