from __future__ import annotations

from contextlib import suppress
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.formats import parse
from rag.loading.parser import Parser
from rag.types import Parsed
from tests.loading.texts import blocks
from tests.loading.zips import CHAPTER, CONTAINER, epub, item, mangled, opf, packed


def read(data: bytes) -> Parsed:
    return parse("a.epub", data)


def test_chapters_in_the_order_of_the_spine() -> None:
    items = (
        item("b", "b%20c.xhtml#x") + item("a", "../a.xhtml")
        + item("toc", "toc.xhtml", 'properties="nav"')
        + '<item id="p" href="p.svg" media-type="image/svg+xml"/>' + item("unused", "u.xhtml")
    )  # fmt: skip
    spine = "".join(f'<itemref idref="{name}"/>' for name in ("toc", "p", "a", "b"))
    files = {
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": opf(items, spine),
        "OEBPS/b c.xhtml": CHAPTER.format("<h1>Two</h1><p>second&nbsp;&eacute;</p>").encode(),
        "a.xhtml": CHAPTER.format("<h2>One</h2><p>first</p>").encode(),
        "OEBPS/toc.xhtml": CHAPTER.format("<h1>Contents</h1>").encode(),
    }
    parsed = read(packed(files.items()))
    assert blocks(parsed) == ["One", "first", "Two", "second é"]
    assert [(h.level, h.span.of(parsed.text)) for h in parsed.headings] == [(2, "One"), (1, "Two")]
    assert (parsed.title, parsed.loader, parsed.pages) == ("One", "epub/1", ())


def test_what_a_book_says_about_itself() -> None:
    about = (
        "<dc:title> The\nbook </dc:title><dc:title>Subtitle</dc:title>"
        "<dc:language>en-GB</dc:language>"
        '<dc:date opf:event="creation">2001-01-01</dc:date>'
        '<dc:date opf:event="publication">2002-02-02T00:00:00Z</dc:date>'
    )
    parsed = read(epub("<p>x</p>", about=about))
    assert (parsed.title, parsed.date, parsed.language) == ("The book", "2002-02-02", "en-GB")
    about = '<dc:date>2011</dc:date><meta property="dcterms:modified">2012-03-04T05:06:07Z</meta>'
    assert read(epub("<p>x</p>", about=about)).date == "2012-03-04"


def test_all_of_a_chapter_is_content() -> None:
    body = (
        "<header><p>Motto</p></header><p>Text.</p><aside><p>1. A note.</p></aside>"
        "<footer><p>End.</p></footer><a id='anchor'/><p class='menu'/><p>Last<br/>line<i/></p>"
    )
    assert blocks(read(epub(body))) == ["Motto", "Text.", "1. A note.", "End.", "Last\nline"]


@pytest.mark.parametrize(
    "reference",
    [
        "<sup><a href='#n'>1</a></sup>",
        "<a href='#n'>\n<sup>1</sup></a>",
        "<a epub:type='noteref' href='#n'>1</a>",
        "<a href='#n' role='doc-noteref'><sup>1</sup></a>",
        "<sup><a href='#n'>[1]</a></sup>",
    ],
)
def test_what_refers_to_a_note_is_no_part_of_the_word_before_it(reference: str) -> None:
    back = "<a class='back' role='doc-backlink' href='#r'>↩︎</a>"
    body = f"<p>28 days{reference} and <a href='x'>1</a>.</p><aside><p>1. Note.{back}</p></aside>"
    assert blocks(read(epub(body))) == ["28 days[1] and 1.", "1. Note."]


def test_the_declared_encoding_is_respected() -> None:
    files = {
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": opf(item("a", "a.html"), '<itemref idref="a"/>'),
        "OEBPS/a.html": '<?xml version="1.0" encoding="iso-8859-1"?><p>Grüße</p>'.encode("latin1"),
    }
    assert blocks(read(packed(files.items()))) == ["Grüße"]


_words = st.text(st.sampled_from("abé <&日\u00a0\U0001f600"), max_size=20)


@settings(deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.sampled_from("ph"), _words), max_size=5), min_size=1, max_size=5)
)
def test_every_paragraph_arrives_once_and_in_order(book: list[list[tuple[str, str]]]) -> None:
    chapters, expected = [], ["Start"]
    for number, chapter in enumerate(book):
        texts = [(kind, f"w{number}.{place} {w} z") for place, (kind, w) in enumerate(chapter)]
        each = (
            f"<h2>{escape(t)}</h2>" if kind == "h" else f"<p>{escape(t)}</p>" for kind, t in texts
        )
        chapters.append("".join(each))
        expected += [" ".join(text.split()) for _, text in texts]
    assert blocks(read(epub("<p>Start</p>", *chapters))) == expected


RICH = epub("<h1>One</h1><p>x</p>", "<p>y</p>", about="<dc:title>t</dc:title>", encryption=b"<e/>")


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(
        ["OEBPS/book.opf", "META-INF/container.xml", "META-INF/encryption.xml"]
    ).flatmap(lambda name: mangled(RICH, name))
)
def test_elements_in_the_wrong_places_are_read_or_refused(data: bytes) -> None:
    with suppress(FileRefused):
        blocks(read(data))


LOCKED = b'<e><CipherReference URI="OEBPS/%s"/></e>'
DTD = b'<!DOCTYPE c [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
HOSTILE = {
    "DRM": (epub("<p>x</p>", encryption=LOCKED % b"text/c0.xhtml"), "DRM"),
    "no package": (packed([("META-INF/container.xml", CONTAINER)]), "is missing"),
    "a chapter that is not there": (
        packed(
            [
                ("META-INF/container.xml", CONTAINER),
                ("OEBPS/book.opf", opf(item("a", "../../../etc/passwd"), '<itemref idref="a"/>')),
            ]
        ),
        "chapters is missing",
    ),
    "a chapter that nobody lists": (
        packed(
            [
                ("META-INF/container.xml", CONTAINER),
                ("OEBPS/book.opf", opf("", '<itemref idref="a"/>')),
            ]
        ),
        "chapters is missing",
    ),
    "entities": (packed([("META-INF/container.xml", DTD + CONTAINER)]), "DOCTYPE"),
    "depth": (packed([("META-INF/container.xml", b"<a>" * 20_000)]), "nested deeper than any"),
    "pictures alone": (epub("<p><img src='x'/></p>", ""), "no text came out"),
    "half of it": (RICH[: len(RICH) // 2], "fetch it again"),
    "a bomb": (
        packed([("META-INF/container.xml", CONTAINER), ("a", bytes(300_000_000))]),
        "more than 100 times",
    ),
    "a way out": (packed([("META-INF/container.xml", CONTAINER), ("../a", b"")]), "leads outside"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_reason(parser: Parser, name: str) -> None:
    data, reason = HOSTILE[name]
    with pytest.raises(FileRefused, match=reason):
        parser.parse("a.epub", data)
    assert parser.parse("a.txt", b"next").text == "next"


def test_fonts_may_be_locked() -> None:
    assert blocks(read(epub("<p>x</p>", encryption=LOCKED % b"font.otf"))) == ["x"]


def test_a_chapter_that_nests_without_end_is_read(parser: Parser) -> None:
    body = "<div>" * 5_000 + "deep" + "</div>" * 5_000
    with suppress(FileRefused):
        assert "deep" in parser.parse("a.epub", epub(body)).text


@pytest.mark.parametrize("data", [b"words", packed([("word/document.xml", b"")])])
def test_other_content_is_no_epub(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.epub"):
        parse("a.epub", data)
