"""What the styles of an OpenDocument text say about its words, and how its lists are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from rag.loading.numerals import letters, roman, whole

_NAMESPACE = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
DRAW, OFFICE, STYLE, TABLE, TEXT = (
    _NAMESPACE % name for name in ("drawing", "office", "style", "table", "text")
)
_FO = _NAMESPACE % "xsl-fo-compatible"
_LEVELS = ("list-level-style-number", "list-level-style-bullet", "outline-level-style")
_NUMERALS: Mapping[str, Callable[[int], str]] = {
    "1": str,
    "A": lambda number: letters(number).upper(),
    "I": lambda number: roman(number).upper(),
    "a": letters,
    "i": roman,
}
_BULLET = "•"
_LONGEST = 50  # characters of what stands before a paragraph
OUTLINE = ""
"""The name under which headings are counted."""


class OdtStyles:
    """The styles out of a file's parts, by name."""

    def __init__(self, *roots: etree._Element) -> None:
        self._styles: dict[str, etree._Element] = {}
        self.lists: dict[str, dict[int, Rule]] = {}
        """Of each style of lists, the rule of each level, from 1."""
        self.language: str | None = None
        """The language that the document is set in, as it is written there."""
        for root in roots:
            for element in root.iter(STYLE + "style"):
                self._styles[element.get(STYLE + "name", "")] = element
            for element in root.iter(TEXT + "list-style"):
                self.lists[element.get(STYLE + "name", "")] = dict(_rules(element))
            for element in root.iter(TEXT + "outline-style"):
                self.lists[OUTLINE] = dict(_rules(element))
            for element in root.iter(STYLE + "default-style"):
                if element.get(STYLE + "family") == "paragraph":
                    self.language = _language(element)

    def is_title(self, element: etree._Element) -> bool:
        """Whether a paragraph is set as the title of the whole."""
        given = (style.get(STYLE + "name") for style in self._of(element))
        return element.get(TEXT + "style-name") == "Title" or "Title" in given

    def is_bold(self, element: etree._Element) -> bool:
        return (self._property(element, _FO + "font-weight") or "normal") != "normal"

    def is_hidden(self, element: etree._Element) -> bool:
        return self._property(element, TEXT + "display") == "none"

    def is_raised(self, element: etree._Element) -> bool:
        return (self._property(element, STYLE + "text-position") or "").startswith("super")

    def list_style(self, element: etree._Element) -> str | None:
        """The style of lists that a heading's own style puts it in."""
        given = (style.get(STYLE + "list-style-name") for style in self._of(element))
        return next((name for name in given if name), None)

    def _property(self, element: etree._Element, name: str) -> str | None:
        for style in self._of(element):
            properties = style.find(STYLE + "text-properties")
            if properties is not None and (value := properties.get(name)) is not None:
                return value
        return None

    def _of(self, element: etree._Element) -> Iterator[etree._Element]:
        """An element's style and those that it comes from, the nearest first."""
        name, seen = element.get(TEXT + "style-name", ""), set[str]()
        while name in self._styles and name not in seen:
            seen.add(name)
            yield self._styles[name]
            name = self._styles[name].get(STYLE + "parent-style-name", "")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one level of a list is counted: `kind` is that of its numerals, "" for none."""

    kind: str
    bullet: str
    before: str
    after: str
    shows: int
    start: int


class OdtLists:
    """Counts the items of lists, in the order in which they are asked for."""

    def __init__(self, styles: Mapping[str, Mapping[int, Rule]]) -> None:
        self._styles = styles
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)

    def begin(self, element: etree._Element, style: str) -> None:
        """A list of its own begins: it is counted anew, or goes on where it says so."""
        goes_on = element.get(TEXT + "continue-numbering") == "true"
        if not goes_on and TEXT + "continue-list" not in element.attrib:
            self._counts[style].clear()

    def label(self, style: str, level: int, start: str | None = None) -> str:
        """What stands before an item, with the space after it: `2.1. ` or `• ` or nothing."""
        rules = self._styles.get(style, {})
        rule = rules.get(level)
        if rule is None:
            return ""
        counts = self._counts[style]
        following = counts[level] + 1 if level in counts else rule.start
        counts[level] = whole(start, following)
        for deeper in [known for known in counts if known > level]:
            del counts[deeper]
        if rule.bullet:
            private = any("\ue000" <= letter <= "\uf8ff" for letter in rule.bullet)
            return f"{_BULLET if private else rule.bullet} "
        if not rule.kind:
            return ""
        shown = [
            (n, rules[n]) for n in range(max(1, level - rule.shows + 1), level + 1) if n in rules
        ]
        numbers = [_numeral(counts.get(n, r.start), r.kind) for n, r in shown if r.kind]
        return f"{rule.before}{'.'.join(numbers)}{rule.after}".strip() + " "


def _rules(style: etree._Element) -> Iterator[tuple[int, Rule]]:
    for element in style.iterchildren(*(TEXT + name for name in _LEVELS)):
        kind = element.get(STYLE + "num-format", "")
        yield (
            whole(element.get(TEXT + "level"), 1),
            Rule(
                kind=kind.strip(),
                bullet=element.get(TEXT + "bullet-char", "").strip()[:1],
                before=element.get(STYLE + "num-prefix", "")[:_LONGEST],
                after=element.get(STYLE + "num-suffix", "")[:_LONGEST],
                shows=whole(element.get(TEXT + "display-levels"), 1),
                start=whole(element.get(TEXT + "start-value"), 1),
            ),
        )


def _numeral(number: int, kind: str) -> str:
    return _NUMERALS.get(kind, str)(number)


def _language(style: etree._Element) -> str | None:
    properties = style.find(STYLE + "text-properties")
    if properties is None:
        return None
    language, country = (properties.get(_FO + part, "none") for part in ("language", "country"))
    if language == "none":
        return None
    return language if country == "none" else f"{language}-{country}"
