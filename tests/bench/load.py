"""Questions under load: `python -m tests.bench.load [--minutes 10] [--clients 16]`.

Clients ask without a pause, through a real server with the real models; in turn two others upload
new and changed documents and remove some, or nobody does. Every reply is judged: its status, and
that each of its citations stands in a version of its document that was sent, one version of each
document in one reply. Prints the times with and without the uploads, and what the server's process
holds. With `--minutes 60` it is the soak run for leaks.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import itertools
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rag.settings import Settings
from tests.bench.serving import served
from tests.served import Served

_WRITERS = 2
_KEPT = 40  # documents of each writer; then the oldest is replaced, or removed
_QUIET_SECONDS, _BUSY_SECONDS = 30.0, 60.0
_SETTLING_SECONDS = 3.0  # of each window that don't count
_SAMPLED_SECONDS = 5.0
_SAMPLE = Path(__file__).parents[2] / "data"


@dataclass(slots=True)
class _Seen:
    """What the clients have seen; `texts` are all versions that were sent, by their hash."""

    texts: dict[str, str] = field(default_factory=dict)
    quiet: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    changes: int = 0
    resident: list[tuple[float, float]] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    log_bytes: list[int] = field(default_factory=list)


class _Client:
    """One connection that is kept."""

    def __init__(self, server: Served) -> None:
        self._at = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def send(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, Any]:
        self._at.request(method, path, body, {"Content-Type": kind} if kind else {})
        response = self._at.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None

    def text(self, document: str) -> str:
        self._at.request("GET", f"/v1/documents/{quote(document)}/text")
        return self._at.getresponse().read().decode()

    def close(self) -> None:
        self._at.close()


class _Load:
    """The clients of one run."""

    def __init__(self, server: Served, questions: Sequence[str], paragraphs: Sequence[str]) -> None:
        self._server = server
        self._questions = questions
        self._paragraphs = paragraphs
        self._ended = threading.Event()
        self._writing = threading.Event()
        self._since = time.monotonic()
        self.seen = _Seen()

    def run(self, home: Path, minutes: float, clients: int) -> None:
        """Goes on until it has been written for so long."""
        self._note_texts()
        work: list[Callable[[], None]] = [
            *(lambda n=n: self._ask(n) for n in range(clients)),
            *(lambda n=n: self._write(n) for n in range(_WRITERS)),
            lambda: self._sample(home),
        ]
        with ThreadPoolExecutor(len(work)) as pool:
            running = [pool.submit(one) for one in work]
            for _ in range(max(1, round(minutes * 60 / _BUSY_SECONDS))):
                self._window(_QUIET_SECONDS)
                self._writing.set()
                self._window(_BUSY_SECONDS)
                self._writing.clear()
            self._ended.set()
            for one in running:
                one.result()

    def _window(self, seconds: float) -> None:
        self._since = time.monotonic()
        time.sleep(seconds)

    def _note_texts(self) -> None:
        with closing(_Client(self._server)) as client:
            _, listing = client.send("GET", "/v1/documents?limit=1000")
            for record in listing["documents"]:
                self._note(client.text(record["document_id"]))

    def _note(self, text: str) -> None:
        self.seen.texts[hashlib.sha256(text.encode()).hexdigest()] = text

    def _ask(self, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - questions, not secrets
        with closing(_Client(self._server)) as client:
            while not self._ended.is_set():
                body = json.dumps({"question": chance.choice(self._questions)}).encode()
                began, is_busy = time.monotonic(), self._writing.is_set()
                status, reply = client.send("POST", "/v1/ask", body, "application/json")
                ended = time.monotonic()
                if wrong := self._wrong(status, reply):
                    self.seen.wrong.append(wrong)
                if is_busy == self._writing.is_set() and began > self._since + _SETTLING_SECONDS:
                    (self.seen.busy if is_busy else self.seen.quiet).append(ended - began)

    def _wrong(self, status: int, reply: Any) -> str | None:
        if status != 200:
            return f"{status}: {reply}"
        versions: dict[str, str] = {}
        for item in [*reply["answers"], *reply["passages"]]:
            citation = item["citation"]
            text = self.seen.texts.get(citation["text_sha256"], "")
            if text[citation["start"] : citation["end"]] != citation["quote"]:
                return f"not its words: {citation}"
            version = versions.setdefault(citation["document_id"], citation["text_sha256"])
            if version != citation["text_sha256"]:
                return f"two versions of one document in a reply: {citation}"
        return None

    def _write(self, number: int) -> None:
        chance = random.Random(-1 - number)  # noqa: S311 - words, not secrets
        for turn in itertools.count():
            while not self._writing.wait(0.1):
                if self._ended.is_set():
                    return
            name = f"writer-{number}/{turn % _KEPT}.txt"
            with closing(_Client(self._server)) as client:  # the server ends one that rests
                self._put(client, name, chance)
                if chance.random() < 0.1:
                    self._remove(client, name)

    def _put(self, client: _Client, name: str, chance: random.Random) -> None:
        words = " ".join(chance.choice(self._paragraphs) for _ in range(12)).split()
        chance.shuffle(words)
        text = "\n\n".join(" ".join(words[at : at + 90]) for at in range(0, len(words), 90))
        self._note(text)
        head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + text.encode() + b"\r\n--x--\r\n"
        kind = "multipart/form-data; boundary=x"
        status, reply = client.send("POST", "/v1/documents", body, kind)
        if status != 201:
            self.seen.wrong.append(f"{status}: {reply}")
        self.seen.changes += 1

    def _remove(self, client: _Client, name: str) -> None:
        _, listing = client.send("GET", f"/v1/documents?limit=1000&q={quote(name)}")
        for record in listing["documents"]:
            if record["source"] == name:
                status, reply = client.send("DELETE", f"/v1/documents/{record['document_id']}")
                if status != 204:
                    self.seen.wrong.append(f"{status}: {reply}")
                self.seen.changes += 1

    def _sample(self, home: Path) -> None:
        """What the server's process holds; the first reading comes after a minute of questions."""
        process = Path(f"/proc/{self._server.process.pid}")
        began = time.monotonic()
        while not self._ended.wait(_SAMPLED_SECONDS):
            if (minutes := (time.monotonic() - began) / 60) < 1:
                continue
            facts = dict(
                line.split(":", 1) for line in (process / "status").read_text().splitlines()
            )
            self.seen.resident.append((minutes, int(facts["VmRSS"].split()[0]) / 1000))
            self.seen.threads.append(int(facts["Threads"]))
            self.seen.files.append(len(list((process / "fd").iterdir())))
            log = home / "index.sqlite-wal"
            self.seen.log_bytes.append(log.stat().st_size if log.exists() else 0)


