from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.formats import parse
from rag.loading.parser import Parser
from rag.types import Parsed
from tests.loading.texts import blocks

FONTS = (
    r"{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204{\*\panose 02}Cyr{\*\falt x};}"
    r"{\f2\fcharset2 Symbol;}{\f3\fcharset128 Mincho;}}"
)
STYLES = (
    r"{\stylesheet{\ql \snext0 Normal;}{\s1\ql\outlinelevel0\b heading 1;}{\s2 heading 2;}"
    r"{\s3\outlinelevel2 Eigen;}{\s4 toc 1;}{\s5 Title;}{\*\cs10 \additive Default Font;}}"
)
HEAD = r"\ansi\ansicpg1252\deff0\deflang1031" + FONTS + r"{\colortbl;\red0;}" + STYLES


def rtf(body: str, head: str = HEAD) -> bytes:
    return rf"{{\rtf1{head} {body}}}".encode("latin-1")


def read(body: str, head: str = HEAD) -> Parsed:
    return parse("a.rtf", rtf(body, head))


def encoded(text: str) -> str:
    """Letters as RTF writes them: those beyond ASCII by their number, with one for old programs."""
    units = text.encode("utf-16-le")
    numbers = (int.from_bytes(units[n : n + 2], "little") for n in range(0, len(units), 2))
    return "".join(
        f"\\{chr(n)}" if chr(n) in "\\{}" else chr(n) if n < 128 else rf"\u{n - (n >> 15 << 16)}?"
        for n in numbers
    )


def test_headings_title_date_and_language() -> None:
    info = (
        r"{\info{\title Le\'e4ve\~ rules}{\author Ada}{\creatim\yr2020\mo1\dy2}"
        r"{\revtim\yr2024\mo3\dy1\hr8\min5}{\*\company x}}"
    )
    parsed = read(
        info
        + r"{\pard\s5 Leave\par}\pard\s4 Days 1\par\pard\s1 Days\par\pard\s2 More\par"
        + r"\pard\s3 Third\par"
        + r"\pard\outlinelevel3 Fourth\par\pard Text\par\pard\s1\outlinelevel9 Text\par"
    )
    assert [(h.level, h.text) for h in parsed.headings] == [
        *((1, "Leave"), (1, "Days"), (2, "More"), (3, "Third"), (4, "Fourth"))
    ]
    assert blocks(parsed)[5:] == ["Text", "Text"]
    assert (parsed.title, parsed.date) == ("Leäve rules", "2024-03-01")
    assert (parsed.language, parsed.loader, parsed.pages) == ("de-DE", "rtf/1", ())
    bare = read(r"{\info{\creatim\yr2020\mo1\dy2}}\pard\s1 Days\par Text")
    assert (bare.title, bare.date) == ("Days", "2020-01-02")
    assert read(r"{\info{\creatim\yr0}}x").date is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"Gr\'fc\'dfe \u8364? \{\\\}", "Grüße € {\\}"),
        (r"\uc2 a\u8364 \'80\'80b {\uc0 \u8364 c} \u8364xyd", "a€b €c €d"),
        (r"\u-10179?\u-8704?", "\U0001f600"),
        (r"{\f1 \'cf\'f0\'e8} \'e9", "При é"),
        (r"{\f3 \'93\'fa\'96\'7b}", "日本"),
        (r"\f1 \'cf\plain  \'e9", "П é"),
        (r"{\f2 \'b7\'ff} x", "• x"),
        ("one\r\ntwo\\\nthree", "onetwo\n\nthree"),
        (r"a\line b\tab c\~d\_e\-f\emdash g\lquote h\rquote\bullet", "a\nb c d-ef—g‘h’•"),
        (r"10{\super 3} a{\super\i th}", "10³ ath"),
        (r"a{\v hidden\v0  b}{\deleted gone} {\revised new}", "a b new"),
        (r'{\field{\*\fldinst HYPERLINK "x"}{\fldrslt{link}}}', "link"),
        (r"{\upr{old}{\*\ud{new}}} x", "new x"),
        (r"{\*\shppict{\pict\pngblip 0102}}{\nonshppict{\pict 03}}{\pict\bin3 }}}}x", "x"),
        (r"{\*\unknown{a}}{\header h}{\footer f}{\*\annotation a}{\xe x}b", "b"),
        (r"{\listtext\pard 1.\tab}Item\par{\pntext\f2\'B7\tab}Point", "1. Item\n\n• Point"),
        (r"\unknown5 a\unknown b", "ab"),
    ],
)
def test_letters(body: str, text: str) -> None:
    assert read(body).text == text


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (r"\ansi\ansicpg1251", "é".encode().decode("cp1251")),
        (r"\mac", "é".encode().decode("mac_roman")),
        (r"\ansi\deff1" + FONTS, "é".encode().decode("cp1251")),
        (r"\ansi\ansicpg65001", "é"),
        (r"\ansi\ansicpg99999", "é".encode().decode("cp1252")),
    ],
)
def test_the_encoding_of_the_file(head: str, text: str) -> None:
    assert read(r"\'c3\'a9", head).text == text


