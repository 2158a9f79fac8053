from __future__ import annotations

from contextlib import suppress
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.formats import parse
from rag.loading.parser import Parser
from rag.types import Parsed
from tests.loading.texts import blocks
from tests.loading.zips import ODT_KIND, contents, mangled, odt, packed


def read(*parts: str, **more: str) -> Parsed:
    return parse("a.odt", odt(*parts, **more))


def p(content: str, style: str = "") -> str:
    return f'<text:p text:style-name="{style}">{content}</text:p>'


def h(content: str, level: int, more: str = "") -> str:
    return f'<text:h text:outline-level="{level}" {more}>{content}</text:h>'


def style(name: str, properties: str = "", more: str = "") -> str:
    inner = f"<style:text-properties {properties}/>"
    return f'<style:style style:name="{name}" {more}>{inner}</style:style>'


def listed(*items: str, more: str = "") -> str:
    each = "".join(f"<text:list-item>{item}</text:list-item>" for item in items)
    return f"<text:list {more}>{each}</text:list>"


def numbers(level: int, kind: str, more: str = "", element: str = "list-level-style-number") -> str:
    return f'<text:{element} text:level="{level}" style:num-format="{kind}" {more}/>'


def cell(content: str, more: str = "") -> str:
    inner = content if content.startswith("<") else p(content)
    return f"<table:table-cell {more}>{inner}</table:table-cell>"


def table(*rows: list[str]) -> str:
    each = ("".join(c if c.startswith("<table") else cell(c) for c in row) for row in rows)
    lines = "".join(f"<table:table-row>{row}</table:table-row>" for row in each)
    return f"<table:table>{lines}</table:table>"


def test_headings_title_date_and_language() -> None:
    parsed = read(
        p("Leave", "P1") + h("Days", 1) + h(" 28 <text:s/> days ", 3) + p("Text") + p(" "),
        automatic=style("P1", more='style:parent-style-name="Title"'),
        styles=style("Title", more='style:parent-style-name="Title"')
        + '<style:default-style style:family="paragraph"><style:text-properties fo:language="de" '
        'fo:country="AT"/></style:default-style>',
        meta="<dc:title> Leave\nrules</dc:title><dc:date>2024-03-01T08:00:00</dc:date>"
        "<meta:creation-date>2020-01-01T08:00:00</meta:creation-date>",
    )
    assert blocks(parsed) == ["Leave", "Days", "28 days", "Text"]
    assert [(h.level, h.text) for h in parsed.headings] == [
        (1, "Leave"),
        (1, "Days"),
        (3, "28 days"),
    ]
    assert (parsed.title, parsed.date, parsed.language) == ("Leave rules", "2024-03-01", "de-AT")
    assert (parsed.loader, parsed.pages) == ("odt/1", ())
    assert [h.text for h in read(p("Leave", "Title")).headings] == ["Leave"]
    bare = read(h("Days", 1), meta="<meta:creation-date>2020-01-01T08:00:00</meta:creation-date>")
    assert (bare.title, bare.date, bare.language) == ("Days", "2020-01-01", None)


def test_lists_are_counted_and_keep_their_bullets() -> None:
    counted = (
        numbers(1, "1", 'style:num-suffix="."')
        + numbers(2, "a", 'style:num-prefix="(" style:num-suffix=")"')
        + numbers(3, "I", 'text:display-levels="3" text:start-value="4"')
    )
    signs = "".join(
        f'<text:list-level-style-bullet text:level="{n}" text:bullet-char="{sign}"/>'
        for n, sign in enumerate("\uf0b7–", start=1)
    )
    lists = "".join(
        f'<text:list-style style:name="{name}">{levels}</text:list-style>'
        for name, levels in (("N", counted), ("B", signs))
    )
    n, b = ('text:style-name="N"', 'text:style-name="B"')
    body = (
        listed(p("one") + p("more"), p("two") + listed(p("a") + listed(p("deep")), p("b")), more=n)
        + p("between")
        + listed(listed(p("c")), p("three"), more=f'{n} text:continue-numbering="true"')
        + listed(p("dot") + listed(p("dash")), more=b)
        + listed(p("anew"), p(""), p("third"), more=n).replace(
            "</text:list>", f"<text:list-header>{p('none')}</text:list-header></text:list>"
        )
        + listed(p("nine"), more=n).replace("item>", 'item text:start-value="9">', 1)
        + listed(p("no style"))
    )
    assert blocks(read(body, automatic=lists)) == [
        *("1. one", "more", "2. two", "(a) a", "2.a.IV deep", "(b) b", "between", "(c) c"),
        *("3. three", "• dot", "– dash", "1. anew", "3. third", "none", "9. nine", "no style"),
    ]


