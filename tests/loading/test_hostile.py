from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused
from rag.loading.parser import Parser
from rag.text import paragraphs
from rag.types import Parsed

GOOD: dict[str, bytes] = {
    ".txt": "Grüße, 日本\r\n\r\nzwei\r".encode(),
    ".md": (
        b"---\ntitle: T\n---\n# H *x*\n\nText\n===\n\n> - `a`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    ),
    ".html": (
        b"<!doctype html><html lang=en><head><meta charset=utf-8><title>T</title></head><body>"
        b"<nav><a href=x>m</a></nav><main><h1>A</h1><p>b <b>c</b><br>d</p><ul><li>e<li>f</ul>"
        b"<table><tr><th>g<th>h<tr><td rowspan=2>i<td>j<tr><td>k</table><pre>l\n\nm</pre>"
        b"<dl><dt>n<dd>o</dl></main></body></html>"
    ),
}


def check(parsed: Parsed, suffix: str) -> None:
    """What holds for the text of every file, however damaged it was."""
    parsed.text.encode()
    assert "\0" not in parsed.text
    assert parsed.text.strip()
    assert [h.span.start for h in parsed.headings] == sorted(h.span.start for h in parsed.headings)
    assert all(h.text and h.span.of(parsed.text).strip() for h in parsed.headings)
    assert list(parsed.pages) == sorted(parsed.pages)
    assert len(parsed.page_labels) in (0, len(parsed.pages))
    if suffix in (".html", ".pdf"):
        blocks = [span.of(parsed.text) for span in paragraphs(parsed.text)]
        assert "\n\n".join(blocks) == parsed.text


def attempt(parser: Parser, suffix: str, data: bytes) -> None:
    with suppress(FileRefused):
        check(parser.parse("file" + suffix, data), suffix)


@pytest.fixture(scope="module")
def good(make_pdf: Callable[..., bytes]) -> dict[str, bytes]:
    return {**GOOD, ".pdf": make_pdf(["# Title", "One paragraph of it."], ["Another page."])}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".pdf"])
def test_damaged_files_are_read_or_refused(
    parser: Parser, good: dict[str, bytes], suffix: str, data: st.DataObject
) -> None:
    content = bytearray(good[suffix])
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content)))
        what = data.draw(st.sampled_from(["flip", "cut", "insert", "repeat"]))
        if what == "flip" and place < len(content):
            content[place] ^= 1 << data.draw(st.integers(0, 7))
        elif what == "cut":
            del content[place : place + data.draw(st.integers(1, 40))]
        elif what == "insert":
            content[place:place] = data.draw(st.binary(min_size=1, max_size=20))
        else:
            content[place:place] = content[place : place + 60] * data.draw(st.integers(1, 20))
    attempt(parser, suffix, bytes(content))


@settings(deadline=None, max_examples=40)
@given(data=st.binary(max_size=200))
@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".pdf"])
def test_any_bytes_are_read_or_refused(parser: Parser, suffix: str, data: bytes) -> None:
    attempt(parser, suffix, data)
    attempt(parser, suffix, b"%PDF-1.7\n" + data + b"\nstartxref\n0\n%%EOF")


NASTY: dict[str, tuple[str, bytes]] = {
    "unclosed tags": (".html", b"<a " * 20_000),
    "many open tags": (".html", b"<a x>" * 20_000 + b"x"),
    "nested": (".html", b"<body>" + b"<div>" * 5_000 + b"x"),
    "nested formatting": (".html", b"<b><p>" * 2_000 + b"x"),
    "nested tables": (".html", b"<table><tr><td>" * 300 + b"x"),
    "spans of cells": (
        ".html",
        b"<table>" + b"<tr><td rowspan=9999 colspan=9999>x" * 20 + b"</table>",
    ),
    "entities": (".html", b"<p>" + b"&#xD800;&#0;&#x110000;&nbsp;" * 1_000),
    "one long line": (".txt", b"x " * 2_000_000),
    "brackets": (".md", b"[" * 20_000 + b"\n===\n"),
    "stars": (".md", b"# " + b"*a **b " * 5_000),
    "quotes": (".md", b"> " * 20_000 + b"x"),
    "carriage returns": (".md", b"# a\r" * 2_000),
    "zip": (".pdf", b"PK\x03\x04" + bytes(1_000)),
    "no objects": (".pdf", b"%PDF-1.7\nstartxref\n0\n%%EOF"),
    "UTF-16 without its mark": (".txt", "Hello, world".encode("utf-16-le")),
    "white space": (".html", b" \r\n\t "),
}


@pytest.mark.parametrize("name", NASTY)
def test_nasty_files_are_read_or_refused(parser: Parser, name: str) -> None:
    attempt(parser, *NASTY[name])
    assert parser.parse("a.txt", b"next").text == "next"


def test_a_compressed_bomb_is_refused_and_costs_that_file_only(parser: Parser) -> None:
    page = zlib.compress(b"BT /F1 12 Tf 50 700 Td (bomb) Tj ET\n" + b" " * 60_000_000)
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
        b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(page), page),
    )
    data = b"%PDF-1.7\n"
    for number, content in enumerate(objects, start=1):
        data += b"%d 0 obj%s\nendobj\n" % (number, content)
    attempt(parser, ".pdf", data + b"trailer<</Root 1 0 R/Size 5>>\nstartxref\n0\n%%EOF")
    assert parser.parse("a.txt", b"next").text == "next"
