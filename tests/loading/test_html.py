from __future__ import annotations

from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.formats import parse
from rag.types import Parsed
from tests.loading import texts

PAGE = """<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><title>Leave | Institute</title>
<meta name="date" content="2024-03-01T08:00:00+01:00"><style>p {{color: red}}</style></head>
<body class="has-sidebar menu-open">
<div id="cookie-banner"><p>BOILER cookies?</p><button>Accept</button></div>
<header class="site-header"><p>BOILER Institute</p>
<nav><ul><li><a href="/">BOILER Home</a></li></ul></nav></header>
<p class="breadcrumb"><a href="/">BOILER Home</a> &rsaquo; BOILER Rules</p>
<div class="sidebar"><ul><li><a>BOILER one</a></li><li><a>BOILER two</a></li></ul></div>
<ul><li><a>BOILER a</a></li><li><a>BOILER b</a></li><li><a>BOILER c</a></li></ul>
{content}
<script>BOILER()</script><noscript>BOILER enable it</noscript>
<div role="dialog">BOILER subscribe</div><p hidden>BOILER</p><p style="display: none">BOILER</p>
<form><input value="BOILER"><select><option>BOILER</option></select></form>
<footer><p>BOILER imprint</p></footer></body></html>"""
LAYOUTS = ("<main>{}</main>", "<div role='main'>{}</div>", "<article>{}</article>", "<div>{}</div>")
LONG = "These words are here so that the content outweighs every menu around it by far. " * 3


def read(html: str) -> Parsed:
    return parse("a.html", html.encode())


def blocks(html: str) -> list[str]:
    return texts.blocks(read(html))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_menus_banners_and_footers_are_left_out(layout: str) -> None:
    content = f"<h1>Leave</h1><p>{LONG}</p><h2>Days</h2><p>You get <b>28</b>&nbsp;days.</p>"
    parsed = read(PAGE.format(content=layout.format(content)))
    assert parsed.text == f"Leave\n\n{LONG.strip()}\n\nDays\n\nYou get 28 days."
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "Leave"), (2, "Days")]
    assert [h.span.of(parsed.text) for h in parsed.headings] == ["Leave", "Days"]
    assert (parsed.title, parsed.date, parsed.language) == ("Leave", "2024-03-01", "en-GB")


def test_names_prove_nothing_about_the_content_itself() -> None:
    content = (
        "<main><aside class='sidebar'>A note</aside><div class='cookie-policy'>On cookies</div>"
        "<article><header><h1>Title</h1></header><footer>By us</footer></article>"
        "<ul class='menu'><li>Soup</li></ul></main>"
    )
    assert blocks(content) == ["A note", "On cookies", "Title", "By us", "Soup"]


def test_a_page_that_is_small_beside_its_frame_keeps_its_words() -> None:
    assert blocks("<body><header><h1>Parking</h1></header><p>Bay 4.</p></body>") == [
        "Parking",
        "Bay 4.",
    ]


_words = st.text(st.sampled_from("abcé <&'\u00a0\u2028\U0001f600"), min_size=1, max_size=20)


@st.composite
def _content(draw: st.DrawFn) -> tuple[str, list[str]]:
    """HTML, and the paragraphs it must come out as; a number makes each of them unique."""
    html, expected = [], []
    for number in range(draw(st.integers(1, 12))):
        words = f"w{number} {draw(_words)} z"
        plain = " ".join(words.split())
        kind = draw(
            st.sampled_from(["p", "h2", "li", "div", "quote", "inline", "row", "pre", "dl"])
        )
        inner = escape(words)
        html.append(
            {
                "li": f"<ul><li>{inner}<ul><li>in{number}</li></ul></ul>",
                "quote": f"<blockquote><p>{inner}</p></blockquote>",
                "inline": f"<p><i>x</i>{inner}<!-- no --><script>no</script>",
                "row": f"<table><tr><td>{inner}<td>in{number}</table>",
                "pre": f"<pre>{inner.replace(chr(0x2028), ' ')}\n\nin{number}</pre>",
                "dl": f"<dl><dt>{inner}<dd><p>in{number}</p><dd>more</dl>",
            }.get(kind, f"<{kind}>{inner}</{kind}>")
        )
        expected += {
            "li": [plain, f"in{number}"],
            "inline": [f"x{plain}"],
            "row": [f"{plain} | in{number}"],
            "pre": [words.replace("\u2028", " "), f"in{number}"],
            "dl": [f"{plain}: in{number}", "more"],
        }.get(kind, [plain])
    return "".join(html), expected


@settings(deadline=None)
@given(_content(), st.sampled_from(LAYOUTS[:3]))
def test_every_paragraph_arrives_once_and_in_order(
    content: tuple[str, list[str]], layout: str
) -> None:
    html, expected = content
    assert blocks(PAGE.format(content=layout.format(html))) == expected