def test_headings_are_counted_where_the_outline_says_so() -> None:
    outline = numbers(1, "1", element="outline-level-style") + numbers(
        2, "1", 'text:display-levels="2" style:num-suffix="."', element="outline-level-style"
    )
    body = h("One", 1) + h("Sub", 2) + h("No", 1, 'text:is-list-header="true"') + h("Two", 1)
    parsed = read(body + h("Sub", 2), styles=f"<text:outline-style>{outline}</text:outline-style>")
    expected = ["1 One", "1.1. Sub", "No", "2 Two", "2.1. Sub"]
    assert blocks(parsed) == [h.text for h in parsed.headings] == expected


def test_words_as_they_are_shown() -> None:
    automatic = style("Up", 'style:text-position="super 58%"') + style(
        "Gone", 'text:display="none"'
    )
    content = (
        "line\n one<text:line-break/>two<text:tab/>x<text:s text:c='3'/>"
        "<text:a>link</text:a> 10<text:span text:style-name='Up'>3</text:span>"
        "<text:span text:style-name='Gone'>hidden</text:span>"
        "<office:annotation><text:p>comment</text:p></office:annotation>"
        "<text:ruby><text:ruby-base>base</text:ruby-base><text:ruby-text>over</text:ruby-text></text:ruby>"
        "e\u00adnd"
    )
    assert blocks(read(p(content), automatic=automatic)) == ["line one\ntwo x link 10³baseend"]


def test_what_repeats_other_words_and_what_was_deleted_is_left_out() -> None:
    index = f"<text:index-body>{p('Days 1')}</text:index-body>"
    body = (
        f"<text:tracked-changes>{p('old')}</text:tracked-changes>"
        f"<text:table-of-content>{index}</text:table-of-content>"
        f"<text:section>{p('in a section')}</text:section>"
        f'<text:section text:display="none">{p("hidden")}</text:section>'
        f"<text:bibliography>{index}</text:bibliography>"
    )
    assert blocks(read(body)) == ["in a section", "Days 1"]


def note(number: int, kind: str = "footnote") -> str:
    body = f"<text:note-body>{p(f'note{number}')}{p('more')}</text:note-body>"
    citation = f"<text:note-citation>{number}</text:note-citation>"
    return f'<text:note text:note-class="{kind}">{citation}{body}</text:note>'


def test_notes_and_boxes_stand_after_their_paragraph_and_endnotes_at_the_end() -> None:
    box = f"<draw:frame><draw:text-box>{p('boxed' + note(2))}</draw:text-box></draw:frame>"
    shape = f"<draw:custom-shape>{p('shaped')}</draw:custom-shape>"
    body = (
        f"<draw:frame><draw:text-box>{p('on the page')}</draw:text-box></draw:frame>"
        + p(f"one{note(1)} word{box}{note(9, 'endnote')}{shape}")
        + p("two")
        + table(["a", cell(p("b" + note(3)))])
    )
    assert blocks(read(body)) == [
        *("on the page", "one[1] word[9]", "boxed[2]", "shaped", "[1] note1", "more"),
        *("[2] note2", "more", "two", "a | b[3]", "[3] note3", "more", "[9] note9", "more"),
    ]


def test_tables_name_their_columns() -> None:
    head = (
        "<table:table-header-rows><table:table-row>{}</table:table-row></table:table-header-rows>"
    )
    covered = "<table:covered-table-cell/>"
    body = table(
        [cell("Probe", 'table:number-rows-spanned="2"'), "good", "day"],
        [covered, "best", "week"],
        [cell("all", 'table:number-columns-spanned="3"'), covered, covered],
    ).replace(
        "<table:table>",
        "<table:table>"
        + head.format(cell("Item") + cell("Rate", 'table:number-columns-spanned="2"') + covered),
    )
    assert blocks(read(body)) == [
        *("Item: Probe; Rate: good; Rate: day", "Item: Probe; Rate: best; Rate: week", "all")
    ]


def test_bold_cells_name_others() -> None:
    styles = style("Table_20_Heading", 'fo:font-weight="bold"') + style(
        "B", 'fo:font-weight="bold"'
    )
    spanned = '<text:span text:style-name="B">{}</text:span>'
    body = table(
        [cell(p("Item", "Table_20_Heading")), cell(p(spanned.format("Rate")))], ["Probe", "good"]
    )
    assert blocks(read(body, styles=styles)) == ["Item: Probe; Rate: good"]
    assert blocks(read(body)) == ["Item | Rate", "Probe | good"]


def test_tables_that_arrange_the_page_are_read_as_blocks() -> None:
    inner = table(["a", "b"])
    body = table(["left", cell(p("right") + inner)]) + table(["one"], ["two"])
    assert blocks(read(body)) == ["left", "right", "a | b", "one", "two"]
    assert blocks(read(table(["k", cell(listed(p("x"), p("y")))]))) == ["k | x y"]


