"""Saved replies and citations, verified from a file or from stdin."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import apsw
import pytest

Run: TypeAlias = Callable[..., Any]

_QUESTION = "When does the car park close?"


@pytest.fixture
def reply(run: Run, folder: Path) -> dict[str, Any]:
    """A reply about the three files of the folder, which are ingested."""
    run("ingest", folder)
    asked: dict[str, Any] = run("ask", _QUESTION, "--json").json
    assert asked["answers"]
    assert len(asked["passages"]) == 3
    return asked


@pytest.fixture
def verify(run: Run, tmp_path: Path) -> Run:
    """`verify(value)` saves a value as JSON, or a text as it is, and verifies the file."""

    def call(value: object, *options: str) -> Any:
        path = tmp_path / "saved.json"
        text = value if isinstance(value, str) else json.dumps(value)
        path.write_bytes(text.encode())
        return run("verify", path, *options)

    return call


def test_a_reply(verify: Run, reply: dict[str, Any]) -> None:
    ran = verify(reply)
    assert ran.status == 0
    *lines, total = ran.out.splitlines()
    assert lines[0] == 'exact    parking.txt, paragraph 1 "22:30"'
    assert {line.split()[0] for line in lines} == {"exact"}
    assert len(lines) == len(reply["answers"]) + 3
    assert total == f"{len(lines)} exact, 0 moved, 0 stale, 0 missing"


def test_a_damaged_document(verify: Run, reply: dict[str, Any], home: Path) -> None:
    connection = apsw.Connection(str(home / "index.sqlite"))
    connection.execute("UPDATE documents SET text = text || '!' WHERE source = 'parking.txt'")
    connection.close()
    ran = verify(reply)
    assert ran.status == 1
    lines = ran.out.splitlines()
    assert lines[0].startswith('damaged  parking.txt "22:30": the stored text of document')
    assert lines[-1].endswith("0 missing, 2 damaged")


def test_every_form_of_file(verify: Run, reply: dict[str, Any]) -> None:
    results = verify(reply, "--json").json["results"]
    shown = [*reply["answers"], *reply["passages"]]
    citations = [citation for one in shown for citation in (one["citation"], *one["also_in"])]
    assert [result["quote"] for result in results] == [c["quote"] for c in citations]
    line = json.dumps(reply)
    for same in ([reply], [reply, reply], f"{line}\n\n{line}\n", f"\ufeff{line}", citations):
        assert verify(same, "--json").json["results"] == results
    assert len(verify(citations[0], "--json").json["results"]) == 1


def test_stdin(run: Run, reply: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    saved = io.BytesIO(json.dumps(reply).encode())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=saved))
    ran = run("verify", "-")
    assert (ran.status, ran.out.splitlines()[0][:5]) == (0, "exact")


def test_after_edits(run: Run, verify: Run, reply: dict[str, Any], folder: Path) -> None:
    parking = folder / "parking.txt"
    parking.write_text("New.\n\n" + parking.read_text())
    edited = verify(reply)
    assert edited.status == 0
    assert edited.out.splitlines()[0] == (
        'exact    parking.txt, paragraph 1 "22:30"'
        "; the file on disk has changed since it was ingested"
    )
    run("ingest", folder)
    moved = verify(reply)
    assert moved.status == 0
    assert moved.out.startswith(
        'moved    parking.txt, paragraph 2 "22:30": '
        "the text has changed, and the quote stands at another place\n"
    )
    parking.write_text("The car park is never closed.\n")
    run("ingest", folder)
    stale = verify(reply)
    assert stale.status == 1
    assert stale.out.startswith("stale    parking.txt ")
    run("remove", "parking.txt")
    missing = verify(reply, "--json")
    assert missing.status == 1
    assert missing.json["results"][0]["status"] == "missing"


@pytest.mark.parametrize(
    ("name", "words"),
    [("text", "23:30"), ("sentence", "The car park never closes at 22:30.")],
)
def test_what_is_shown_counts(verify: Run, reply: dict[str, Any], name: str, words: str) -> None:
    reply["answer"][name] = reply["answers"][0][name] = words
    ran = verify(reply)
    assert ran.status == 1
    assert ran.out.startswith("stale    parking.txt ")


def test_a_reply_without_citations(verify: Run, run: Run) -> None:
    empty = run("ask", _QUESTION, "--json").json
    ran = verify(empty)
    assert (ran.status, ran.out) == (0, "0 exact, 0 moved, 0 stale, 0 missing\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "5",
        '"text"',
        "[]",
        "[5]",
        "{}",
        "{",
        '{"passages": 5}',
        '{"passages": [5]}',
        '{"passages": [{"text": "x"}]}',
        '{"answers": [{"citation": {"quote": "x"}}]}',
        '{"quote": "x"}',
        '{"quote": "x", "start": 0, "end": 1}',
        '{"quote": "x", "start": 0, "end": 1, "text_sha256": "0"}',
        '{"quote": "x", "start": 1, "end": 1, "text_sha256": "0", "source": "a"}',
        '{"quote": "x", "start": true, "end": 2, "text_sha256": "0", "source": "a"}',
        '{"quote": "x", "start": 0, "end": 1, "text_sha256": "0", "source": 5}',
        '{"quote": "\\ud800", "start": 0, "end": 1, "text_sha256": "0", "source": "a"}',
        '{"quote": "", "start": 0, "end": 0, "text_sha256": "0", "source": "a"}',
        "[" * 100_000,
        "9" * 5_000,
    ],
)
def test_what_can_not_be_read_is_2(verify: Run, text: str) -> None:
    ran = verify(text)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("rag: ")
    assert "Traceback" not in ran.err


def test_no_such_file_is_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")
    for path in (tmp_path / "none", tmp_path, tmp_path / "binary"):
        assert run("verify", path).status == 2


def test_huge_numbers_are_no_offsets(verify: Run) -> None:
    claim = {"quote": "x", "start": 10**30, "end": 10**31, "text_sha256": "0", "source": "a"}
    assert verify(claim).status == 1
