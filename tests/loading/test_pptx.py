from __future__ import annotations

import io
from contextlib import suppress
from datetime import datetime

import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx.oxml import parse_xml
from pptx.presentation import Presentation
from pptx.shapes.shapetree import GroupShapes, SlideShapes
from pptx.slide import Slide
from pptx.table import Table
from pptx.util import Emu

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.formats import parse
from rag.loading.parser import Parser
from rag.text import paragraphs
from rag.types import Parsed
from tests.loading.texts import blocks
from tests.loading.zips import A, P, contents, mangled, packed, slides

FOUR = (Emu(0), Emu(0), Emu(9), Emu(9))
TITLE, CONTENT, TITLE_ONLY, BLANK = 0, 1, 5, 6  # layouts of the library's own template


def saved(made: Presentation) -> bytes:
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def read(made: Presentation) -> Parsed:
    return parse("a.pptx", saved(made))


def added(made: Presentation, layout: int, *texts: str) -> Slide:
    slide: Slide = made.slides.add_slide(made.slide_layouts[layout])
    for place, text in zip(slide.placeholders, texts, strict=False):
        place.text = text
    return slide


def boxed(shapes: SlideShapes | GroupShapes, text: str) -> None:
    shapes.add_textbox(*FOUR).text_frame.text = text


def tabled(slide: Slide, rows: int, columns: int) -> Table:
    return slide.shapes.add_table(rows, columns, *FOUR).table


def noted(slide: Slide, text: str) -> None:
    frame = slide.notes_slide.notes_text_frame
    assert frame is not None
    frame.text = text


def shaped(slide: Slide, body: str, more: str = "") -> None:
    """Adds a shape whose paragraphs are written by hand."""
    slide.shapes._spTree.append(
        parse_xml(
            f'<p:sp {P} {A}><p:nvSpPr><p:cNvPr id="9" name="x"{more}/><p:cNvSpPr/><p:nvPr/>'
            f"</p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>{body}</p:txBody></p:sp>"
        )
    )


def test_a_slide_is_a_page_and_its_title_a_heading() -> None:
    made = pptx.Presentation()
    made.core_properties.title = "Travel"
    made.core_properties.modified = datetime(2024, 3, 1)
    added(made, TITLE, "Travel\vrules", "For all")
    added(made, BLANK)
    slide = added(made, CONTENT, "Limits", "135 euros\n\n a\tnight ")
    boxed(slide.shapes, "Ask finance")
    noted(slide, "Say it.\nTwice.")
    parsed = read(made)
    assert blocks(parsed) == [
        *("Travel\nrules", "For all"),
        *("Limits", "135 euros", "a night", "Ask finance", "Notes: Say it.", "Notes: Twice."),
    ]
    headings = [(h.level, h.text) for h in parsed.headings]
    assert headings == [(1, "Travel rules"), (2, "Limits")]
    assert parsed.pages == (0, 23, 23)
    assert parsed.text[23:].startswith("Limits")
    assert (parsed.title, parsed.date, parsed.loader) == ("Travel", "2024-03-01", "pptx/1")


def test_the_title_is_read_first_and_the_rest_in_its_order_groups_opened() -> None:
    made = pptx.Presentation()
    slide = added(made, TITLE_ONLY, "Title")
    boxed(slide.shapes, "one")
    group = slide.shapes.add_group_shape()
    boxed(group.shapes, "two")
    boxed(group.shapes.add_group_shape().shapes, "three")
    boxed(slide.shapes, "four")
    title = slide.shapes.title
    assert title is not None
    slide.shapes._spTree.append(title._element)
    parsed = read(made)
    assert blocks(parsed) == ["Title", "one", "two", "three", "four"]
    assert parsed.title == "Title"


