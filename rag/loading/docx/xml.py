"""The words of WordprocessingML: elements by name, values, switches."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from rag.loading.office import ALTERNATIVES, chosen

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WRAPPERS = frozenset(W + name for name in ("sdtContent", "customXml", "smartTag", "ins", "moveTo"))
# What was deleted or moved away, what only a program reads, and properties.
_NEVER = frozenset(
    W + name
    for name in (
        *("del", "moveFrom", "delText", "instrText", "delInstrText", "fldData", "ffData"),
        *("pPr", "rPr", "rt"),
    )
)
_CONTENTS = "Table of Contents"
_OFF = frozenset({"0", "false", "off", "none"})


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element under a path of names, if it is there."""
    for name in path:
        if element is None:
            return None
        element = next(element.iterchildren(W + name), None)  # `find` is ten times as slow
    return element


def value(element: etree._Element | None, *path: str, attribute: str = "val") -> str | None:
    """An attribute of the element under a path of names, if it is there."""
    found = child(element, *path)
    return None if found is None else found.get(W + attribute)


def is_on(element: etree._Element | None, *path: str) -> bool | None:
    """Whether a switch is there and on; None where it is not there."""
    found = child(element, *path)
    return None if found is None else found.get(W + "val") not in _OFF


def shown(parent: etree._Element) -> Iterator[etree._Element]:
    """What an element holds that a reader of the document sees, out of its wrappers.

    Content controls, inserted words and the like are opened; deleted words, a content control's
    hint on what to write, and a table of contents are left out; of several ways of saying the same
    to newer and to older programs there is one.
    """
    for element in parent:
        tag = element.tag
        if tag in _WRAPPERS:
            yield from shown(element)
        elif tag == W + "sdt":
            if not _is_hint(element):
                yield from shown(element)
        elif tag == ALTERNATIVES:
            if (way := chosen(element)) is not None:
                yield from shown(way)
        elif tag not in _NEVER:
            yield element


def _is_hint(control: etree._Element) -> bool:
    if is_on(control, "sdtPr", "showingPlcHdr"):
        return True
    return value(control, "sdtPr", "docPartObj", "docPartGallery") == _CONTENTS
