"""The command line as a process: pipes, signals, other writers, what it loads."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import apsw
import pytest

Run: TypeAlias = Callable[..., Any]


def _rag(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rag", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_help_loads_no_library() -> None:
    script = (
        "import sys, rag.cli\n"
        "try:\n    rag.cli.main(['--help'])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "print({m.partition('.')[0] for m in sys.modules}"
        " & {'numpy', 'faiss', 'torch', 'tantivy', 'openvino', 'apsw', 'fastapi', 'uvicorn'})"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "rag" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "set()"


def test_only_evaluation_loads_what_it_takes() -> None:
    script = (
        "import sys, rag.commands, api.server\n"
        "print({'matplotlib', 'scipy', 'ir_measures', 'jinja2'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "set()"


def test_serving_loads_no_torch(folder: Path, run: Run) -> None:
    run("ingest", folder)
    script = (
        "import sys, rag.commands, api.server\n"
        "from starlette.testclient import TestClient\n"
        "with TestClient(api.server.create()) as client:\n"
        "    assert client.post('/v1/ask', json={'question': 'Where?'}).status_code == 200\n"
        "print({'torch', 'sentence_transformers'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.stdout.splitlines()[-1:] == ["set()"], ran.stderr


def test_a_second_writer(run: Run, folder: Path, home: Path) -> None:
    run("status")
    with closing(apsw.Connection(str(home / "index.sqlite"))) as writer:
        writer.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        ran = run("ingest", folder)
        assert (ran.status, ran.out) == (1, "")
        assert "--wait" in ran.err
        assert time.monotonic() - began > 0.9
        assert run("ask", "Where?").status == 1  # asking goes on: nothing is indexed
        waiting = _rag("ingest", folder, "--wait")
        time.sleep(2)
        assert waiting.poll() is None
        writer.execute("ROLLBACK")
        out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, err
    assert "3 added" in out


def test_a_reader_that_has_seen_enough(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        (folder / f"{'n' * 200}{number}.txt").write_text(f"The number is {number}.\n")
    run("ingest", folder)
    process = _rag("documents", "--json", pipesize=4096)
    assert process.stdout
    assert process.stdout.read(1) == "{"
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == ""
    assert process.wait(30) == 0
    process.stderr.close()


def test_ctrl_c_loses_nothing_committed(run: Run, tmp_path: Path, home: Path) -> None:
    run("ingest", _numbers(tmp_path / "first", 5))
    second = _numbers(tmp_path / "second", 600)
    process = _rag("ingest", second, "--json", start_new_session=True)
    while not [p for p in Path("/proc").glob("[0-9]*/stat") if _parent(p) == process.pid]:
        assert process.poll() is None  # its parsing child tells that it is at work
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == "rag: stopped; what is done stays done: the same command goes on\n"
    assert len(run("documents", "--json").json["documents"]) >= 5
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        assert connection.pragma("integrity_check") == "ok"


def test_ctrl_c_in_a_big_folder_and_going_on(run: Run, tmp_path: Path, home: Path) -> None:
    folder = _numbers(tmp_path / "many", 3_000)
    process = _rag("ingest", folder, "--json", start_new_session=True)
    while not (done := _documents(home)):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    kept = _documents(home)
    assert done <= kept < 3_000
    again = run("ingest", folder, "--json").json
    assert (again["unchanged"], again["added"]) == (kept, 3_000 - kept)
    assert again["passages_encoded"] == 3_000 - kept


def _documents(home: Path) -> int:
    """How many are committed; none before there is a store."""
    try:
        with closing(
            apsw.Connection(str(home / "index.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
        ) as connection:
            return int(connection.execute("SELECT count(*) FROM documents").get)
    except apsw.Error:
        return 0


def test_ctrl_c_loses_no_question_that_was_asked(run: Run, tmp_path: Path) -> None:
    run("ingest", _numbers(tmp_path / "files", 5))
    questions = tmp_path / "questions.jsonl"
    rows = (
        {"id": str(n), "question": f"What is the number, {n}?", "answerable": False}
        for n in range(4_000)
    )
    questions.write_text("\n".join(map(json.dumps, rows)))
    process = _rag("eval", questions, "--json", start_new_session=True)
    while not (kept := _asked(tmp_path)):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.endswith("the same command goes on\n")
    assert _asked(tmp_path)[: len(kept)] == kept
    # The rows that are there are not asked for again: one of them is marked.
    journal = next((tmp_path / "cache" / "evaluation" / "journals").iterdir())
    journal.write_text(journal.read_text().replace("What is the number, 0?", "As it was"))
    again = run("eval", questions, "--json").json
    assert [row["id"] for row in again["rows"]] == [str(n) for n in range(4_000)]
    assert again["rows"][0]["question"] == "As it was"


def _asked(tmp_path: Path) -> list[str]:
    """The questions that are safe by now."""
    journals = (tmp_path / "cache").glob("evaluation/journals/*.jsonl")
    return [line for journal in journals for line in journal.read_text().splitlines()]


def _numbers(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.txt").write_text(f"The number is {number}.\n")
    return folder


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


def test_a_taken_port(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("serve", "--port", taken.getsockname()[1])
    assert (ran.status, ran.out) == (1, "")
    assert "--port" in ran.err
    assert run("serve", "--host", "127.0.0.1.nowhere.invalid").status == 2


def test_another_host_needs_a_token(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for unset in (None, ""):
        if unset is not None:
            monkeypatch.setenv("RAG_TOKEN", unset)
        ran = run("serve", "--host", "0.0.0.0")  # noqa: S104
        assert ran.status == 2
        assert "RAG_TOKEN" in ran.err
    monkeypatch.setenv("RAG_TOKEN", "a-secret")
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104
        allowed = run("serve", "--host", "0.0.0.0", "--port", taken.getsockname()[1])  # noqa: S104
    assert allowed.status == 1
    assert "a-secret" not in allowed.err


def test_a_terminal_without_unicode(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "words"
    folder.mkdir()
    text = "The caf\u00e9 \U0001f600 opens at \u201cnoon\u201d."
    (folder / "words.txt").write_text(text)
    run("ingest", folder)
    question = "When does the caf\u00e9 open?"
    for arguments in (["search", question], ["search", question, "--json"]):
        ran = subprocess.run(
            [sys.executable, "-m", "rag", *arguments],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=False,
        )
        assert b"Traceback" not in ran.stderr
        assert b"opens at" in ran.stdout
    assert json.loads(ran.stdout)["passages"][0]["text"] == text
    assert run("search", question, "--json").json["passages"][0]["text"] == text


def test_errors_are_one_line(run: Run, home: Path) -> None:
    home.write_text("a file where the folder should be")
    ran = run("status")
    assert ran.status == 1
    assert ran.err.startswith("rag: ")
    assert len(ran.err.splitlines()) == 1


def test_threads_are_gone(run: Run, folder: Path) -> None:
    before = set(threading.enumerate())
    run("ingest", folder)
    run("ask", "Where?")
    assert set(threading.enumerate()) <= before
