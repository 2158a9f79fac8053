from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from xml.sax.saxutils import escape

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.formats import parse
from rag.loading.parser import Parser
from rag.text import paragraphs
from tests.loading import texts
from tests.loading.zips import W, mangled, packed, part, relations, word

BOLD = "<w:rPr><w:b/></w:rPr>"


def blocks(data: bytes) -> list[str]:
    return texts.blocks(parse("a.docx", data))


def run(text: str, properties: str = "") -> str:
    return f'<w:r>{properties}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def p(content: str, properties: str = "") -> str:
    inner = content if content.startswith("<") else run(content)
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def styled(name: str, content: str) -> str:
    return p(content, f'<w:pStyle w:val="{name}"/>')


def style(name: str, shown: str, inner: str = "", kind: str = "paragraph") -> str:
    return f'<w:style w:type="{kind}" w:styleId="{name}"><w:name w:val="{shown}"/>{inner}</w:style>'


def listed(content: str, level: int = 0, number: int = 1) -> str:
    return p(content, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def level(number: int, kind: str, text: str, more: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def rules(*levels: str, name: int = 0) -> str:
    return f'<w:abstractNum w:abstractNumId="{name}">{"".join(levels)}</w:abstractNum>'


def num(name: int, of: int = 0, override: str = "") -> str:
    return f'<w:num w:numId="{name}"><w:abstractNumId w:val="{of}"/>{override}</w:num>'


def table(*rows: list[str], properties: str = "") -> str:
    each = (
        "".join(c if c.startswith("<w:tc") else f"<w:tc>{p(c)}</w:tc>" for c in r) for r in rows
    )
    lines = "".join(f"<w:tr>{row}</w:tr>" for row in each)
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{lines}</w:tbl>"


def test_a_document_of_the_usual_parts() -> None:
    made = docx.Document()
    about = made.core_properties
    about.title, about.modified = " Leave\nrules ", datetime(2024, 3, 1, 8)
    made.sections[0].header.paragraphs[0].text = "On every page"
    made.add_heading("Leave", 0)
    made.add_heading("Days", 2)
    kept = made.add_paragraph("You get ")
    kept.add_run("28").bold = True
    kept.add_run("\u00a0days.\tAsk\nfinance")
    for item in ("one", "two"):
        made.add_paragraph(item, style="List Number")
        made.add_paragraph(item, style="List Bullet")
    grid = made.add_table(2, 2, style="Light Grid Accent 1")
    for cell, text in zip(grid._cells, ("Item", "Rate", "Probe", "35"), strict=True):
        cell.text = text
    stream = io.BytesIO()
    made.save(stream)
    parsed = parse("a.docx", stream.getvalue())
    assert [span.of(parsed.text) for span in paragraphs(parsed.text)] == [
        *("Leave", "Days", "You get 28 days. Ask\nfinance"),
        *("1. one", "• one", "2. two", "• two", "Item: Probe; Rate: 35"),
    ]
    assert [(h.level, h.span.of(parsed.text)) for h in parsed.headings] == [
        (1, "Leave"),
        (2, "Days"),
    ]
    assert (parsed.title, parsed.date) == ("Leave rules", "2024-03-01")
    assert (parsed.language, parsed.loader, parsed.pages) == ("en-US", "docx/1", ())


def test_headings_by_name_and_by_outline_whatever_their_ids_are_called() -> None:
    styles = (
        style("berschrift2", "heading 2")
        + style("Eigen", "Eigen", '<w:pPr><w:outlineLvl w:val="2"/></w:pPr>')
        + style("Davon", "Davon", '<w:basedOn w:val="Eigen"/>')
        + style("Kreis", "Kreis", '<w:basedOn w:val="Kreis"/>')
        + style("Verzeichnis1", "toc 1")
    )
    body = (
        styled("Verzeichnis1", "Zwei 1")
        + styled("berschrift2", "Zwei")
        + styled("Eigen", "Drei")
        + styled("Davon", "Auch drei")
        + styled("Kreis", "Text")
        + styled("Unbekannt", "Text")
        + p("Vier", '<w:outlineLvl w:val="3"/>')
        + p("Text", '<w:pStyle w:val="Eigen"/><w:outlineLvl w:val="9"/>')
    )
    parsed = parse("a.docx", word(body, styles=styles))
    expected = [(2, "Zwei"), (3, "Drei"), (3, "Auch drei"), (4, "Vier")]
    assert [(h.level, h.text) for h in parsed.headings] == expected
    assert parsed.text.count("Zwei") == 1
    assert parsed.title == "Zwei"


def test_lists_are_counted_as_word_does() -> None:
    outline = rules(
        level(0, "decimal", "%1."),
        level(1, "lowerLetter", "%2)"),
        level(2, "upperRoman", "%1.%2.%3", "<w:isLgl/>"),
        level(3, "lowerRoman", "(%4)", '<w:suff w:val="nothing"/>'),
        level(4, "decimalZero", "%5", '<w:lvlRestart w:val="0"/>'),
    )
    again = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
    numbering = outline + num(1) + num(2) + num(3, override=again)
    steps = [
        (0, 1, "1. "), (1, 1, "a) "), (1, 1, "b) "), (2, 1, "1.2.1 "), (3, 1, "(i)"), (4, 1, "01 "),
        (0, 1, "2. "), (1, 1, "a) "), (4, 1, "02 "), (0, 2, "3. "), (0, 3, "7. "), (0, 3, "8. "),
        (0, 1, "9. "), (0, 9, ""), (8, 1, ""), (3, 1, "(i)"), (3, 1, "(ii)"),
    ]  # fmt: skip
    body = "".join(listed(f"x{n}", at, name) for n, (at, name, _) in enumerate(steps))
    found = blocks(word(body, numbering=numbering))
    assert found == [f"{label}x{n}" for n, (_, _, label) in enumerate(steps)]


@pytest.mark.parametrize(
    ("kind", "number", "label"),
    [
        ("lowerLetter", 26, "z"), ("upperLetter", 28, "BB"), ("lowerRoman", 44, "xliv"),
        ("upperRoman", 1999, "MCMXCIX"), ("ordinal", 12, "12th"), ("ordinal", 23, "23rd"),
        ("upperRoman", 4000, "4000"), ("lowerLetter", 99_999, "99999"), ("none", 3, ""),
        ("cardinalText", 3, "3"),
    ],
)  # fmt: skip
def test_numerals(kind: str, number: int, label: str) -> None:
    start = f'<w:lvlOverride w:ilvl="0"><w:startOverride w:val="{number}"/></w:lvlOverride>'
    numbering = rules(level(0, kind, "%1")) + num(1, override=start)
    assert blocks(word(listed("x"), numbering=numbering)) == [f"{label} x".strip()]


def test_bullets_of_fonts_of_symbols_become_one() -> None:
    signs = ("\uf0b7", "o", "–", "►", "")
    numbering = "".join(
        rules(level(0, "bullet", s), name=n) + num(n, n) for n, s in enumerate(signs)
    )
    body = "".join(listed("x", 0, n) for n in range(len(signs)))
    assert blocks(word(body, numbering=numbering)) == ["• x", "• x", "– x", "► x", "x"]


def test_numbers_by_style_and_by_the_style_of_a_list() -> None:
    numbered = '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
    styles = (
        style("H1", "heading 1", numbered)
        + style("H2", "heading 2", numbered)
        + style("L", "L", '<w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr>', "numbering")
    )
    linked = (f'<w:pStyle w:val="H{n}"/>' for n in (1, 2))
    numbering = (
        rules(level(0, "decimal", "%1", next(linked)), level(1, "decimal", "%1.%2", next(linked)))
        + rules(level(0, "upperLetter", "%1."), name=1)
        + '<w:abstractNum w:abstractNumId="2"><w:numStyleLink w:val="L"/></w:abstractNum>'
        + num(1) + num(2, 1) + num(3, 2)
    )  # fmt: skip
    plain = p("Plain", '<w:pStyle w:val="H1"/><w:numPr><w:numId w:val="0"/></w:numPr>')
    body = "".join((styled("H1", "One"), styled("H2", "Two"), styled("H2", "Three"), plain))
    parsed = parse("a.docx", word(body + listed("x", 0, 3), styles=styles, numbering=numbering))
    assert parsed.text.split("\n\n") == ["1 One", "1.1 Two", "1.2 Three", "Plain", "A. x"]
    assert [h.text for h in parsed.headings] == ["1 One", "1.1 Two", "1.2 Three", "Plain"]


def test_what_was_deleted_is_left_out_and_what_was_inserted_is_read() -> None:
    body = p(
        run("a ")
        + f"<w:ins>{run('new ')}</w:ins><w:moveTo>{run('moved ')}</w:moveTo>"
        + "<w:del><w:r><w:delText>old </w:delText><w:br/></w:r></w:del>"
        + f"<w:moveFrom>{run('moved ')}</w:moveFrom>"
        + f'<w:hyperlink r:id="x">{run("link ")}</w:hyperlink>'
        + f'<w:fldSimple w:instr="PAGE">{run("7 ")}</w:fldSimple>'
        + f"<w:smartTag>{run('tag ')}</w:smartTag>"
        + "<w:r><w:instrText>HYPERLINK</w:instrText></w:r>"
        + run("hidden", "<w:rPr><w:vanish/></w:rPr>")
        + run("b", '<w:rPr><w:vanish w:val="0"/></w:rPr>')
    )
    joined = p("first half", "<w:rPr><w:del/></w:rPr>") + p(", second half")
    row = f"<w:tr><w:trPr><w:del/></w:trPr><w:tc>{p('gone')}</w:tc><w:tc>{p('gone')}</w:tc></w:tr>"
    rows = table(["k", "v"]).replace("</w:tbl>", f"{row}</w:tbl>")
    assert blocks(word(body + joined + rows)) == [
        *("a new moved link 7 tag b", "first half, second half", "k | v")
    ]


def test_letters_that_are_elements() -> None:
    body = (
        "<w:r><w:t>soft</w:t><w:softHyphen/><w:t>hyphen e</w:t><w:noBreakHyphen/><w:t>mail</w:t>"
        '<w:tab/><w:t>x</w:t><w:br/><w:t>y</w:t><w:br w:type="page"/><w:t>z</w:t><w:cr/>'
        '<w:sym w:font="Wingdings" w:char="F0FE"/><w:sym w:font="A" w:char="2610"/>'
        '<w:sym w:char="F001"/><w:sym w:char="zz"/></w:r>'
    )
    assert blocks(word(p(body))) == ["softhyphen e-mail x\ny z\n☑☐"]
    assert blocks(word(p("<w:r><w:t>a</w:t><w:br/><w:br/><w:t>b</w:t></w:r>"))) == ["a", "b"]
    power = run("10") + run("3", '<w:rPr><w:vertAlign w:val="superscript"/></w:rPr>')
    assert blocks(word(p(power))) == ["10³"]


def test_formulas_are_read_on_one_line() -> None:
    def maths(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    parts = f"<m:fPr/><m:num>{maths('a+b')}</m:num><m:den>{maths('c')}</m:den>"
    power = f"<m:sSup><m:e>{maths('x')}</m:e><m:sup>{maths('2')}</m:sup></m:sSup>"
    formula = f"<m:oMath>{power}{maths('=')}<m:f>{parts}</m:f></m:oMath>"
    assert blocks(word(p(run("Let ") + formula))) == ["Let x^2=a+b/c"]


def test_content_controls_at_every_level_and_their_hints() -> None:
    def control(content: str, properties: str = "") -> str:
        return (
            f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"
        )

    hint = control(run("Click to enter text"), "<w:showingPlcHdr/>")
    gallery = '<w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj>'
    first, second = p("a"), control(p("b"))
    row = f"<w:tr>{control(f'<w:tc>{first}</w:tc>')}<w:tc>{second}</w:tc></w:tr>"
    body = (
        control(p("Contents 1"), gallery)
        + control(control(p(run("one ") + control(control(run("two"))) + hint)))
        + f"<w:customXml>{p('three')}</w:customXml><w:tbl>{control(row)}</w:tbl>"
    )
    assert blocks(word(body)) == ["one two", "three", "a | b"]


def test_a_text_box_is_read_once_and_after_its_paragraph() -> None:
    box = f"<w:txbxContent>{p('In the box')}{p('twice')}</w:txbxContent>"
    drawn = (
        '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>'
        f"{box}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{box}"
        "</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    expected = ["Before after", "In the box", "twice", "Next"]
    assert blocks(word(p(run("Before ") + drawn + run("after")) + p("Next"))) == expected
    goes_on = p(run("Before ") + drawn, "<w:rPr><w:del/></w:rPr>") + p("after") + p("Next")
    assert blocks(word(goes_on)) == expected
    old = f"<w:r><w:pict><v:textbox>{box}</v:textbox></w:pict></w:r>"
    assert blocks(word(p(run("Before after") + old) + p("Next"))) == expected


def note(kind: str, name: int, more: str = "") -> str:
    return f'<w:r><w:{kind}Reference w:id="{name}"{more}/></w:r>'


def test_notes_stand_after_their_paragraph_or_at_the_end_with_their_number() -> None:
    footnotes = (
        f'<w:footnote w:type="separator" w:id="-1">{p("line")}</w:footnote>'
        f'<w:footnote w:id="5">{p("<w:r><w:footnoteRef/></w:r>" + run(" Five."))}{p("More.")}'
        f'</w:footnote><w:footnote w:id="4">{p("Four.")}</w:footnote>'
        f'<w:footnote w:id="8">{p(run("* Starred.") + note("footnote", 8))}</w:footnote>'
    )
    endnotes = f'<w:endnote w:id="2">{p("End.")}</w:endnote>'
    body = (
        p(
            run("One")
            + note("footnote", 5)
            + note("endnote", 2)
            + run(" word")
            + note("footnote", 4)
        )
        + p(run("Two*") + note("footnote", 8, ' w:customMarkFollows="1"') + note("footnote", 99))
        + table(["a", f"<w:tc>{p(run('b') + note('footnote', 5))}</w:tc>"])
    )
    assert blocks(word(body, footnotes=footnotes, endnotes=endnotes)) == [
        *("One[1][i] word[2]", "[1] Five.", "More.", "[2] Four."),
        *("Two*", "* Starred.", "a | b[1]", "[i] End."),
    ]


def test_the_format_of_the_numbers_of_notes() -> None:
    settings = '<w:footnotePr><w:numFmt w:val="upperLetter"/></w:footnotePr>'
    footnotes = f'<w:footnote w:id="1">{p("Note.")}</w:footnote>'
    data = word(p(run("x") + note("footnote", 1)), footnotes=footnotes, settings=settings)
    assert blocks(data) == ["x[A]", "[A] Note."]


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{p(text)}</w:tc>"


def test_merged_cells_are_said_once_in_a_row_and_stand_in_each_row_that_they_cover() -> None:
    down, more = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    body = table(
        [cell(run("Item", BOLD)), cell(run("Rate", BOLD), '<w:gridSpan w:val="2"/>')],
        [cell("Probe", down), cell("35"), cell("day")],
        [cell("", more), cell("200"), cell("week")],
        [cell("All in euros", '<w:gridSpan w:val="3"/>')],
    )
    assert blocks(word(body)) == [
        "Item: Probe; Rate: 35; Rate: day",
        "Item: Probe; Rate: 200; Rate: week",
        "All in euros",
    ]


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        ('w:firstRow="1" w:firstColumn="0"', "Item: Boat; Rate: best"),
        ('w:val="00A0"', "Item: Boat; Rate: best"),
        ('w:firstRow="0" w:firstColumn="1"', "Boat: best"),
        ('w:val="zz"', "Boat | best"),
    ],
)
def test_a_style_tells_which_cells_name_others(look: str, expected: str) -> None:
    conditions = "".join(f'<w:tblStylePr w:type="{t}"/>' for t in ("firstRow", "firstCol"))
    styles = style("Base", "Base", conditions, "table") + style(
        "T", "T", '<w:basedOn w:val="Base"/>', "table"
    )
    properties = f'<w:tblStyle w:val="T"/><w:tblLook {look}/>'
    body = table(["Item", "Rate"], ["Probe", "good"], ["Boat", "best"], properties=properties)
    assert blocks(word(body, styles=styles))[-1] == expected
    assert blocks(word(body))[-1] == "Boat | best"  # nothing is set off where no style does it


def test_rows_that_repeat_on_each_page_name_the_columns() -> None:
    body = table(["Rate", "Rate"], ["day", "week"], ["good", "best"])
    body = body.replace("<w:tr>", "<w:tr><w:trPr><w:tblHeader/></w:trPr>", 2)
    assert blocks(word(body)) == ["Rate day: good; Rate week: best"]


def test_a_plain_first_row_names_the_columns_where_figures_stand_below_it() -> None:
    assert blocks(word(table(["Item", "Rate"], ["Probe", "35"], ["Boat", "9"])))[0] == (
        "Item: Probe; Rate: 35"
    )
    assert blocks(word(table(["Name", "Ada"], ["Room", "B 12"])))[0] == "Name | Ada"
    assert blocks(word(table(["1", "Ada"], ["2", "Bob"], ["3", "Eve"])))[0] == "1 | Ada"


def test_tables_that_arrange_the_page_are_read_as_blocks() -> None:
    inner = table(["Item", "Rate"], ["Probe", "35"], ["Boat", "9"])
    body = table(["left", f"<w:tc>{p('right')}{inner}{p('')}</w:tc>"]) + table(["one"], ["two"])
    expected = ["left", "right", "Item: Probe; Rate: 35", "Item: Boat; Rate: 9", "one", "two"]
    assert blocks(word(body)) == expected
    heading, styles = styled("H", "Head"), style("H", "heading 2")
    page = table([f"<w:tc>{heading}{p('text')}</w:tc>", "side"])
    data = table([f"<w:tc>{heading}{p('')}</w:tc>", "side"])
    assert blocks(word(page + data, styles=styles)) == ["Head", "text", "side", "Head | side"]


def test_lists_in_cells_keep_their_numbers() -> None:
    numbering = rules(level(0, "decimal", "%1.")) + num(1)
    body = table(["k", f"<w:tc>{listed('a')}{listed('b')}</w:tc>"])
    assert blocks(word(body + listed("c"), numbering=numbering)) == ["k | 1. a 2. b", "3. c"]


def test_strict_files_and_other_names_of_the_main_part() -> None:
    strict = "http://purl.oclc.org/ooxml"
    files = {
        "_rels/.rels": relations([("officeDocument", "/word/document2.xml")]),
        "word/document2.xml": part("document", f"<w:body>{p('words')}</w:body>"),
    }
    usual, strictly = b"http://schemas.openxmlformats.org/", f"{strict}/".encode()
    assert W.encode().startswith(usual)
    changed = {
        name: content.replace(usual, strictly).replace(b"/2006/", b"/")
        for name, content in files.items()
    }
    assert strictly + b"wordprocessingml/main" in changed["word/document2.xml"]
    assert blocks(packed(files.items())) == blocks(packed(changed.items())) == ["words"]


_letters = st.text(st.sampled_from("abé <&日\u00a0\U0001f600"), max_size=20)


@st.composite
def _story(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A body, and the paragraphs it must come out as; a number makes each of them unique."""
    body: list[str] = []
    expected: list[str] = []
    for number in range(draw(st.integers(1, 12))):
        words = f"w{number} {draw(_letters)} z"
        half = draw(st.integers(0, len(words)))
        plain = " ".join(words.split())
        kind = draw(st.sampled_from(["plain", "runs", "control", "row", "nested", "box", "note"]))
        body.append(
            {
                "runs": p(f"<w:ins>{run(words[:half])}</w:ins>{run(words[half:])}"),
                "control": f"<w:sdt><w:sdtContent>{p(words)}</w:sdtContent></w:sdt>",
                "row": table([words, f"in{number}"]),
                "nested": table([words, f"<w:tc>{table([f'in{number}', 'x'])}{p('')}</w:tc>"]),
                "box": p(
                    run(words) + f"<w:r><w:txbxContent>{p(f'in{number}')}</w:txbxContent></w:r>"
                ),
                "note": p(run(words) + note("footnote", number)),
            }.get(kind, p(words))
        )
        notes = sum(block.startswith("[") for block in expected)
        expected += {
            "row": [f"{plain} | in{number}"],
            "nested": [plain, f"in{number} | x"],
            "box": [plain, f"in{number}"],
            "note": [f"{plain}[{notes + 1}]", f"[{notes + 1}] note{number}"],
        }.get(kind, [plain])
    return "".join(body), expected


@settings(deadline=None)
@given(_story())
def test_every_paragraph_arrives_once_and_in_order(story: tuple[str, list[str]]) -> None:
    body, expected = story
    notes = "".join(f'<w:footnote w:id="{n}">{p(f"note{n}")}</w:footnote>' for n in range(12))
    assert blocks(word(body, footnotes=notes)) == expected


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["p", "h", "n", "b"]), st.text("ab é", max_size=9))))
def test_every_paragraph_that_a_library_wrote_arrives_once(given: list[tuple[str, str]]) -> None:
    made, expected = docx.Document(), ["Start"]
    made.add_paragraph("Start")
    numbers = 0
    for place, (kind, words) in enumerate(given):
        text = f"{words} {place}"
        label = ""
        if kind == "h":
            made.add_heading(text, 2)
        else:
            names = {"n": "List Number", "b": "List Bullet"}
            made.add_paragraph(text, style=names.get(kind))
            numbers += kind == "n"
            label = {"n": f"{numbers}. ", "b": "• "}.get(kind, "")
        expected.append(label + " ".join(text.split()))
    stream = io.BytesIO()
    made.save(stream)
    assert blocks(stream.getvalue()) == expected


RICH = word(
    styled("H", "Head")
    + listed("one")
    + p(run("x") + note("footnote", 1) + f"<w:r><w:txbxContent>{p('box')}</w:txbxContent></w:r>")
    + p("half", "<w:rPr><w:del/></w:rPr>")
    + table([cell("a", '<w:gridSpan w:val="2"/>')], [cell("b", "<w:vMerge/>"), cell("c")]),
    styles=style("H", "heading 1", '<w:basedOn w:val="H"/>'),
    numbering=rules(level(0, "upperRoman", "%1.%2")) + num(1),
    footnotes=f'<w:footnote w:id="1">{p("Note.")}</w:footnote>',
)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["document", "styles", "numbering", "footnotes"]).flatmap(
        lambda part: mangled(RICH, f"word/{part}.xml")
    )
)
def test_elements_in_the_wrong_places_are_read_or_refused(data: bytes) -> None:
    with suppress(FileRefused):
        blocks(data)


def nested(tag: str, depth: int) -> str:
    return f"<w:{tag}>" * depth + p("deep") + f"</w:{tag}>" * depth


def bomb() -> bytes:
    entities = "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' if n else '<!ENTITY a0 "ha">' for n in range(12)
    )
    return with_doctype(f"[{entities}]", "&a11;")


def with_doctype(subset: str, text: str) -> bytes:
    document = part("document", f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>")
    return packed(
        [
            ("_rels/.rels", relations([("officeDocument", "word/document.xml")])),
            ("word/document.xml", f"<!DOCTYPE d {subset}>".encode() + document),
        ]
    )


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "content controls": (lambda: word(nested("sdt", 20_000)), "nested deeper than any"),
    "inserted words": (lambda: word(p(nested("ins", 20_000))), "nested deeper than any"),
    "tables": (
        lambda: word("<w:tbl><w:tr><w:tc>" * 5_000 + "</w:tc></w:tr></w:tbl>" * 5_000),
        "nested deeper than any",
    ),
    "billion laughs": (bomb, "DOCTYPE|can't be read"),
    "an entity of its own": (lambda: with_doctype('[<!ENTITY a "b">]', "&a;"), "DOCTYPE"),
    "an entity from a file": (
        lambda: with_doctype('[<!ENTITY a SYSTEM "file:///etc/passwd">]', "x&a;"),
        "DOCTYPE",
    ),
    "a DTD from elsewhere": (lambda: with_doctype('SYSTEM "http://[::1]/a.dtd"', "x"), "DOCTYPE"),
    "a bomb": (
        lambda: packed([("word/document.xml", bytes(300_000_000))]),
        "more than 100 times",
    ),
    "a way out": (lambda: packed([("word/document.xml", b""), ("../x", b"")]), "leads outside"),
    "the same name twice": (lambda: packed([("word/a", b"1"), ("word/a", b"2")]), "one name"),
    "no main part": (lambda: packed([("word/document.xml", b"<a/>")]), "main part is missing"),
    "a part that is none": (
        lambda: packed(
            [("_rels/.rels", relations([("officeDocument", "../word/x")])), ("word/", b"")]
        ),
        "main part is missing",
    ),
    "no body": (
        lambda: packed(
            [("_rels/.rels", relations([("officeDocument", "word/a")])), ("word/a", b"<a/>")]
        ),
        "no body",
    ),
    "pictures alone": (lambda: word(p("<w:r><w:drawing/></w:r>")), "no text came out"),
    "half of it": (lambda: word(p("words"))[:400], "fetch it again"),
    "behind a password": (
        lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2_000),
        "remove the password",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_reason(parser: Parser, name: str) -> None:
    make, reason = HOSTILE[name]
    with pytest.raises(FileRefused, match=reason):
        parser.parse("a.docx", make())
    assert parser.parse("a.txt", b"next").text == "next"


def test_depth_that_programs_write_is_read() -> None:
    assert blocks(word(nested("sdt", 100))) == ["deep"]


@pytest.mark.parametrize("data", [b"words", packed([("xl/workbook.xml", b"")])])
def test_other_content_is_no_docx(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.docx"):
        parse("a.docx", data)