def load_table(
    corpus: Path, questions: Sequence[str], settings: Settings, minutes: float, clients: int
) -> Iterator[str]:
    """One run, as Markdown; the last line says what was wrong first, if anything was."""
    texts = [file.read_text("utf-8") for file in sorted(corpus.rglob("*.md"))]
    texts += [file.read_text("utf-8") for file in sorted(corpus.rglob("*.txt"))]
    paragraphs = [p for text in texts for p in text.split("\n\n") if len(p) > 40]
    with tempfile.TemporaryDirectory() as folder:
        home = replace(settings, home=Path(folder, "home"))
        with served(corpus, home) as server:
            server.ask(questions[0])
            load = _Load(server, questions, paragraphs)
            load.run(home.home, minutes, clients)
    seen = load.seen
    slope, _ = statistics.linear_regression(*zip(*seen.resident, strict=True))
    yield f"### {clients} clients ask, {_WRITERS} upload in turn, {minutes:g} minutes of it\n"
    yield "| | questions | p50, ms | p95, ms |"
    yield "|---|---|---|---|"
    yield f"| nobody uploads | {_times(seen.quiet)} |"
    yield f"| two upload | {_times(seen.busy)} |"
    yield f"| ratio | | | {_p95(seen.busy) / _p95(seen.quiet):.2f} |"
    yield ""
    least, most = (pick(mb for _, mb in seen.resident) for pick in (min, max))
    yield f"{seen.changes} documents added, replaced or removed; {len(seen.wrong)} errors."
    yield f"The process held {least:.0f} to {most:.0f} MB, {slope * 60:+.1f} MB an hour; "
    yield f"{min(seen.files)} to {max(seen.files)} open files; "
    yield f"{min(seen.threads)} to {max(seen.threads)} threads; a log of SQLite's of at most "
    yield f"{max(seen.log_bytes) / 1e6:.1f} MB."
    yield from seen.wrong[:1]


def _times(seconds: Sequence[float]) -> str:
    return f"{len(seconds)} | {statistics.median(seconds) * 1000:.0f} | {_p95(seconds) * 1000:.0f}"


def _p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16)
    arguments = parser.parse_args()
    lines = (_SAMPLE / "questions.jsonl").read_text("utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    table = load_table(
        _SAMPLE / "corpus",
        questions,
        Settings.from_environment(),
        arguments.minutes,
        arguments.clients,
    )
    for line in table:
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
