"""A real `rag serve` in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

from rag.settings import Settings


class Server(NamedTuple):
    """Where it listens, and its process."""

    address: str
    pid: int

    def ask(self, question: str, **more: Any) -> Any:
        """The reply to one question."""
        asked = Request(  # noqa: S310 - our own server
            f"{self.address}/v1/ask",
            json.dumps({"question": question, **more}).encode(),
            {"Content-Type": "application/json"},
        )
        with urlopen(asked) as reply:  # noqa: S310
            return json.load(reply)


@contextmanager
def served(corpus: Path, settings: Settings) -> Iterator[Server]:
    """Serves a folder, which is ingested first."""
    environment = {**os.environ, **settings.to_environment()}
    command = [sys.executable, "-m", "rag"]
    subprocess.run([*command, "ingest", str(corpus)], env=environment, check=True, stdout=-3)
    with subprocess.Popen(
        [*command, "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    ) as server:
        address = _address(server)
        # What it logs from now on must not fill the pipe: it would wait for a reader.
        threading.Thread(target=lambda: list(server.stderr or ()), daemon=True).start()
        try:
            yield Server(address, server.pid)
        finally:
            server.terminate()


def _address(server: subprocess.Popen[str]) -> str:
    for line in server.stderr or ():
        if found := re.search(r"http://[\d.]+:\d+", line):
            return found.group()
    raise RuntimeError("rag serve ended before it listened")
