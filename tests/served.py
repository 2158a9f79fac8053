"""`rag serve` in a process of its own, with the light embedder and reader unless told otherwise."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

TREE = Path(__file__).parents[1]
SERVE = (sys.executable, "-m", "rag", "serve", "--port", "0")
MULTIPART = "multipart/form-data; boundary=x"
HEAD = b'--x\r\nContent-Disposition: form-data; name="files"; filename="owls.txt"\r\n\r\n'
UPLOAD = HEAD + b"The owl hoots at dusk.\r\n--x--\r\n"
QUESTION = "When does the car park close on weekdays?"


class Served:
    """A running server; its log goes to a file, so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", self.log)):
            assert process.poll() is None, self.log
            time.sleep(0.02)
        self.port = int(found[1])

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    def request(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json"
    ) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {"Content-Type": kind})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, json.loads(content or b"null")

    def ask(self, question: str = QUESTION, **more: Any) -> Any:
        body = json.dumps({"question": question, **more}).encode()
        status, reply = self.request("POST", "/v1/ask", body)
        assert status == 200, reply
        return reply

    def wait_until_ready(self) -> None:
        while self.request("GET", "/readyz")[0] != 200:
            assert self.process.poll() is None, self.log
            time.sleep(0.02)

    def stopped(self, by: int = signal.SIGTERM) -> int:
        """Its exit status."""
        self.process.send_signal(by)
        return self.process.wait(30)


def environment_of(home: Path) -> dict[str, str]:
    """What a command of this index is started with."""
    return {
        **os.environ,
        "PYTHONPATH": str(TREE),
        "RAG_EMBEDDER": "hashing",
        "RAG_READER": "sentence",
        "RAG_HOME": str(home),
        "RAG_CACHE": str(home.parent / "cache"),
        "RAG_LOG": "json",
    }


@contextmanager
def serving(
    home: Path,
    *arguments: str | Path,
    command: Sequence[str] = SERVE,
    within: Sequence[str] = (),
    without: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """The server of an index; killed in the end if it still runs. `within` are words before the
    command, `without` and `variables` change its environment.
    """
    environment = {**environment_of(home), **(variables or {})}
    for name in without:
        environment.pop(name, None)
    with tempfile.NamedTemporaryFile(prefix="rag-log-") as log:
        process = subprocess.Popen(
            [*within, *command, *map(str, arguments)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=TREE,
        )
        try:
            yield Served(process, Path(log.name))
        finally:
            process.kill()
            process.wait()
