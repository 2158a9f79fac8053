"""Everything that people do with the service, once, in one process that is watched.

`python -m tests.security.session LOG FOLDER` makes FOLDER, works in it with the real models, and
leaves a file `done` there. Every command and every route has to be used, or it fails.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from rag import cli, commands, ingesting
from tests.loading.test_hostile import GOOD
from tests.security.watching import parsers_watched, watch

CORPUS = Path(__file__).parents[2] / "data" / "corpus" / "handbook"
_SAMPLE = ("leave.md", "library.txt", "travel.html", "equipment.pdf")
_QUESTION = "What is the hotel limit per night?"
_JSON = {"Content-Type": "application/json"}
_DOCUMENT = "/v1/documents/{document_id}"
_BOUNDARY = "a-line-of-no-file"
_BESIDE = {"/", "/page/{name}", "/docs", "/docs/{name}"}
"""The routes that the API's description leaves out."""


def good_files() -> dict[str, bytes]:
    """A file of every format by its name."""
    sample = {name: (CORPUS / name).read_bytes() for name in _SAMPLE}
    return sample | {f"good{suffix}": data for suffix, data in GOOD.items()}


def main(folder: Path) -> None:
    """The whole session. Raises `AssertionError` where something is not done or left out."""
    files = folder / "files"
    files.mkdir()
    for name, data in good_files().items():
        (files / name).write_bytes(data)
    asked = _on_the_command_line(folder, files)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ThreadPoolExecutor(1) as pool:
        visit = pool.submit(_visit, port)
        _run("serve", files, "--port", port)
        visit.result()
    names = (*dir(commands), *dir(ingesting))
    told = {name.removeprefix("run_") for name in names if name.startswith("run_")}
    assert told == {*asked, "serve"}, told ^ {*asked, "serve"}


def _on_the_command_line(folder: Path, files: Path) -> set[str]:
    """Every command but `serve`; returns their names."""
    reply, questions, backup = folder / "reply.json", folder / "questions.csv", folder / "backup"
    questions.write_text(f"question,answer,source\n{_QUESTION},135 euros,travel.html\n")
    steps: list[tuple[Any, ...]] = [
        ("ingest", files),
        ("ask", _QUESTION, "--json"),
        ("search", _QUESTION, "--type", "html"),
        ("why", _QUESTION, "--after", "And in a year?"),
        ("verify", reply),
        ("eval", questions, "--out", folder / "report"),
        ("backup", backup),
        ("remove", "good.txt"),
        ("rebuild",),
        ("restore", backup, "--replace"),
        ("doctor", "--repair"),
        ("documents",),
        ("collections",),
        ("status",),
        ("token_add", "guest"),
        ("token_list",),
        ("token_remove", "guest"),
    ]
    for name, *arguments in steps:
        said = _run(*name.split("_"), *arguments)
        if name == "ask":
            assert "135 euros" in said
            reply.write_text(said)
    assert (folder / "report" / "report.html").is_file()
    return {step[0] for step in steps}


def _run(*arguments: Any) -> str:
    """What a command says. Raises `AssertionError` where its exit status is not 0."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    status: Any = None
    try:
        with contextlib.redirect_stdout(out):
            cli.main([str(argument) for argument in arguments])
    except SystemExit as ended:
        status = ended.code
    assert status == 0, (arguments, status)
    out.seek(0)
    return out.read()


def _visit(port: int) -> None:
    """A client of the server, which it stops in the end."""
    try:
        visitor = _Visitor(port)
        visitor.look_at_the_page()
        visitor.use()
        described = set(json.loads(visitor.ask("GET", "/openapi.json"))["paths"])
        left_out = (described | _BESIDE) - visitor.used
        assert not left_out, left_out
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


class _Visitor:
    """Asks for every route; `used` are their templates."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.used: set[str] = set()
        while self._reply("GET", "/readyz", b"", {})[0] != 200:
            time.sleep(0.02)
        self.used.add("/readyz")

    def ask(self, method: str, route: str, body: Any = None, **names: str) -> bytes:
        """The content of a reply. Raises `AssertionError` where it tells of a failure."""
        self.used.add(route)
        path = re.sub(r"\{(\w+)\}", lambda field: names[field[1]], route)
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        upload = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        status, reply = self._reply(
            method, path, content, upload if isinstance(body, bytes) else _JSON
        )
        assert status < 300, (method, path, status, reply)
        return reply

    def look_at_the_page(self) -> None:
        """Its files and those of the documentation, as a browser would fetch them."""
        self.ask("GET", "/")
        for name in ("page.js", "page.css", "icon.svg"):
            self.ask("GET", "/page/{name}", name=name)
        documentation = self.ask("GET", "/docs").decode()
        for name in re.findall(r'(?:src|href)="/docs/([\w.-]+)"', documentation):
            self.ask("GET", "/docs/{name}", name=name)

    def use(self) -> None:
        """What the page and programs do."""
        question = {"question": _QUESTION}
        reply = json.loads(self.ask("POST", "/v1/ask", question | {"explain": True}))
        assert reply["answer"]["text"] == "135 euros"
        self.ask("POST", "/v1/search", question)
        cited = reply["answer"]["citation"]
        self.ask("POST", "/v1/verify", {"citations": [cited]})
        self.ask("POST", "/v1/feedback", question | {"verdict": "right", "citation": cited})
        report = json.loads(self.ask("POST", "/v1/documents", _form(good_files())))
        added = [result["document_id"] for result in report["results"]]
        for document_id in added:
            for route in (_DOCUMENT, f"{_DOCUMENT}/text", f"{_DOCUMENT}/original"):
                self.ask("GET", route, document_id=document_id)
        self.ask("DELETE", _DOCUMENT, document_id=added[0])
        many = {f"{number}.txt": f"The number is {number}.".encode() for number in range(51)}
        job = json.loads(self.ask("POST", "/v1/documents", _form(many)))
        self.ask("GET", "/v1/jobs/{job_id}", job_id=job["id"])
        self.ask("DELETE", "/v1/jobs/{job_id}", job_id=job["id"])
        self.ask("GET", "/v1/collections/{name}", name="default")
        for route in ("/v1/documents", "/v1/collections", "/v1/status", "/metrics", "/healthz"):
            self.ask("GET", route)

    def _reply(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        for _ in range(500):
            with contextlib.closing(HTTPConnection("127.0.0.1", self._port, timeout=60)) as asking:
                try:
                    asking.request(method, path, body, headers)
                except ConnectionRefusedError:  # it has not begun to listen
                    time.sleep(0.02)
                    continue
                response = asking.getresponse()
                return response.status, response.read()
        raise AssertionError("the server does not listen")


def _form(files: dict[str, bytes]) -> bytes:
    """An upload of files."""
    head = 'Content-Disposition: form-data; name="files"; filename="{}"\r\n\r\n'
    parts = [
        f"--{_BOUNDARY}\r\n{head.format(name)}".encode() + data + b"\r\n"
        for name, data in files.items()
    ]
    return b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])


if __name__ == "__main__":
    log, place = sys.argv[1:]
    watch(log)
    Path(place).mkdir()
    os.environ["RAG_HOME"] = str(Path(place) / "home")
    with parsers_watched(Path(log)):
        main(Path(place))
    (Path(place) / "done").touch()
