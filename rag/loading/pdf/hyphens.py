"""Words that a line's end broke, made whole again by what else stands in the document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from rag.loading.pdf.blocks import PAGE
from rag.loading.pdf.lines import HYPHEN

_WORD = re.compile(r"\w+(?:-\w+)*")
_BROKEN = re.compile(rf"(?<!\w)(\w*){HYPHEN}({PAGE}*)(\w*)")
_ANOTHER = frozenset(
    {"and", "or", "to", "und", "oder", "bis", "et", "ou", "y", "o", "e", "en", "of"}
)
# First parts of compounds: those before a word that the document has, and those before any other
# than what makes one word of both.
_FIRSTS = frozenset({"all", "ex", "half", "ill", "non", "one", "ten"})
_ALWAYS = frozenset(
    {"self", "well", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
)
_SUFFIX = re.compile(r"(?:teen|ty|th|fold|ness|ish|ed|ing)$")
_HALF = 4  # letters; two shorter words hardly ever make a compound that is not one word


class Hyphens:
    """Mends broken words.

    The hyphen goes where the document has the word without one, stays where it has the word with
    one or where what follows is no small letter, and otherwise goes, as typesetting put it there:
    unless both halves stand in the document as words of their own and together do not.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        text = "\n".join(texts)
        self._words = (
            set(_WORD.findall(_BROKEN.sub(" ", text).lower())) if HYPHEN in text else set()
        )
        compounds = [word.split("-") for word in self._words if "-" in word]
        self._words |= {f"{one}-{other}" for parts in compounds for one, other in pairwise(parts)}

    def mended(self, text: str) -> str:
        return _BROKEN.sub(self._joined, text)

    def _joined(self, broken: re.Match[str]) -> str:
        before, pages, after = broken.groups()
        capitals = len(before) > 1 and (before + after).isupper()
        if not (before[-1:].isalpha() and (capitals or after[:1].islower())):
            return f"{before}-{pages}{after}"
        whole, parted = f"{before}{after}".lower(), f"{before}-{after}".lower()
        if whole in self._words:
            return f"{before}{pages}{after}"
        if after in _ANOTHER and before.lower() in self._words:
            return f"{before}- {pages}{after}"
        if parted in self._words or self._is_compound(before.lower(), after.lower()):
            return f"{before}-{pages}{after}"
        return f"{before}{pages}{after}"

    def _is_compound(self, before: str, after: str) -> bool:
        shortest = min(len(before), len(after))
        if shortest == 1 or (before in _ALWAYS and not _SUFFIX.match(after)):
            return True
        return {before, after} <= self._words and (shortest >= _HALF or before in _FIRSTS)
