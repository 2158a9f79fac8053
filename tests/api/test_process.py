"""`rag serve` as a process: from the command to its end by a signal."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.served import HEAD, MULTIPART, TREE, UPLOAD, environment_of, serving


def test_serve_ask_upload_stop(tmp_path: Path, handbook: Path) -> None:
    home = tmp_path / "home"
    with serving(home, handbook) as served:
        served.wait_until_ready()
        assert served.ask()["answer"]["citation"]["source"] == "parking.txt"
        status, body = served.request("POST", "/v1/documents", UPLOAD, MULTIPART)
        assert (status, body["results"][0]["status"]) == (201, "added")

        # The command line works on the same index beside it.
        run = subprocess.run(
            [sys.executable, "-m", "rag", "ask", "When does the owl hoot?", "--json"],
            env=environment_of(home),
            cwd=TREE,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout)["answer"]["citation"]["source"] == "owls.txt"

        # A request that has begun is finished after SIGTERM; then the process ends well.
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            content = HEAD + b"The cat naps at noon.\r\n--x--\r\n"
            head = f"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART}\r\n"
            connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode())
            connection.sendall(content[:40])
            served.request("GET", "/healthz")  # the half request has been taken by now
            served.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            connection.sendall(content[40:])
            reply = connection.makefile("rb").read()
        assert reply.startswith(b"HTTP/1.1 201 ")
        assert b"\r\nserver:" not in reply.lower()
        assert served.process.wait(30) == 0, served.log
        assert '"ready"' in served.log
        assert "Traceback" not in served.log


def test_stopped_while_it_starts(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.txt").write_text(f"The number is {number}.\n")
    with serving(tmp_path / "home", folder) as served:
        while served.request("GET", "/readyz")[1]["files"] < 1:
            time.sleep(0.01)
        assert served.stopped(signal.SIGINT) == 0, served.log
        assert "Traceback" not in served.log