def test_tables_name_their_columns_where_the_first_row_is_one_of_names() -> None:
    made = pptx.Presentation()
    slide = added(made, BLANK)
    table = tabled(slide, 4, 3)
    cells = ("Item", "Rate", "", "Probe", "35", "day", "", "200", "week", "All", "", "")
    for cell, text in zip(table.iter_cells(), cells, strict=True):
        cell.text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 0).merge(table.cell(3, 2))
    expected = ["Item: Probe; Rate: 35; Rate: day", "Item: Probe; Rate: 200; Rate: week", "All"]
    assert blocks(read(made)) == expected
    table.first_row, table.first_col = False, True
    found = blocks(read(made))
    assert found == ["Item: Rate", "Probe: 35 | day", "Probe: 200 | week", "All"]


def test_numbers_of_paragraphs() -> None:
    def numbered(level: int, scheme: str, more: str = "") -> str:
        rule = f'<a:buAutoNum type="{scheme}"{more}/>' if scheme else ""
        return f'<a:p><a:pPr lvl="{level}">{rule}</a:pPr><a:r><a:t>x</a:t></a:r></a:p>'

    steps = [
        (0, "arabicPeriod", "1. x"), (1, "alphaLcParenR", "a) x"), (1, "alphaLcParenR", "b) x"),
        (0, "arabicPeriod", "2. x"), (1, "alphaLcParenR", "a) x"), (0, "", "x"),
        (0, "arabicPeriod", "1. x"), (0, "romanUcParenBoth", "(I) x"), (0, "alphaUcPlain", "A x"),
        (0, "whatever", "1. x"),
    ]  # fmt: skip
    made = pptx.Presentation()
    slide = added(made, BLANK)
    shaped(slide, "".join(numbered(level, scheme) for level, scheme, _ in steps))
    shaped(slide, numbered(0, "romanLcPeriod", ' startAt="4"'))
    assert blocks(read(made)) == [*(shown for *_, shown in steps), "iv. x"]


def test_words_as_they_are_shown() -> None:
    made = pptx.Presentation()
    slide = added(made, BLANK)
    shaped(
        slide,
        '<a:p><a:r><a:rPr lang="de-DE"/><a:t>10</a:t></a:r><a:r><a:rPr baseline="30000"/>'
        '<a:t>3</a:t></a:r><a:br/><a:fld id="{1}" type="slidenum"><a:t>7</a:t></a:fld>'
        '<a:fld id="{2}" type="x"><a:t>today</a:t></a:fld><a:r>'
        '<a:rPr baseline="0"/><a:t> 4</a:t></a:r></a:p>',
    )
    shaped(slide, "<a:p><a:r><a:t>gone</a:t></a:r></a:p>", ' hidden="1"')
    parsed = read(made)
    assert (blocks(parsed), parsed.language) == (["10³\ntoday 4"], "de-DE")


def test_a_formula_is_read_where_it_stands_and_once() -> None:
    maths = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    power = (
        f"<m:oMath {maths}><m:sSup><m:sSupPr/><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r>"
        "<m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath>"
    )
    old = "<a:r><a:t>x2</a:t></a:r>"
    made = pptx.Presentation()
    shaped(
        added(made, BLANK),
        f'<a:p><a:r><a:t>Let </a:t></a:r><mc:AlternateContent {mc}><mc:Choice Requires="a14">'
        f"{power}</mc:Choice><mc:Fallback>{old}</mc:Fallback></mc:AlternateContent></a:p>",
    )
    assert blocks(read(made)) == ["Let x^2"]


def test_what_is_said_twice_for_older_programs_is_read_once() -> None:
    def shape(text: str) -> str:
        body = f"<p:txBody><a:bodyPr/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody>"
        return f"<p:sp><p:nvSpPr/>{body}</p:sp>"

    made = pptx.Presentation()
    slide = added(made, BLANK)
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    slide.shapes._spTree.append(
        parse_xml(
            f'<mc:AlternateContent {mc} {P} {A}><mc:Choice Requires="p14">{shape("new")}'
            f"</mc:Choice><mc:Fallback>{shape('old')}</mc:Fallback></mc:AlternateContent>"
        )
    )
    assert blocks(read(made)) == ["new"]


