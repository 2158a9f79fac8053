from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused
from rag.loading import parser as parser_module
from rag.loading.parser import Parser
from rag.text import paragraphs
from rag.types import Parsed
from tests.loading.nasty import NASTY, outcome
from tests.loading.nasty_sheets import message, workbook
from tests.loading.zips import epub, odt, slides, word
from tests.security.watching import noted, parsers_watched

MOST_GROWTH = 100_000_000  # bytes of this process's memory

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
    ".csv": b'A title\n\nname,"size, m",note\nEast,1.5,"two\n\nlines"\nWest,,"a ""quote"""\n',
    ".jsonl": b'{"title": "T", "text": "a\\n\\nb", "n": [1, {"x": null}]}\n{"y": {"z": true}}\n',
    ".eml": (
        b"From: =?utf-8?q?=C3=84?= <a@b>\nTo: x: c@d;\nDate: Tue, 5 Mar 2024 23:10:00 +0100\n"
        b'Subject: S\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n'
        b"Content-Transfer-Encoding: quoted-printable\n\nOne=20=C3=A4\n\n> two\n--b\n"
        b"Content-Type: text/html; charset=utf-8\n\n<h1>h</h1><p>p\n--b\n"
        b"Content-Disposition: attachment; filename*=utf-8''n%C3%A9.txt\n\ninside\n--b\n"
        b"Content-Type: message/rfc822\n\nSubject: inner\n\nwords\n--b--\n"
    ),
    ".xlsx": workbook(),
    ".msg": message(),
    ".rtf": (
        rb"{\rtf1\ansi{\fonttbl{\f0\fcharset204 A;}}{\stylesheet{\s1 heading 1;}}\pard\s1 Title\par"
        rb"\pard\f0 Gr\'fc\u223?{\super\chftn{\footnote Note.}}\par\trowd\cellx1\cellx2\intbl "
        rb"a\cell b\cell\row\pard{\*\shpinst{\shptxt box\par}}\bullet\par}"
    ),
    ".docx": word(
        '<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>Title</w:t></w:r></w:p><w:p><w:pPr>'
        '<w:numPr><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>Text</w:t>'
        '<w:footnoteReference w:id="1"/></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r>'
        "</w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
        numbering='<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:lvlText w:val="%1."/>'
        '</w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>',
        footnotes='<w:footnote w:id="1"><w:p><w:r><w:t>Note</w:t></w:r></w:p></w:footnote>',
    ),
    ".pptx": slides(
        [
            '<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r>'
            "<a:t>Title</a:t></a:r></a:p></p:txBody></p:sp><p:graphicFrame><a:tbl><a:tr><a:tc>"
            "<a:txBody><a:p><a:r><a:t>a</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl>"
            "</p:graphicFrame>"
        ]
    ),
    ".odt": odt(
        '<text:h text:outline-level="1">Title</text:h><text:list><text:list-item><text:p>a'
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Note</text:p>"
        "</text:note-body></text:note></text:p></text:list-item></text:list>"
    ),
    ".epub": epub("<h1>Title</h1><p>a</p>", "<p>b</p>"),
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
    if suffix not in (".txt", ".md"):
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
@pytest.mark.parametrize("suffix", [*GOOD, ".pdf"])
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
@pytest.mark.parametrize("suffix", [*GOOD, ".pdf"])
def test_any_bytes_are_read_or_refused(parser: Parser, suffix: str, data: bytes) -> None:
    attempt(parser, suffix, data)
    attempt(parser, suffix, b"%PDF-1.7\n" + data + b"\nstartxref\n0\n%%EOF")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], list[str]]]:
    """What parsers' children have done since it was asked last that is not theirs to do."""
    log = tmp_path_factory.mktemp("watched") / "log"
    log.touch()
    with parsers_watched(log) as bring:

        def told() -> list[str]:
            bring()
            notes = noted(log, "network", "socket", "process", "pickle", "written")
            log.write_text("")
            return notes

        yield told


@pytest.fixture(scope="module")
def reading(watched: Callable[[], list[str]]) -> Iterator[Parser]:
    """A parser whose child is watched."""
    with Parser() as parser:
        parser.parse("a.txt", b"first")
        assert watched() == []
        yield parser


def resident() -> int:
    """The bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_file_is_read_or_refused_at_its_own_cost(
    reading: Parser, watched: Callable[[], list[str]], name: str
) -> None:
    before = resident()
    assert outcome(reading, NASTY[name]) == NASTY[name].outcome
    assert reading.parse("a.txt", b"next").text == "next"
    assert watched() == []
    assert resident() - before < MOST_GROWTH


@pytest.mark.parametrize(
    "does",
    [
        "socket.socket()",
        "socket.getaddrinfo('example.org', 80)",
        "subprocess.Popen(['true'])",
        "pickle.loads(pickle.dumps(pathlib.Path('a')))",
        "pathlib.Path(source).write_bytes(data)",
    ],
)
def test_what_a_child_does_is_noticed_and_it_can_write_nothing(
    watched: Callable[[], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    """The control: a reader that does what none of ours may."""
    planted = (
        "import pathlib, pickle, socket, subprocess, rag.loading.worker; "
        f"rag.loading.worker.parse = lambda source, data: {does}; "
    )
    boot, start = parser_module._BOOT, "from rag.loading.worker"
    monkeypatch.setattr(parser_module, "_BOOT", boot.replace(start, planted + start))
    made = tmp_path / "made.txt"
    with Parser() as parser, pytest.raises(FileRefused, match="damaged"):
        parser.parse(str(made), b"words")
    assert watched()
    assert not made.exists() or made.read_bytes() == b""
