"""Files made by hand to hurt whoever reads them, each with what is to come of it.

None is stored: a file is built when it is asked for. The largest are in `HUGE`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rag.errors import FileRefused, TooLarge, UnsupportedFormat
from rag.loading.parser import Parser
from tests.loading.nasty_office import OFFICE
from tests.loading.nasty_pdfs import HUGE_PDFS, PDFS, Made
from tests.loading.nasty_sheets import SHEETS

_REASONS = {
    "limit": re.compile(r"took (more|longer) than|takes more than"),
    "empty": re.compile(r"empty file|no text|no page in it|cells are empty"),
    "unsupported": re.compile(r"encrypted|password"),
    "corrupt": re.compile(
        r"damaged|the end of|neither valid|NUL characters|not recognised|is no JSON|nests? too deep"
        r"|DOCTYPE|leads outside|of one name"
    ),
}


@dataclass(frozen=True, slots=True)
class Nasty:
    """A file; `outcome` is `ok`, `empty`, `unsupported`, `too_large`, `limit` or `corrupt`."""

    suffix: str
    make: Callable[[], bytes]
    outcome: str


def outcome(parser: Parser, nasty: Nasty) -> str:
    """What came of a file. Raises `AssertionError` for a reason that says nothing of the kind."""
    try:
        parser.parse("file" + nasty.suffix, nasty.make())
    except TooLarge:
        return "too_large"
    except UnsupportedFormat:
        return "unsupported"
    except FileRefused as refused:
        return _kind(str(refused))
    return "ok"


def _kind(reason: str) -> str:
    told = [name for name, pattern in _REASONS.items() if pattern.search(reason)]
    assert told, reason
    return told[0]


def _html(outcome: str, content: bytes) -> Nasty:
    return Nasty(".html", lambda: content, outcome)


def _text(outcome: str, content: bytes) -> Nasty:
    return Nasty(".txt", lambda: content, outcome)


def _markdown(outcome: str, content: bytes) -> Nasty:
    return Nasty(".md", lambda: content, outcome)


def _pdfs(made: Mapping[str, Made]) -> dict[str, Nasty]:
    return {name: Nasty(".pdf", one.make, one.outcome) for name, one in made.items()}


_HTML = {
    "unclosed tags": _html("empty", b"<a " * 20_000),
    "many open tags": _html("ok", b"<a x>" * 20_000 + b"x"),
    "nested": _html("ok", b"<body>" + b"<div>" * 5_000 + b"x"),
    "nested formatting": _html("ok", b"<b><p>" * 2_000 + b"x"),
    "nested tables": _html("ok", b"<table><tr><td>" * 300 + b"x"),
    "nested lists": _html("ok", b"<ul><li>" * 3_000 + b"x"),
    "nested foreign elements": _html("ok", b"<p>x<svg><g><math><mi>" * 1_000),
    "misnested": _html("ok", b"<b><i>x</b></i>" * 8_000),
    "spans of cells": _html(
        "ok", b"<table>" + b"<tr><td rowspan=9999 colspan=9999>x" * 20 + b"</table>"
    ),
    "spans of no size": _html(
        "ok", b"<table>" + b"<tr><td rowspan=-1 colspan=1e9>x<td rowspan=0>y" * 100 + b"</table>"
    ),
    "entities": _html("ok", b"<p>" + b"&#xD800;&#0;&#x110000;&nbsp;" * 1_000),
    "attributes": _html("ok", b"<p " + b" ".join(b"a%d=1" % n for n in range(20_000)) + b">x"),
    "one long attribute": _html("ok", b"<p title='" + b"x" * 5_000_000 + b"'>x"),
    "a picture in its address": _html(
        "ok", b"<p>x<img src='data:image/png;base64," + b"A" * 3_000_000 + b"'>"
    ),
    "script only": _html("empty", b"<script>" + b"document.write('x');" * 10_000 + b"</script>"),
    "an endless comment": _html("empty", b"<p><!-- " + b"x -- > " * 100_000),
    "an endless title": _html("empty", b"<title>" + b"x<p>" * 100_000),
    "frames": _html("empty", b"<frameset>" + b"<frame src=a>" * 1_000 + b"</frameset>"),
    "an encoding that it has not": _html("ok", b"<meta charset=utf-16><p>caf\xc3\xa9 x"),
    "NUL in a page": _html("unsupported", b"<p>x\0y</p>"),
    "white space": _html("empty", b" \r\n\t "),
}
_TEXT = {
    "one long line": _text("ok", b"x " * 2_000_000),
    "many lines": _text("ok", b"\n" * 1_000_000 + b"x"),
    "many paragraphs": _text("ok", b"x\n\n" * 200_000),
    "NUL": _text("unsupported", b"Hello,\0 world"),
    "UTF-16 without its mark": _text("unsupported", "Hello, world".encode("utf-16-le")),
    "half a character of UTF-16": _text("corrupt", b"\xff\xfeH\0e"),
    "lone surrogates": _text("corrupt", b"\xff\xfe\x00\xd8x\0\x00\xdc"),
    "beyond Unicode": _text("corrupt", b"\xff\xfe\0\0" + b"\xff" * 40),
    "an overlong character": _text("ok", b"a\xc0\xafb\xed\xa0\x80c"),
    "mixed encodings": _text(
        "ok", "é ".encode() + "ä ß ".encode("cp1252") + "日本".encode("cp932")
    ),
    "every byte": _text("corrupt", bytes(range(1, 256)) * 40),
    "a mark alone": _text("empty", b"\xef\xbb\xbf"),
    "directions": _text("ok", "\u202eevil\u2066\u2067\u202c \u05d0\u0660".encode() * 5_000),
    "joined pictures": _text("ok", "\U0001f469\u200d\U0001f680\u200d".encode() * 20_000),
    "marks on one letter": _text("ok", ("e" + "\u0301" * 50_000).encode()),
    "line ends of every kind": _text("ok", "a\r\u2028\u2029\x85\x0b\x0c\x1c\n\r\n".encode() * 999),
}
_MARKDOWN = {
    "brackets": _markdown("ok", b"[" * 20_000 + b"\n===\n"),
    "pictures in pictures": _markdown("ok", b"# " + b"![" * 20_000 + b"](a)" * 20_000),
    "links that do not end": _markdown("ok", b"# " + b"[a](<b" * 10_000),
    "one definition, many links": _markdown("ok", b"[x]: /u\n\n# " + b"[x]" * 20_000),
    "many definitions": _markdown("ok", b"".join(b"[x%d]: /u\n" % n for n in range(20_000))),
    "stars": _markdown("ok", b"# " + b"*a **b " * 5_000),
    "a run of stars": _markdown("ok", b"# a" + b"*" * 50_000 + b"b"),
    "stars and lines": _markdown("ok", b"# " + b"*_a_*__b" * 5_000),
    "ticks": _markdown("ok", b"# " + b" ".join(b"`" * n for n in range(1, 400))),
    "quotes": _markdown("ok", b"> " * 20_000 + b"x"),
    "quotes and lists": _markdown("ok", b"> - " * 2_000 + b"x"),
    "lists in lists": _markdown("ok", b"".join(b"  " * n + b"- a\n" for n in range(600))),
    "a wide table": _markdown("ok", (b"|a" * 1_000 + b"\n" + b"|-" * 1_000 + b"\n") * 40),
    "a long table": _markdown("ok", b"|a|b|\n|-|-|\n" + b"|1|2|\n" * 50_000),
    "headings": _markdown("ok", b"# a\n" * 20_000),
    "carriage returns": _markdown("ok", b"# a\r" * 2_000),
    "a fence that does not end": _markdown("ok", b"```\n" + b"# a\n" * 200_000),
    "front matter that does not end": _markdown("ok", b"---\n" + b"a: b\n" * 100_000),
    "entities in a heading": _markdown("ok", b"# " + b"&#1234567;&amp;" * 20_000),
    "comments that do not end": _markdown("ok", b"# " + b"<!-- <?a <![CDATA[ " * 5_000),
}
_OFFICE = {name: Nasty(one.suffix, one.make, one.outcome) for name, one in OFFICE.items()}
_SHEETS = {name: Nasty(one.suffix, one.make, one.outcome) for name, one in SHEETS.items()}
NASTY: Mapping[str, Nasty] = {**_HTML, **_TEXT, **_MARKDOWN, **_pdfs(PDFS), **_OFFICE, **_SHEETS}
"""By what is wrong with it."""

HUGE: Mapping[str, Nasty] = {
    "150,000 nested": Nasty(".html", lambda: b"<body>" + b"<div>" * 150_000 + b"x", "limit"),
    "200,000 attributes": Nasty(
        ".html", lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(200_000)) + b">x", "limit"
    ),
    "a line of 100 MB": Nasty(".txt", lambda: b"x " * 50_000_000, "too_large"),
    **_pdfs(HUGE_PDFS),
}
"""Those that take all of a limit, or a good part of one."""