def test_the_words_of_a_diagram() -> None:
    dgm = 'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
    points = "".join(
        f"<dgm:pt{kind}><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>"
        for kind, text in (("", "Plan"), (' type="parTrans"', "no"), (' type="asst"', "Do"))
    )
    data = f"<dgm:dataModel {dgm} {A}><dgm:ptLst>{points}</dgm:ptLst></dgm:dataModel>".encode()
    frame = '<p:graphicFrame><a:graphic><dgm:relIds r:dm="rId1"/></a:graphic></p:graphicFrame>'
    assert blocks(parse("a.pptx", slides([frame], diagramData=data))) == ["Plan", "Do"]


_words = st.text(st.sampled_from("abé <&日\u00a0\U0001f600"), max_size=20)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("bgtn"), _words), max_size=5), min_size=1, max_size=4
    )
)
def test_every_paragraph_arrives_once_in_order_and_on_its_page(
    deck: list[list[tuple[str, str]]],
) -> None:
    made = pptx.Presentation()
    expected = []
    for page, shapes in enumerate(deck):
        slide = added(made, TITLE_ONLY, f"Title {page}")
        expected.append((f"Title {page}", page))
        spoken = []
        for place, (kind, words) in enumerate(shapes):
            text = f"w{page}.{place} {words} z"
            plain = " ".join(text.split())
            if kind == "g":
                boxed(slide.shapes.add_group_shape().shapes, text)
            elif kind == "t":
                table = tabled(slide, 1, 2)
                table.cell(0, 0).text, table.cell(0, 1).text = text, "in"
            elif kind == "n":
                spoken.append(text)
            else:
                boxed(slide.shapes, text)
            expected += {"t": [(f"{plain} | in", page)], "n": []}.get(kind, [(plain, page)])
        if spoken:
            noted(slide, "\n".join(spoken))
        expected += [(f"Notes: {' '.join(text.split())}", page) for text in spoken]
    parsed = read(made)
    ends = [*parsed.pages[1:], len(parsed.text)]
    found = [
        (span.of(parsed.text), sum(span.start >= end for end in ends))
        for span in paragraphs(parsed.text)
    ]
    assert found == expected


def rich() -> bytes:
    made = pptx.Presentation()
    slide = added(made, CONTENT, "Title", "One\nTwo")
    table = tabled(slide, 2, 2)
    for cell in table.iter_cells():
        cell.text = "c"
    table.cell(0, 0).merge(table.cell(1, 0))
    noted(slide, "Note")
    return saved(made)


RICH = rich()
PARTS = ("presentation", "slides/slide1", "notesSlides/notesSlide1")


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(PARTS).flatmap(lambda name: mangled(RICH, f"ppt/{name}.xml")))
def test_elements_in_the_wrong_places_are_read_or_refused(data: bytes) -> None:
    with suppress(FileRefused):
        blocks(parse("a.pptx", data))


DOCTYPE = b'<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]><p:sld '
HOSTILE = {
    "groups": (slides(["<p:grpSp>" * 20_000 + "</p:grpSp>" * 20_000]), "nested deeper than any"),
    "no words": (slides([""]), "no text came out of 1 slide:"),
    "no slides": (slides([]), "no text came out of 0 slides"),
    "a slide that is missing": (
        packed(e for e in contents(slides(["", ""])) if "slide2" not in e[0]),
        "a slide is missing",
    ),
    "entities": (
        packed((n, c.replace(b"<p:sld ", DOCTYPE)) for n, c in contents(slides(["&a;"]))),
        "DOCTYPE",
    ),
    "half of it": (RICH[: len(RICH) // 2], "fetch it again"),
    "a bomb": (packed([("ppt/slides/slide1.xml", bytes(300_000_000))]), "more than 100 times"),
    "a way out": (packed([("ppt/a", b""), ("ppt/../../x", b"")]), "leads outside"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_reason(parser: Parser, name: str) -> None:
    data, reason = HOSTILE[name]
    with pytest.raises(FileRefused, match=reason):
        parser.parse("a.pptx", data)
    assert parser.parse("a.txt", b"next").text == "next"


@pytest.mark.parametrize("data", [b"words", packed([("word/document.xml", b"")])])
def test_other_content_is_no_pptx(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.pptx"):
        parse("a.pptx", data)
