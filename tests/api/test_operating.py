"""`rag serve` as others run it: its log, its end, a read-only disk, a bare environment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import apsw
import pytest

from tests.served import (
    HEAD,
    MULTIPART,
    QUESTION,
    SERVE,
    TREE,
    UPLOAD,
    environment_of,
    serving,
)


def _ingest(home: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "rag", "ingest", str(folder)]
    subprocess.run(command, env=environment_of(home), check=True, capture_output=True, cwd=TREE)


def test_a_session_leaves_json_lines_without_a_word_of_it(tmp_path: Path, handbook: Path) -> None:
    with serving(tmp_path / "home", handbook) as served:
        served.wait_until_ready()
        document_id = served.ask()["answer"]["citation"]["document_id"]
        served.request("POST", "/v1/search", b'{"question": "Where is the dishwasher?"}')
        served.request("POST", "/v1/documents", UPLOAD, MULTIPART)
        served.request("POST", "/v1/feedback", b'{"question": "Where do zebras graze?"}')
        served.request("GET", f"/v1/documents/{document_id}")
        served.request("GET", "/v1/documents?cursor=zebras")
        served.request("GET", "/nowhere/zebras?zebras")
        assert served.stopped() == 0
        lines = [json.loads(line) for line in served.log.splitlines()]
    for line in lines:
        assert {"time", "level", "event"} <= line.keys()
    events = [line["event"] for line in lines]
    assert events[0] == "serving"
    assert {"ingested", "ready", "request", "stopping"} <= set(events)
    assert events[-1] == "stopped"
    requests = [(e["route"], e["status"]) for e in lines if e["event"] == "request"]
    assert [one for one in requests if one != ("/readyz", 503)] == [
        ("/v1/ask", 200),
        ("/v1/search", 200),
        ("/v1/documents", 201),
        ("/v1/feedback", 422),
        ("/v1/documents/{document_id}", 200),
        ("/v1/documents", 422),
        ("other", 404),
    ]
    said = "\n".join(json.dumps(line) for line in lines).lower()
    words = "parking car weekdays dishwasher kitchen owl dusk zebra leave.md copies"
    assert [word for word in words.split() if word in said] == []
    assert document_id not in said


def test_a_request_that_never_ends_gets_503_and_the_process_ends_well(
    tmp_path: Path, handbook: Path
) -> None:
    with serving(tmp_path / "home", handbook) as served:
        served.wait_until_ready()
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            head = f"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART}\r\n"
            connection.sendall(f"{head}Content-Length: {len(UPLOAD)}\r\n\r\n".encode())
            served.request("GET", "/healthz")  # the half request has been taken by now
            served.process.send_signal(signal.SIGTERM)
            reply = connection.makefile("rb").read()
        status, _, body = reply.partition(b"\r\n\r\n")
        assert status.startswith(b"HTTP/1.1 503 ")
        assert b"application/problem+json" in status.lower()
        assert json.loads(body)["status"] == 503
        assert served.process.wait(30) == 0
        with pytest.raises(ConnectionError):
            served.request("GET", "/healthz")
        assert "traceback" not in served.log.lower()


def test_a_second_sigterm_ends_it_at_once(tmp_path: Path, handbook: Path) -> None:
    with serving(tmp_path / "home", handbook) as served:
        served.wait_until_ready()
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            connection.sendall(b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            served.request("GET", "/healthz")
            served.process.send_signal(signal.SIGTERM)
            while '"stopping"' not in served.log:
                time.sleep(0.02)
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(30) == 1
        assert '"stopped"' not in served.log


def test_what_was_committed_when_it_was_stopped_stays(tmp_path: Path) -> None:
    folder, home = tmp_path / "folder", tmp_path / "home"
    folder.mkdir()
    for number in range(800):
        (folder / f"{number}.txt").write_text(f"The number is {number}.\n")
    with serving(home, folder) as served:
        while served.request("GET", "/readyz")[1]["files"] < 600:  # a batch of 512 is written
            time.sleep(0.02)
        assert served.stopped() == 0
    with apsw.Connection(str(home / "index.sqlite")) as connection:
        assert connection.pragma("integrity_check") == "ok"
        documents = connection.execute("SELECT count(*) FROM documents").get
        passages = connection.execute(
            "SELECT count(*) FROM passages JOIN documents USING (document_id)"
        ).get
    assert documents == passages >= 512
    with serving(home, folder) as served:
        served.wait_until_ready()
        assert served.request("GET", "/v1/status")[1]["documents"] == 800


def _contents(home: Path) -> dict[str, bytes]:
    return {str(p.relative_to(home)): p.read_bytes() for p in home.rglob("*") if p.is_file()}


def _read_only_disk(home: Path) -> tuple[str, ...]:
    """What a command is started with so that the index's folder can't be written."""
    if os.geteuid():
        for path in (home, *home.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)
        return ()
    mount = f"mount --bind {home} {home} && mount -o remount,ro,bind {home} {home}"
    within = ("unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "sh")
    if not shutil.which("unshare") or subprocess.run([*within, "true"], check=False).returncode:
        pytest.skip("nothing here makes a disk read-only")
    return within


def test_served_from_a_disk_that_cannot_be_written(tmp_path: Path, handbook: Path) -> None:
    home = tmp_path / "home"
    _ingest(home, handbook)
    before = _contents(home)
    within = _read_only_disk(home)
    with serving(home, "--read-only", within=within) as served:
        served.wait_until_ready()
        reply = served.ask()
        assert reply["answer"]["citation"]["source"] == "parking.txt"
        document_id = reply["answer"]["citation"]["document_id"]
        assert served.request("GET", "/v1/status")[1]["writable"] is False
        feedback = json.dumps({"question": QUESTION, "verdict": "wrong", "expected": "x"}).encode()
        for method, path, body, kind in (
            ("POST", "/v1/documents", UPLOAD, MULTIPART),
            ("POST", "/v1/feedback", feedback, "application/json"),
            ("DELETE", f"/v1/documents/{document_id}", b"", "application/json"),
        ):
            status, problem = served.request(method, path, body, kind)
            assert status == 403
            assert "only read" in problem["detail"]
        assert served.stopped() == 0
        assert "traceback" not in served.log
    assert _contents(home) == before


def test_read_only_beside_a_writer_follows_it(tmp_path: Path, handbook: Path) -> None:
    home, more = tmp_path / "home", tmp_path / "more"
    _ingest(home, handbook)
    more.mkdir()
    (more / "gate.txt").write_text("The gate closes at 23:15 on weekdays.\n")
    with serving(home, "--read-only") as served:
        served.wait_until_ready()
        served.ask()
        _ingest(home, more)
        reply = served.ask("When does the gate close on weekdays?")
        assert reply["answer"]["citation"]["source"] == "gate.txt"
        assert not list((home / "caches").rglob("private-*"))


def test_changes_left_in_the_log_are_read_or_refused(tmp_path: Path, handbook: Path) -> None:
    """A writer that was killed leaves changes in the write-ahead log: none may be left out."""
    home = tmp_path / "home"
    _ingest(home, handbook)
    killed = (
        "import apsw, os, sys\n"
        "c = apsw.Connection(sys.argv[1])\n"
        "c.execute('UPDATE collections SET generation = generation + 1')\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", killed, home / "index.sqlite"], check=True)
    assert (home / "index.sqlite-wal").stat().st_size
    (home / "index.sqlite-shm").unlink()
    ran = subprocess.run(
        [*_read_only_disk(home), *SERVE, "--read-only"],
        env=environment_of(home),
        capture_output=True,
        text=True,
        check=False,
        cwd=TREE,
    )
    assert ran.returncode == 1
    assert "rag status" in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("where", ["nowhere", "given"])
def test_read_only_needs_an_index_and_takes_no_paths(tmp_path: Path, where: str) -> None:
    command = [*SERVE, "--read-only", *([str(tmp_path)] if where == "given" else [])]
    ran = subprocess.run(
        command,
        env=environment_of(tmp_path / "home"),
        capture_output=True,
        text=True,
        check=False,
        cwd=TREE,
    )
    assert ran.returncode == (2 if where == "given" else 1)
    assert "rag ingest" in ran.stderr.splitlines()[-1]
    assert not (tmp_path / "home").exists()


def test_without_home_temporary_folder_or_locale(tmp_path: Path, handbook: Path) -> None:
    folder = tmp_path / "files"
    shutil.copytree(handbook, folder)
    (folder / "caf\u00e9.txt").write_text("The caf\u00e9 opens at noon.\n", "utf-8")
    bare = {"LC_ALL": "C", "LANG": "C"}
    missing = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(tmp_path / "none"))
    with serving(
        tmp_path / "home", folder, without=("HOME", "USER"), variables=bare | missing
    ) as served:
        served.wait_until_ready()
        served.ask()
        large = HEAD + b"The owl hoots at dusk.\n\n" * 60_000 + b"\r\n--x--\r\n"  # not in memory
        assert served.request("POST", "/v1/documents", large, MULTIPART)[0] == 201
        reply = served.ask("When does the caf\u00e9 open?")
        assert reply["passages"][0]["citation"]["source"] == "caf\u00e9.txt"
        assert served.stopped() == 0
        assert "traceback" not in served.log


def test_a_system_without_any_temporary_folder(tmp_path: Path) -> None:
    script = (
        "import sys, tempfile\n"
        "from pathlib import Path\n"
        "from rag.serving import _find_room_for_uploads\n"
        "tempfile._candidate_tempdir_list = lambda: ['/proc/none']\n"
        "_find_room_for_uploads(Path(sys.argv[1]))\n"
        "print(tempfile.gettempdir())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        capture_output=True,
        text=True,
        cwd=TREE,
        check=True,
    )
    assert ran.stdout.strip() == str(tmp_path)


def test_a_clock_that_jumps_back(tmp_path: Path, handbook: Path) -> None:
    """A store from the future, and a wall clock that goes on falling, change nothing."""
    home = tmp_path / "home"
    _ingest(home, handbook)
    for path in home.rglob("*"):
        os.utime(path, (4e9, 4e9))
    falling = (
        "import itertools, sys, time\n"
        "clock = itertools.count(1e9, -3600)\n"
        "time.time = lambda: float(next(clock))\n"
        "time.time_ns = lambda: int(time.time() * 1e9)\n"
        "from rag.cli import main\n"
        "main(['serve', '--port', '0'])\n"
    )
    with serving(home, command=(sys.executable, "-c", falling)) as served:
        served.wait_until_ready()
        assert served.ask()["answer"]["citation"]["source"] == "parking.txt"
        assert served.request("POST", "/v1/documents", UPLOAD, MULTIPART)[0] == 201
        assert served.request("GET", "/v1/status")[1]["documents"] == 7
        assert served.stopped() == 0