def test_a_formula_is_read_where_it_stands() -> None:
    maths = (
        b'<!DOCTYPE math PUBLIC "-//X//EN" "math.dtd"><math xmlns="http://www.w3.org/1998/Math/MathML">'
        b"<semantics><mrow><msup><mi>x</mi><mn>2</mn></msup><mo> = </mo><mfrac><mi>a</mi><mi>b</mi>"
        b"</mfrac></mrow><annotation>x^2</annotation></semantics></math>"
    )
    held = (
        '<draw:frame><draw:object xmlns:xlink="http://www.w3.org/1999/xlink" '
        'xlink:href="./Object 1"/></draw:frame>'
    )
    files = dict(contents(odt(p(f"Let {held} be. {held.replace('1', '2')}"))))
    files |= {"Object 1/content.xml": maths, "Object 2/content.xml": b"<chart>no</chart>"}
    assert blocks(parse("a.odt", packed(files.items()))) == ["Let x^2=a/b be."]


_words = st.text(st.sampled_from("abé <&日\u00a0\U0001f600"), max_size=20)


@st.composite
def _story(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A body, and the paragraphs it must come out as; a number makes each of them unique."""
    body: list[str] = []
    expected: list[str] = []
    for number in range(draw(st.integers(1, 12))):
        words = f"w{number} {draw(_words)} z"
        plain, inner = " ".join(words.split()), escape(words)
        kind = draw(st.sampled_from(["p", "h", "list", "section", "row", "nested", "box", "note"]))
        body.append(
            {
                "h": h(inner, 2),
                "list": listed(p(inner) + listed(p(f"in{number}"))),
                "section": f"<text:section>{p(inner)}</text:section>",
                "row": table([cell(p(inner)), f"in{number}"]),
                "nested": table([cell(p(inner)), cell(table([f"in{number}", "x"]))]),
                "box": p(
                    inner
                    + f"<draw:frame><draw:text-box>{p(f'in{number}')}</draw:text-box></draw:frame>"
                ),
                "note": p(inner + note(number)),
            }.get(kind, p(inner))
        )
        expected += {
            "list": [plain, f"in{number}"],
            "row": [f"{plain} | in{number}"],
            "nested": [plain, f"in{number} | x"],
            "box": [plain, f"in{number}"],
            "note": [f"{plain}[{number}]", f"[{number}] note{number}", "more"],
        }.get(kind, [plain])
    return "".join(body), expected


@settings(deadline=None)
@given(_story())
def test_every_paragraph_arrives_once_and_in_order(story: tuple[str, list[str]]) -> None:
    body, expected = story
    assert blocks(read(body)) == expected


RICH = odt(
    h("Head", 1) + listed(p("a") + listed(p("b")), more='text:style-name="N"')
    + p("x" + note(1) + f"<draw:frame><draw:text-box>{p('y')}</draw:text-box></draw:frame>")
    + table([cell("a", 'table:number-columns-spanned="2"'), "<table:covered-table-cell/>"], ["c"]),
    automatic=f'<text:list-style style:name="N">{numbers(1, "1")}</text:list-style>',
    styles=style("Title"),
    meta="<dc:title>t</dc:title>",
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["content", "styles", "meta"]).flatmap(lambda n: mangled(RICH, f"{n}.xml")))
def test_elements_in_the_wrong_places_are_read_or_refused(data: bytes) -> None:
    with suppress(FileRefused):
        blocks(parse("a.odt", data))


def changed(name: str, old: bytes, new: bytes) -> bytes:
    files = dict(contents(RICH))
    assert old in files[name]
    return packed({**files, name: files[name].replace(old, new, 1)}.items())


DTD = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><office:document-content '
HOSTILE = {
    "sections": (
        odt("<text:section>" * 20_000 + "</text:section>" * 20_000),
        "nested deeper than any",
    ),
    "entities": (changed("content.xml", b"<office:document-content ", DTD), "DOCTYPE"),
    "encrypted": (
        changed("META-INF/manifest.xml", b"<manifest/>", b"<m><encryption-data/></m>"),
        "remove the password",
    ),
    "no content": (
        packed([("mimetype", ODT_KIND), ("META-INF/manifest.xml", b"")]),
        "content.xml in it",
    ),
    "a sheet": (
        packed((n, c.replace(b"office:text", b"office:sheet")) for n, c in contents(RICH)),
        "no text in it",
    ),
    "pictures alone": (odt("<text:p><draw:frame/></text:p>"), "no text came out"),
    "half of it": (RICH[: len(RICH) // 2], "fetch it again"),
    "a bomb": (packed([("mimetype", ODT_KIND), ("content.xml", bytes(300_000_000))]), "100 times"),
    "a way out": (packed([("mimetype", ODT_KIND), ("../content.xml", b"")]), "leads outside"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_reason(parser: Parser, name: str) -> None:
    data, reason = HOSTILE[name]
    with pytest.raises(FileRefused, match=reason):
        parser.parse("a.odt", data)
    assert parser.parse("a.txt", b"next").text == "next"


@pytest.mark.parametrize(
    "data", [b"words", packed([("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")])]
)
def test_other_content_is_no_odt(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.odt"):
        parse("a.odt", data)