def row(*cells: str, rules: str = "") -> str:
    rules = rules or "".join(rf"\cellx{n}" for n in range(len(cells)))
    each = "".join(rf"\pard\intbl {cell}\cell" for cell in cells)
    return rf"\trowd{rules} {each}\row"


def test_tables_name_their_columns_and_cells_may_be_merged() -> None:
    body = (
        "before\\par"
        + row("Item", "Rate", "", rules=r"\trhdr\cellx1\cellx2\clmgf\clmrg\cellx3")
        + row("Probe", "good", "day", rules=r"\clvmgf\cellx1\cellx2\cellx3")
        + row("", r"best\par of all", "week", rules=r"\clvmrg\cellx1\cellx2\cellx3")
        + r"\pard after"
    )
    assert blocks(read(body)) == [
        *("before", "Item: Probe; Rate: good; Rate: day"),
        *("Item: Probe; Rate: best of all; Rate: week", "after"),
    ]
    bold = row(r"{\b Item}", r"{\b Rate}") + row("Probe", "good")
    assert blocks(read(bold)) == ["Item: Probe; Rate: good"]
    assert blocks(read(row("a", "b") + row("c", "d"))) == ["a | b", "c | d"]


def test_a_frame_around_paragraphs_and_a_table_in_a_cell() -> None:
    assert blocks(read(row(r"one\par two") + row("three"))) == ["one", "two", "three"]
    inner = (
        r"\pard\intbl\itap2 in\nestcell side\nestcell{\*\nesttableprops\trowd\nestrow}\pard\intbl "
    )
    assert blocks(read(row("k", inner + "{\\nonesttables\\par}v"))) == ["k | in | side | v"]


def note(text: str, mark: str = r"\chftn", kind: str = "") -> str:
    return rf"{{\super{mark} {{\footnote{kind}\pard\plain {{\super\chftn}} {text}}}}}"


def test_notes_stand_after_their_paragraph_or_at_the_end_with_their_number() -> None:
    body = (
        r"\aftnnrlc One"
        + note(r"Note.\par More.")
        + note("End.", kind=r"\ftnalt")
        + note("Starred.", mark="*")
        + r" word\par Two{\super\chftn}{\*\footnote\pard Second.}\par"
        + row("a", "b" + note("In a cell."))
        + r"\pard Last"
    )
    assert blocks(read(body)) == [
        *("One[1][i]* word", "[1] Note.", "More.", "Starred.", "Two[2]", "[2] Second."),
        *("a | b[3]", "[3] In a cell.", "Last", "[i] End."),
    ]


def test_a_text_box_is_read_once_and_after_its_paragraph() -> None:
    shape = (
        r"{\shp{\*\shpinst\shpleft1{\sp{\sn a}{\sv 1}}{\shptxt \pard boxed\par twice\par}}"
        r"{\shprslt{\*\do\dptxbx{\dptxbxtext\pard boxed\par}}}}"
    )
    assert blocks(read(rf"One{shape} more\par Two")) == ["One more", "boxed", "twice", "Two"]
    old = r"{\*\do\dptxbx{\dptxbxtext\pard boxed\par}}"
    assert blocks(read(rf"One{old} more\par Two")) == ["One more", "Two"]


