"""Office documents, books and Rich Text made by hand to hurt whoever reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.loading.zips import contents, epub, odt, packed, slides, word


class Office(NamedTuple):
    """Which format a file claims to be, what is to come of it, as in `nasty.py`, and the file."""

    suffix: str
    outcome: str
    make: Callable[[], bytes]


_ENTITIES = b"".join(
    b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10 if n else b"ha") for n in range(12)
)
_LAUGHS = b"<!DOCTYPE d [%s]>" % _ENTITIES
_FROM_A_FILE = b'<!DOCTYPE d [<!ENTITY a11 SYSTEM "file:///etc/passwd">]>'
_FROM_ELSEWHERE = b'<!DOCTYPE d SYSTEM "http://[::1]:9/a.dtd">'
_WORDS = "<w:p><w:r><w:t>%s</w:t></w:r></w:p>"
_CELL = f"<w:tc><w:tcPr><w:gridSpan w:val='999999'/></w:tcPr>{_WORDS % 'x'}</w:tc>"
_ITEM = "<w:p><w:pPr><w:numPr><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>x</w:t></w:r></w:p>"
_NOTE = '<w:footnoteReference w:id="%d"/>'


def _docx(outcome: str, body: Callable[[], str], **parts: Callable[[], str]) -> Office:
    return Office(
        ".docx", outcome, lambda: word(body(), **{name: make() for name, make in parts.items()})
    )


def _declaring(suffix: str, make: Callable[[], bytes], part: str, doctype: bytes) -> Office:
    """A file one part of which begins with a document type."""

    def declared() -> bytes:
        return packed((n, doctype + c if n == part else c) for n, c in contents(make()))

    return Office(suffix, "corrupt", declared)


def _with(suffix: str, outcome: str, name: str, content: Callable[[], bytes]) -> Office:
    """A file that holds one more."""
    whole = {
        ".docx": word(_WORDS % "x"),
        ".epub": epub("<p>x</p>"),
        ".pptx": slides([""]),
    }[suffix]
    return Office(suffix, outcome, lambda: packed([*contents(whole), (name, content())]))


def _laughing_docx() -> bytes:
    return word(_WORDS % "&a11;")


OFFICE = {
    "content controls in each other": _docx(
        "corrupt", lambda: "<w:sdt>" * 20_000 + _WORDS % "x" + "</w:sdt>" * 20_000
    ),
    "tables in each other": _docx(
        "corrupt", lambda: "<w:tbl><w:tr><w:tc>" * 5_000 + "</w:tc></w:tr></w:tbl>" * 5_000
    ),
    "billion laughs": _declaring(".docx", _laughing_docx, "word/document.xml", _LAUGHS),
    "an entity out of a file": _declaring(
        ".docx", _laughing_docx, "word/document.xml", _FROM_A_FILE
    ),
    "a DTD from elsewhere": _declaring(
        ".docx", lambda: word(_WORDS % "x"), "word/document.xml", _FROM_ELSEWHERE
    ),
    "laughs among the relations": _declaring(
        ".docx", lambda: word(_WORDS % "x"), "_rels/.rels", _LAUGHS
    ),
    "a bomb in a document": _with(".docx", "too_large", "word/a.xml", lambda: bytes(300_000_000)),
    "a bomb in a book": _with(".epub", "too_large", "a", lambda: bytes(300_000_000)),
    "a name that leads out": _with(".pptx", "corrupt", "../../x", lambda: b"x"),
    "a document twice": _with(".docx", "corrupt", "word/document.xml", lambda: b"<a/>"),
    "more files than anybody reads": Office(
        ".docx", "too_large", lambda: packed((f"word/{n}", b"") for n in range(10_001))
    ),
    "behind a password": Office(
        ".docx", "unsupported", lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2_000)
    ),
    "a cell over all columns": _docx(
        "ok", lambda: "<w:tbl>" + ("<w:tr>" + _CELL * 100 + "</w:tr>") * 20 + "</w:tbl>"
    ),
    "styles in a circle": _docx(
        "ok",
        lambda: '<w:p><w:pPr><w:pStyle w:val="s0"/></w:pPr><w:r><w:t>x</w:t></w:r></w:p>' * 20,
        styles=lambda: "".join(
            f'<w:style w:styleId="s{n}"><w:basedOn w:val="s{(n + 1) % 5_000}"/></w:style>'
            for n in range(5_000)
        ),
    ),
    "notes on notes": _docx(
        "ok",
        lambda: f"<w:p><w:r><w:t>x</w:t>{_NOTE % 0}</w:r></w:p>",
        footnotes=lambda: "".join(
            f'<w:footnote w:id="{n}"><w:p><w:r><w:t>x</w:t>{_NOTE % ((n + 1) % 5_000)}</w:r></w:p>'
            "</w:footnote>"
            for n in range(5_000)
        ),
    ),
    "a number nobody counts to": _docx(
        "ok",
        lambda: _ITEM,
        numbering=lambda: (
            f'<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="{"9" * 5_000}"/>'
            f'<w:numFmt w:val="lowerLetter"/><w:lvlText w:val="{"%1" * 100_000}"/></w:lvl>'
            '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
        ),
    ),
    "pictures alone": _docx("empty", lambda: "<w:p><w:r><w:drawing/></w:r></w:p>" * 100),
    "groups of shapes in each other": Office(
        ".pptx", "corrupt", lambda: slides(["<p:grpSp>" * 20_000 + "</p:grpSp>" * 20_000])
    ),
    "slides without words": Office(".pptx", "empty", lambda: slides([""] * 300)),
    "spaces without end": Office(
        ".odt", "ok", lambda: odt("<text:p>x" + "<text:s text:c='999999'/>" * 20_000 + "y</text:p>")
    ),
    "laughs in a text": _declaring(
        ".odt", lambda: odt("<text:p>&a11;</text:p>"), "content.xml", _LAUGHS
    ),
    "laughs in a book's contents": _declaring(
        ".epub", lambda: epub("<p>x</p>"), "OEBPS/book.opf", _LAUGHS
    ),
    "laughs in a chapter": Office(
        ".epub", "ok", lambda: epub("</p>" + _LAUGHS.decode() + "<p>&a11;x</p>")
    ),
    "a chapter without a bottom": Office(".epub", "ok", lambda: epub("<div>" * 5_000 + "x")),
    "groups in each other": Office(
        ".rtf", "corrupt", lambda: rb"{\rtf1 " + b"{" * 100_000 + b"x" + b"}" * 100_001
    ),
    "groups that do not end": Office(".rtf", "corrupt", lambda: rb"{\rtf1 " + b"{x}" * 200_000),
    "letters for old programs": Office(
        ".rtf", "ok", lambda: rb"{\rtf1\uc999999999 x" + rb"\u65?" * 100_000 + b"}"
    ),
    "cells without a row": Office(".rtf", "ok", lambda: rb"{\rtf1 x" + rb"\cell" * 50_000 + b"}"),
    "bytes beyond the end": Office(".rtf", "corrupt", lambda: rb"{\rtf1 x\bin999999999 }"),
}
"""By what is wrong with it."""