def test_line_breaks_stay_in_a_paragraph_and_two_of_them_end_it() -> None:
    assert blocks("<p> Ask <br> finance.<br>&nbsp;<br><br>Phone</p>") == ["Ask\nfinance.", "Phone"]


def test_a_heading_with_a_blank_line_is_two_headings() -> None:
    parsed = read("<h2>One<br><br>Two</h2><p>Text")
    assert [h.span.of(parsed.text) for h in parsed.headings] == ["One", "Two"]


def test_exponents_stay_exponents() -> None:
    assert blocks("<p>10<sup>-3</sup> m<sup>2</sup>, the 4<sup>th</sup>, CO<sub>2</sub>") == [
        "10⁻³ m², the 4th, CO2"
    ]


def test_rows_name_their_columns() -> None:
    html = (
        "<table><caption>Rates</caption>"
        "<thead><tr><th>Item:<th colspan=2>Rate<tr><th><th>day<th>week</thead>"
        "<tr><td rowspan=2>Probe<td>35<td>200<tr><td>40<td>"
        "<tr><td colspan=3>Prices in euros<tr><td colspan=2>Boat<td>9</table>"
    )
    assert blocks(html) == [
        "Rates",
        "Item: Probe; Rate day: 35; Rate week: 200",
        "Item: Probe; Rate day: 40",
        "Prices in euros",
        "Item: Boat; Rate week: 9",
    ]


def test_a_cell_stands_in_every_row_that_it_spans() -> None:
    html = "<table><tr><td rowspan=3>a<td>b<tr><td>c<tr><td>d<tr><td>e<td>f</table>"
    assert blocks(html) == ["a | b", "a | c", "a | d", "e | f"]


def test_tables_without_column_names() -> None:
    html = "<table><tr><th>Chair<td>Ada<td>2021<tr><td>a<td><ul><li>b<li>c</ul></table>"
    assert blocks(html) == ["Chair: Ada | 2021", "a | b c"]
    assert blocks("<table><tr><th>Only<th>names</table>") == ["Only | names"]


def test_a_table_that_arranges_the_page_is_read_as_blocks() -> None:
    html = "<table><tr><td><h1>Title</h1><p>One<td><table><tr><td>a<td>b</table></table>"
    assert blocks(html) == ["Title", "One", "a | b"]


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("<meta property='og:title' content=' In \n metadata '><title>T</title>", "In metadata"),
        ("<title>T</title>", "Heading"),
    ],
)
def test_metadata_goes_before_the_heading(head: str, title: str) -> None:
    assert read(f"<head>{head}</head><p>Text<h2>Heading</h2>").title == title


def test_the_title_element_comes_last() -> None:
    assert read("<title>T &amp; U</title><p>Text").title == "T & U"
    assert read("<p>Text").title is None


@pytest.mark.parametrize(
    ("html", "date"),
    [
        ("<meta property='article:published_time' content='2024-05-06T07:08:09Z'>", "2024-05-06"),
        ("<meta name='DC.date' content='2024-05'>", None),
        (
            '<script type="application/ld+json">{"datePublished": "2024-05-06"}</script>',
            "2024-05-06",
        ),
        ("<p><time datetime='2024-05-06'>then</time>", "2024-05-06"),
        ("<p><time datetime='2024-05-06'>x</time><time datetime='2024-05-07'>y</time>", None),
    ],
)
def test_dates(html: str, date: str | None) -> None:
    assert read(f"{html}<p>Text").date == date


@pytest.mark.parametrize("declared", ["ISO-8859-1", "windows-1252", "latin1"])
def test_the_declared_encoding_is_respected(declared: str) -> None:
    html = f"<html><head><meta charset={declared}></head><p>“Grüße” – 5 €</p>"
    assert parse("a.htm", html.encode("cp1252")).text == "“Grüße” – 5 €"


def test_a_wrong_declaration_is_not() -> None:
    html = '<meta http-equiv="Content-Type" content="text/html; charset=big5"><p>Grüße €</p>'
    assert parse("a.html", html.encode()).text == "Grüße €"
    assert parse("a.html", b"<meta charset=utf-7><p>a+AD4-b").text == "a+AD4-b"


def test_characters_that_no_reader_sees_are_left_out() -> None:
    assert blocks("<p>a&shy;b&#0;c&#xD800;d\u200be\u0007</p>") == ["ab\ufffdc\ufffdde"]


@pytest.mark.parametrize("html", ["<body><nav>menu</nav></body>", "<script>x</script>", "<p></p>"])
def test_a_page_without_words_is_refused(html: str) -> None:
    with pytest.raises(FileRefused, match="no text found"):
        read(html)


def test_text_that_is_no_html_is_refused() -> None:
    with pytest.raises(UnsupportedFormat):
        read("1 < 2")
