from __future__ import annotations

import os
import re
import resource
import signal
import sys
import threading
from pathlib import Path

import pytest

from rag.errors import FileRefused, TooLarge, UnsupportedFormat
from rag.loading import formats
from rag.loading.limits import Limits
from rag.loading.parser import Parser
from rag.loading.wire import packed, parsed_from_json, parsed_to_json, unpacked
from rag.types import Heading, Parsed, Span

SLOW = b"<html><body>" + b"<div>" * 100_000 + b"x"  # half a minute of the HTML library's time


def child_of(parser: Parser) -> int:
    assert parser._child is not None
    return parser._child.process.pid


def test_the_reply_is_what_the_reader_found() -> None:
    front = b"---\ntitle: T\n---\n# H\ntext \xf0\x9f\x98\x80\n"
    with Parser() as parser:
        for source, data in (("a.md", front), ("b/c.txt", b"x"), ("d.html", b"<h1>A</h1><p>b")):
            assert parser.parse(source, data) == formats.parse(source, data)


def test_what_passes_the_wire_comes_back_equal() -> None:
    parsed = Parsed(
        text="\U0001f600\r\u2028\x85",
        loader="x/1",
        title="t",
        headings=(Heading(Span(0, 1), 2, "\U0001f600"),),
        pages=(0, 3),
        page_labels=("i", ""),
        note="a note",
        skipped=(Span(1, 2),),
    )
    assert parsed_from_json(unpacked(packed(parsed_to_json(parsed)))) == parsed


def test_refusals_keep_their_kind_and_reason(parser: Parser) -> None:
    with pytest.raises(UnsupportedFormat, match=r"unsupported format \.xyz; supported: \.\w+, "):
        parser.parse("a.xyz", b"x")
    with pytest.raises(FileRefused, match="empty file"):
        parser.parse("a.txt", b"\n")


def test_one_child_serves_many_files(parser: Parser) -> None:
    parser.parse("a.txt", b"x")
    first = child_of(parser)
    with pytest.raises(FileRefused):
        parser.parse("a.txt", b"")
    parser.parse("b.txt", b"x" * 3_000_000)
    assert child_of(parser) == first


def test_too_much_processor_time() -> None:
    with Parser(Limits(cpu_seconds=1)) as strict:
        with pytest.raises(FileRefused, match="took more than 1 s of processor time"):
            strict.parse("a.html", SLOW)
        assert strict.parse("a.txt", b"next").text == "next"


def test_too_much_time() -> None:
    with Parser(Limits(wall_seconds=0.5)) as strict:
        with pytest.raises(FileRefused, match=r"took longer than 0\.5 s"):
            strict.parse("a.html", SLOW)
        assert strict._child is None  # killed: the next file gets a new one


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_too_much_memory() -> None:
    with Parser(Limits(memory_bytes=200 << 20)) as strict:
        with pytest.raises(FileRefused, match="takes more than 200 MiB of memory"):
            strict.parse("a.txt", "\U0001f600".encode() * 20_000_000)
        assert strict.parse("a.txt", b"next").text == "next"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells another process's limits")
def test_the_system_keeps_the_child_to_its_limits() -> None:
    with Parser(Limits(cpu_seconds=7, memory_bytes=700 << 20)) as strict:
        strict.parse("a.txt", b"x")
        child = child_of(strict)
        assert resource.prlimit(child, resource.RLIMIT_AS)[0] == 700 << 20
        assert 7 <= resource.prlimit(child, resource.RLIMIT_CPU)[0] <= 8
        assert resource.prlimit(child, resource.RLIMIT_CORE) == (0, 0)
        assert resource.prlimit(child, resource.RLIMIT_FSIZE) == (0, 0)


def test_too_much_text() -> None:
    with Parser(Limits(output_chars=10)) as strict:
        assert strict.parse("a.txt", b"x" * 10).text == "x" * 10
        with pytest.raises(TooLarge, match="more than 10 characters"):
            strict.parse("a.txt", b"x" * 11)


def test_a_child_that_died_is_replaced() -> None:
    with Parser() as parser:
        parser.parse("a.txt", b"x")
        os.kill(child_of(parser), signal.SIGKILL)
        os.waitid(os.P_PID, child_of(parser), os.WEXITED | os.WNOWAIT)
        assert parser.parse("a.txt", b"next").text == "next"


def test_a_child_that_dies_over_a_file_costs_that_file_only() -> None:
    with Parser() as parser:
        parser.parse("a.txt", b"x")
        killer = threading.Timer(0.3, os.kill, (child_of(parser), signal.SIGSEGV))
        killer.start()
        with pytest.raises(FileRefused, match="reading it ended the parser"):
            parser.parse("a.html", SLOW)
        killer.join()
        assert parser.parse("a.txt", b"next").text == "next"


def test_the_child_ends_with_the_parser() -> None:
    with Parser() as parser:
        parser.parse("a.txt", b"x")
        child = child_of(parser)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_the_child_ends_when_its_parent_has_gone() -> None:
    with Parser() as parser:
        parser.parse("a.txt", b"x")
        assert parser._child is not None
        parser._child.channel.close()
        assert parser._child.process.wait(30) == 0


def test_threads_take_turns(parser: Parser) -> None:
    texts: list[str] = []

    def work(word: str) -> None:
        texts.extend(parser.parse("a.txt", word.encode() * 1000).text[:1] for _ in range(20))

    threads = [threading.Thread(target=work, args=(word,)) for word in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts) == ["a"] * 20 + ["b"] * 20 + ["c"] * 20


def test_modules_in_the_current_folder_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("html.py", "json.py", "chardet.py", "rag.py", "sitecustomize.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    with Parser() as parser:
        assert parser.parse("a.html", b"<p>x").text == "x"
    assert not (tmp_path / "ran").exists()


def test_the_child_loads_no_heavy_library() -> None:
    import subprocess  # noqa: PLC0415

    script = "import sys, rag.loading.worker; print(*{m.split('.')[0] for m in sys.modules})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    heavy = {"numpy", "torch", "faiss", "openvino", "pypdf", "pypdfium2", "selectolax"}
    heavy |= {"lxml", "openpyxl"}
    assert not heavy & set(run.stdout.split())


@pytest.mark.parametrize("extension", sorted(formats.EXTENSIONS))
def test_readers_and_the_table_of_formats_agree(extension: str) -> None:
    reader = formats.reader_for("A" + extension.upper())
    assert extension in reader.extensions <= formats.EXTENSIONS
    assert re.fullmatch(r"\w+/\d+", reader.loader)
