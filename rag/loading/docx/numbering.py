"""The numbers and bullets of a DOCX's lists: the file has the rules, and they are counted here."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from rag.loading.docx.styles import Styles
from rag.loading.docx.xml import W, child, is_on, value
from rag.loading.numerals import letters, ordinal, roman, whole

_PLACE = re.compile("%([1-9])")
_FORMATS: Mapping[str, Callable[[int], str]] = {
    "decimalZero": lambda number: f"{number:02}",
    "lowerLetter": letters,
    "lowerRoman": roman,
    "none": lambda _: "",
    "ordinal": ordinal,
    "upperLetter": lambda number: letters(number).upper(),
    "upperRoman": lambda number: roman(number).upper(),
}
_LONGEST = 50  # characters of what stands before a paragraph
_BULLET = "•"
# Letters of fonts that draw a bullet for them.
_BULLET_LETTERS = frozenset("o§ØüvnqlmuwàèðÒ·")


def numeral(number: int, kind: str | None) -> str:
    """A number as Word writes it in a format such as `lowerRoman`; digits in any unknown one."""
    return _FORMATS.get(kind or "", str)(number)


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    kind: str
    text: str
    suffix: str
    legal: bool
    restarts_below: int | None
    """The deepest level, from 1, that starts this one again; 0: none does; None: any above it."""

    @classmethod
    def of(cls, element: etree._Element) -> _Level:
        restart = value(element, "lvlRestart")
        return cls(
            start=whole(value(element, "start")),
            kind=value(element, "numFmt") or "decimal",
            text=(value(element, "lvlText") or "")[:_LONGEST],
            suffix="" if value(element, "suff") == "nothing" else " ",
            legal=bool(is_on(element, "isLgl")),
            restarts_below=None if restart is None else whole(restart),
        )


@dataclass(slots=True)
class _List:
    """A list's levels, and where each starts anew; those of one `rules` are counted together."""

    rules: str
    levels: dict[int, _Level]
    starts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counts the paragraphs of lists in the order in which they are asked for."""

    def __init__(self, root: etree._Element | None, styles: Styles) -> None:
        self._styles = styles
        self._rules: dict[str, etree._Element] = {}
        self._lists: dict[str, _List] = {}
        self._links: dict[tuple[str, str], int] = {}  # list and style: the level of such paragraphs
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)
        if root is None:
            return
        nums = {num.get(W + "numId", ""): num for num in root.findall(W + "num")}
        for rules in root.findall(W + "abstractNum"):
            self._rules[rules.get(W + "abstractNumId", "")] = rules
        for name, num in nums.items():
            self._add(name, num, nums)

    def label(self, paragraph: etree._Element) -> str:
        """What stands before a paragraph, with the space after it: `2.1 ` or `• ` or nothing.

        Counts on: to be asked once for each paragraph, in order.
        """
        name, level = self._place(paragraph)
        found = self._lists.get(name)
        if found is None or level not in found.levels:
            return ""
        rule, counts = found.levels[level], self._counts[found.rules]
        if level in found.starts:
            counts[level] = found.starts.pop(level)
        else:
            counts[level] = counts[level] + 1 if level in counts else rule.start
        for deeper in [n for n in counts if n > level and _restarts(found.levels.get(n), level)]:
            del counts[deeper]
        text = _written(found.levels, counts, rule)
        return text + rule.suffix if text else ""

    def _add(self, name: str, num: etree._Element, nums: Mapping[str, etree._Element]) -> None:
        rules = value(num, "abstractNumId") or ""
        style = self._styles.style(value(self._rules.get(rules), "numStyleLink"))
        if style is not None:  # the rules are those of the list that the style has
            num_of_style = nums.get(value(style, "pPr", "numPr", "numId") or "")
            rules = value(num_of_style, "abstractNumId") or ""
        elements = _levels(self._rules.get(rules))
        starts: dict[int, int] = {}
        for override in num.findall(W + "lvlOverride"):
            level = whole(override.get(W + "ilvl"))
            if (start := value(override, "startOverride")) is not None:
                starts[level] = whole(start)
            elements.update(_levels(override))
        for level, element in elements.items():
            if (linked := value(element, "pStyle")) is not None:
                self._links[name, linked] = level
        levels = {level: _Level.of(element) for level, element in elements.items()}
        self._lists[name] = _List(rules, levels, starts)

    def _place(self, paragraph: etree._Element) -> tuple[str, int]:
        """The list that a paragraph belongs to and its level; by its style where it says none."""
        own = child(paragraph, "pPr", "numPr")
        name, level = value(own, "numId"), value(own, "ilvl")
        for style in self._styles.of(paragraph):
            if name is not None and level is not None:
                break
            of_style = value(style, "pPr", "numPr", "numId")
            if of_style is not None and name in (None, of_style):
                name = of_style
                linked = self._links.get((name, style.get(W + "styleId", "")), 0)
                level = level or value(style, "pPr", "numPr", "ilvl") or str(linked)
        return name or "", whole(level)


def _levels(rules: etree._Element | None) -> dict[int, etree._Element]:
    found = [] if rules is None else rules.findall(W + "lvl")
    return {whole(element.get(W + "ilvl")): element for element in found}


def _restarts(rule: _Level | None, level: int) -> bool:
    if rule is None or rule.restarts_below is None:
        return True
    return level < rule.restarts_below


def _written(levels: Mapping[int, _Level], counts: Mapping[int, int], rule: _Level) -> str:
    if rule.kind == "bullet":
        private = any("\ue000" <= letter <= "\uf8ff" for letter in rule.text)
        return _BULLET if private or rule.text in _BULLET_LETTERS else rule.text.strip()

    def number(place: re.Match[str]) -> str:
        level = int(place[1]) - 1
        of_level = levels.get(level)
        if of_level is None:
            return ""
        legal = rule.legal and of_level.kind != "none"
        return numeral(counts.get(level, of_level.start), "decimal" if legal else of_level.kind)

    return _PLACE.sub(number, rule.text).strip()