_words = st.text(st.sampled_from("abé {}\\日\u00a0\U0001f600"), max_size=20)


@st.composite
def _story(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A body, and the paragraphs it must come out as; a number makes each of them unique."""
    body: list[str] = []
    expected: list[str] = []
    for number in range(draw(st.integers(1, 12))):
        words = f"w{number} {draw(_words)} z"
        plain, inner = " ".join(words.split()), encoded(words)
        kind = draw(st.sampled_from(["plain", "group", "line", "row", "box", "note"]))
        body.append(
            {
                "group": rf"{{\pard\b {inner}\par}}",
                "line": rf"\pard in\line {inner}\par",
                "row": row(inner, f"in{number}"),
                "box": rf"\pard {inner}{{\shptxt\pard in{number}\par}}\par",
                "note": rf"\pard {inner}{note(f'note{number}')}\par",
            }.get(kind, rf"\pard {inner}\par ")
        )
        notes = sum(block.startswith("[") for block in expected)
        expected += {
            "line": [f"in\n{plain}"],
            "row": [f"{plain} | in{number}"],
            "box": [plain, f"in{number}"],
            "note": [f"{plain}[{notes + 1}]", f"[{notes + 1}] note{number}"],
        }.get(kind, [plain])
    return "".join(body), expected


@settings(deadline=None)
@given(_story())
def test_every_paragraph_arrives_once_and_in_order(story: tuple[str, list[str]]) -> None:
    body, expected = story
    assert blocks(read(body)) == expected


RICH = rtf(r"\pard\s1 Head\par x" + note("n") + row("a", "b") + r"\pard {\shptxt y}\u8364?\'e9\par")


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 5_000), st.binary(max_size=8)), min_size=1, max_size=6))
def test_damage_is_read_or_refused(damage: list[tuple[int, bytes]]) -> None:
    data = RICH
    for where, other in damage:
        place = where % len(data)
        data = data[:place] + other + data[place + len(other) // 2 :]
    with suppress(FileRefused):
        blocks(parse("a.rtf", data))


def test_words_in_any_order_are_read_or_refused() -> None:
    chance = random.Random(4)  # noqa: S311 - not a secret
    words = [
        *("{", "}", "{", "}", r"\cell", r"\row", r"\trowd", r"\cellx1", r"\clvmrg", r"\par", r"\*"),
        *(r"{\footnote", r"{\*\shptxt", r"\ftnalt", r"\chftn", r"\intbl", r"\pard", r"\super"),
        *(r"\s1", r"{\stylesheet", r"{\fonttbl", r"\f1", r"{\info{\title", r"\u55357", r"\uc9999"),
        *("x", r"\outlinelevel-7", r"\ansicpg0", r"\bin-5", r"\bin2", r"\nestcell", r"\yr9"),
    ]
    for _ in range(2_000):
        body = " ".join(chance.choices(words, k=30))
        with suppress(FileRefused):
            blocks(parse("a.rtf", rtf(body + "}" * body.count("{"))))


HOSTILE = {
    "groups": (rtf("{" * 100_000 + "x" + "}" * 100_000), "nest too deep"),
    "half of it": (RICH[: len(RICH) // 2], "fetch it again"),
    "the last letter is missing": (RICH[:-1], "fetch it again"),
    "pictures alone": (rtf(r"{\pict 0102}"), "no text came out"),
    "bytes that go beyond the end": (rtf(r"{\bin999999999 }x"), "fetch it again"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_reason(parser: Parser, name: str) -> None:
    data, reason = HOSTILE[name]
    with pytest.raises(FileRefused, match=reason):
        parser.parse("a.rtf", data)
    assert parser.parse("a.txt", b"next").text == "next"


@pytest.mark.parametrize("data", [b"words", b"{ \\rtf1}", b"PK\x03\x04"])
def test_other_content_is_no_rtf(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.rtf"):
        parse("a.rtf", data)
