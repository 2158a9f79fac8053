"""Markdown: the file's own text, its headings, and the front matter set apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag.loading.base import FormatReader
from rag.loading.decoding import decode, is_text
from rag.loading.metadata import iso_date, language_tag, one_line
from rag.text import trimmed
from rag.types import Heading, Parsed, Span

# Nothing is rendered, so raw HTML is recognised as such: a heading in a comment is none.
_BLOCKS = MarkdownIt("commonmark").enable("table").disable("inline")
_INLINE = MarkdownIt("commonmark")
_LINE_END = re.compile(r"\r\n?|\n")
_FENCE = re.compile(r"---[ \t]*(?:\r\n?|\n)")
_CLOSING = re.compile(r"(?:---|\.\.\.)[ \t]*")
_ENTRY = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(.*))?")
_NESTED = re.compile(r"[ \t#-]|$")


class MarkdownReader:
    """Reads .md: text as in the file; headings by CommonMark, spans with their markup."""

    loader = "markdown/1"
    extensions = frozenset({".md", ".markdown"})

    def matches(self, data: bytes) -> bool:
        return is_text(data)

    def read(self, data: bytes) -> Parsed:
        text = decode(data)
        front, entries = _front_matter(text)
        headings = tuple(_headings(text, front.end))
        first = headings[0].text if headings else None
        return Parsed(
            text=text,
            loader=self.loader,
            title=one_line(entries.get("title")) or one_line(first),
            date=iso_date(entries.get("date")),
            language=language_tag(entries.get("language") or entries.get("lang")),
            headings=headings,
            skipped=(front,) if front.end else (),
        )


def _front_matter(text: str) -> tuple[Span, Mapping[str, str]]:
    """The block of `key: value` lines between fences at the very start, and its plain entries.

    Not YAML: nested values are stepped over. A block with any other kind of line is a rule
    followed by prose, and stays text.
    """
    none: tuple[Span, Mapping[str, str]] = (Span(0, 0), {})
    opening = _FENCE.match(text)
    if not opening:
        return none
    entries: dict[str, str] = {}
    start = opening.end()
    for end, following in _lines(text, start):
        line = text[start:end]
        if _CLOSING.fullmatch(line):
            return (trimmed(text, Span(0, end)), entries) if entries else none
        entry = _ENTRY.fullmatch(line)
        if entry:
            entries[entry[1].lower()] = _unquoted(entry[2] or "")
        elif not _NESTED.match(line):
            return none
        start = following
    return none


def _lines(text: str, start: int) -> Iterator[tuple[int, int]]:
    """For each line from `start` on: where it ends, and where the next one begins."""
    for ending in _LINE_END.finditer(text, start):
        yield ending.span()
    yield len(text), len(text)


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        return value[1:-1]
    return value.split(" #")[0].rstrip()


def _headings(text: str, start: int) -> Iterator[Heading]:
    """The document's own headings in order; one inside a list or a quotation is not its own."""
    starts = [start, *(following for _, following in _lines(text, start))]
    references: dict[str, object] = {}
    tokens = _BLOCKS.parse(text[start:], references)
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open" or opening.level or not opening.map:
            continue
        children = _INLINE.parseInline(inline.content, references)[0].children or ()
        words = one_line("".join(_words(children)))
        if words:
            first, beyond = opening.map
            span = trimmed(text, Span(starts[first], starts[beyond]))
            yield Heading(span, int(opening.tag[1:]), words)


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("text", "code_inline", "text_special"):
            yield token.content
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        elif token.type == "image":
            yield from _words(token.children or ())


READER: FormatReader = MarkdownReader()
