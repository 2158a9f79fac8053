"""Formulas on one line: of Office's own markup, and of MathML."""

from __future__ import annotations

from lxml import etree

from rag.loading.xml_tree import local

_SIGNS = {"f": "/", "mfrac": "/", "msub": "_", "msup": "^", "sSub": "_", "sSup": "^"}
_LETTERS = frozenset({"mi", "mn", "mo", "ms", "mtext", "t"})
_NEVER = frozenset({"annotation", "annotation-xml", "rPr"})


def on_one_line(formula: etree._Element) -> str:
    """The letters of a formula in order: a fraction as `a/b`, a power as `x^2`."""
    name = local(formula)
    if name in _LETTERS:
        return (formula.text or "").strip()
    parts = [part for part in formula if local(part) not in _NEVER]
    shown = (on_one_line(part) for part in parts if not local(part).endswith("Pr"))
    return _SIGNS.get(name, "").join(shown)
