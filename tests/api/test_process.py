"""`rag serve` as a process: from the command to its end by a signal."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

_MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
_HEAD = b'--x\r\nContent-Disposition: form-data; name="files"; filename="up.txt"\r\n\r\n'
_TAIL = b"\r\n--x--\r\n"


@contextmanager
def _serving(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and its port; killed in the end if it still runs."""
    environment = {
        **os.environ,
        "RAG_EMBEDDER": "hashing",
        "RAG_READER": "sentence",
        "RAG_HOME": str(home),
        "RAG_CACHE": str(home / "cache"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "serve", "--port", "0", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        line = process.stderr.readline()
        port = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert port, line + process.stderr.read()
        yield process, int(port.group(1))
    finally:
        process.kill()
        process.communicate()


def _request(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    content = json.loads(response.read())
    connection.close()
    return response.status, dict(response.getheaders()), content


def _ask(port: int, question: str) -> Any:
    body = json.dumps({"question": question}).encode()
    return _request(port, "POST", "/v1/ask", body, {"Content-Type": "application/json"})[2]


def _wait_until_ready(port: int) -> None:
    while _request(port, "GET", "/readyz")[0] != 200:
        time.sleep(0.05)


def test_serve_ask_upload_stop(tmp_path: Path, handbook: Path) -> None:
    home = tmp_path / "home"
    with _serving(home, str(handbook)) as (process, port):
        _wait_until_ready(port)
        reply = _ask(port, "When does the car park close on weekdays?")
        assert reply["answer"]["citation"]["source"] == "parking.txt"
        status, headers, body = _request(
            port, "POST", "/v1/documents", _HEAD + b"The owl hoots at dusk." + _TAIL, _MULTIPART
        )
        assert (status, body["results"][0]["status"]) == (201, "added")
        assert "server" not in {name.lower() for name in headers}

        # The command line works on the same index beside it.
        run = subprocess.run(
            [sys.executable, "-m", "rag", "ask", "When does the owl hoot?", "--json"],
            env={
                **os.environ,
                "RAG_EMBEDDER": "hashing",
                "RAG_READER": "sentence",
                "RAG_HOME": str(home),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout)["answer"]["citation"]["source"] == "up.txt"

        # A request that has begun is finished after SIGTERM; then the process ends well.
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            content = _HEAD + b"The cat naps at noon." + _TAIL
            head = "POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Type: " + (
                f"{_MULTIPART['Content-Type']}\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            connection.sendall(head.encode() + content[:40])
            _request(port, "GET", "/healthz")  # the half request has been taken by now
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            connection.sendall(content[40:])
            reply_line = connection.recv(100).decode()
            assert reply_line.startswith("HTTP/1.1 201 ")
        out, error = process.communicate(timeout=20)
        assert process.returncode == 0, error
        assert out == ""
        assert "ready" in error
        assert "Traceback" not in error


def test_stopped_while_it_starts(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.txt").write_text(f"The number is {number}.\n")
    with _serving(tmp_path / "home", str(folder)) as (process, port):
        while _request(port, "GET", "/readyz")[2]["files"] < 1:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
        assert process.returncode == 0, error
        assert "Traceback" not in error
