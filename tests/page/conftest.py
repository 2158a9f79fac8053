"""The page's fast test double: the HTTP API of the contract over a few texts, and a browser.

Citations are computed from the texts and become JSON by the program's own payload functions; only
the finding is canned.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.middleware import PAGE_POLICY
from rag.assembly import build
from rag.payloads import document_payload, reply_payload
from rag.settings import Settings
from rag.text import paragraphs
from rag.types import Answer, Citation, DocumentRecord, Origin, RankedPassage, Reason, Reply, Span

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PAGE = Path(__file__).parents[2] / "api" / "page"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
window.fired = () => { window.hasFired = true; };
"""

LEAVE = """# Leave and absence

Edition of March 2026.

## Annual leave

Every employee has thirty days of paid leave a year. 🏖️ In the café's words, José: \
“rest is part of the work”, so at least ten of these days are taken in one stretch. \
Days that are left over move to the next year until the end of March.

## Illness

Whoever falls ill tells their lead before ten in the morning. A doctor's note is needed from \
the fourth day.
"""
TRAVEL = (
    "Travel\r\n\r\nTrips are booked at least two weeks ahead.\r\nSecond class is the rule.\r\n"
    " \t\r\n\r\n\u2028\r\nA night in a hotel costs at most 120 euros; 🚆 by night train "
    "the limit is 180 euros.\r\n\r\nReceipts go to the office within thirty days."
)


@dataclass
class FakeApi:
    """What the server knows and how it behaves; a test changes it as it likes.

    `jobs` are what an upload and each look at it get, where the server takes it as a job.
    """

    policy: str | None = PAGE_POLICY
    token: str | None = None
    collections: tuple[str, ...] = ("default",)
    writable: bool = True
    texts: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    replies: dict[str, Any] = field(default_factory=dict)
    failures: list[tuple[str, int, str, dict[str, str]]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    slow: threading.Event | None = None
    sought: list[str] = field(default_factory=list)
    uploads: list[tuple[str, bytes, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def add(self, source: str, text: str, title: str | None = None) -> Origin:
        """Indexes a text."""
        key = hashlib.sha256(source.encode()).hexdigest()[:32]
        digest = hashlib.sha256(text.encode()).hexdigest()
        title = title if title is not None else Path(source).stem
        origin = Origin(
            key, "default", "/", source, title, "2026-03-01", "en", digest, digest, "text/1"
        )
        self.texts[key], self.origins[key] = text, origin
        return origin

    def cite(
        self, origin: Origin, quote: str, sentence: str | None = None, page: int | None = None
    ) -> Citation:
        """The citation of the first place in the document where `quote` stands in `sentence`."""
        text = self.texts[origin.document_id]
        around = text.index(sentence if sentence is not None else quote)
        start = text.index(quote, around)
        end = start + len(quote)
        starts = [paragraph.start for paragraph in paragraphs(text)]
        return Citation(
            origin=origin,
            span=Span(start, end),
            quote=quote,
            paragraph=bisect_right(starts, start),
            paragraph_end=bisect_right(starts, end - 1),
            page=page,
            page_label=None,
            heading=(),
            sentence=Span(around, around + len(sentence)) if sentence is not None else None,
            prefix=text[max(0, start - 32) : start],
            suffix=text[end : end + 32],
        )

    def answer(self, origin: Origin, words: str, sentence: str, **more: Any) -> Answer:
        page = more.pop("page", None)
        confidence = more.pop("confidence", None)
        return Answer(words, sentence, confidence, self.cite(origin, words, sentence, page), **more)

    def reply(
        self, question: str, *answers: Answer, passages: tuple[Citation, ...] = (), **more: Any
    ) -> None:
        """Cans the reply to a question; `more` replaces fields of the JSON."""
        ranked = tuple(
            RankedPassage(rank, 1 / rank, citation.quote, citation)
            for rank, citation in enumerate(passages, start=1)
        )
        reason = None if answers else Reason.LOW_CONFIDENCE
        times = {"total": 38.4, "retrieve": 20.0, "read": 18.4}
        reply = Reply(question, "default", answers, reason, ranked, 12, "embedder", "reader", times)
        self.replies[question] = {**reply_payload(reply), **more}

    def fail(self, path: str, status: int, detail: str, **headers: str) -> None:
        """Makes the next request to `path` fail."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.failures.append((path, status, detail, named))

    def overview(self, name: str) -> dict[str, Any]:
        """A collection with the folders, types and dates that a question can be narrowed to."""
        sources = [Path(origin.source) for origin in self.origins.values()]
        folders = Counter(str(source.parent) for source in sources if len(source.parts) > 1)
        types = Counter(source.suffix.lstrip(".") for source in sources)
        return {
            "name": name,
            "folders": [{"folder": folder, "documents": n} for folder, n in folders.items()],
            "types": [{"type": kind, "documents": n} for kind, n in types.items()],
            "date_from": "2026-03-01",
            "date_to": "2026-03-01",
        }

    def record(self, key: str) -> dict[str, Any]:
        text = self.texts[key]
        count = len(paragraphs(text))
        record = DocumentRecord(self.origins[key], count, count, len(text), "2026-03-02T08:00:00Z")
        return {**document_payload(record), "bytes": len(text.encode())}

    def listing(self, cursor: int, limit: int, words: str) -> dict[str, Any]:
        self.sought.append(words)
        keys = [key for key, origin in self.origins.items() if key in self.texts]
        for word in words.lower().split():
            names = {key: f"{self.origins[key].source} {self.origins[key].title}" for key in keys}
            keys = [key for key in keys if word in names[key].lower()]
        following = cursor + limit
        return {
            "documents": [self.record(key) for key in keys[cursor:following]],
            "next": str(following) if following < len(keys) else None,
        }

    def upload(self, name: str, content: bytes, collection: str) -> dict[str, Any]:
        """Indexes an upload as the program does and returns its outcome."""
        self.uploads.append((name, content, collection))
        if not name.endswith((".txt", ".md")):
            return _outcome(name, "refused", reason="unsupported type: save it as text")
        known = next((o for o in self.origins.values() if o.source == name), None)
        key = known.document_id if known else None
        if key is None or key not in self.texts:
            return _outcome(name, "added", self.add(name, content.decode()).document_id)
        if self.texts[key].encode() == content:
            return _outcome(name, "unchanged", key)
        return _outcome(name, "replaced", self.add(name, content.decode()).document_id)


def _outcome(
    source: str, status: str, document_id: str | None = None, reason: str | None = None
) -> dict[str, Any]:
    return {
        "source": source,
        "status": status,
        "document_id": document_id,
        "reason": reason,
        "note": "1 of 2 pages has no text: 2" if "half-scanned" in source else None,
    }


class Server(ThreadingHTTPServer):
    api = FakeApi()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        api, url = self.server.api, urlsplit(self.path)
        if url.path == "/" or url.path.startswith("/page/"):
            self._send_file(PAGE / (url.path.removeprefix("/page/").strip("/") or "index.html"))
        elif self._refused(url.path):
            return
        elif url.path == "/v1/status":
            self._send_json({"documents": len(api.texts), "writable": api.writable})
        elif url.path == "/v1/collections":
            self._send_json({"collections": [{"name": name} for name in api.collections]})
        elif url.path.startswith("/v1/collections/"):
            self._send_json(api.overview(unquote(url.path.removeprefix("/v1/collections/"))))
        elif url.path.startswith("/v1/jobs/"):
            self._send_json(api.jobs.pop(0))
        elif url.path == "/v1/documents":
            query = parse_qs(url.query)
            cursor = int(query.get("cursor", ["0"])[0])
            words = query.get("q", [""])[0]
            self._send_json(api.listing(cursor, int(query["limit"][0]), words))
        else:
            key, *rest = url.path.removeprefix("/v1/documents/").split("/")
            if key not in api.texts:
                self._problem(404, "no such document")
            elif rest:
                self._send(200, "text/plain; charset=utf-8", api.texts[key].encode())
            else:
                self._send_json(api.record(key))

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self._refused(self.path):
            return
        if self.path == "/v1/documents":
            self._take(raw)
            return
        body = json.loads(raw)
        if self.path == "/v1/feedback":
            self.server.api.said.append(body)
            self._send_json({"id": "feedback-1"}, 201)
            return
        self.server.api.asked.append(body)
        if self.server.api.slow is not None:
            self.server.api.slow.wait(10)
        self._send_json(self.server.api.replies[body["question"]])

    def _take(self, raw: bytes) -> None:
        form = BytesParser(policy=HTTP).parsebytes(
            f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode() + raw
        )
        fields = {}
        for part in form.iter_parts():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            fields[part.get_filename()] = content
        collection = fields.pop(None, b"default").decode()
        [(name, content)] = fields.items()
        if self.server.api.jobs:
            self._send_json(self.server.api.jobs.pop(0), 202)
            return
        outcome = self.server.api.upload(name or "", content, collection)
        if outcome["status"] == "refused":
            detail = f"none of 1 files was accepted; the first: {outcome['reason']}"
            self._problem(415, detail, results=[outcome])
        else:
            self._send_json({"results": [outcome]}, 201)

    def do_DELETE(self) -> None:
        api, key = self.server.api, self.path.rpartition("/")[2]
        if self._refused("DELETE"):
            return
        if key not in api.texts:
            self._problem(404, "no such document")
            return
        api.removed.append(api.origins[key].source)
        del api.texts[key]
        self._send(204, "text/plain", b"")

    def _refused(self, path: str) -> bool:
        api = self.server.api
        if api.token and self.headers["Authorization"] != f"Bearer {api.token}":
            self._problem(401, "this server wants its token")
            return True
        due = next((failure for failure in api.failures if failure[0] == path), None)
        if due is not None:
            api.failures.remove(due)
            self._problem(*due[1:])
        return due is not None

    def _problem(
        self, status: int, detail: str, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
        self._send(status, "application/problem+json", json.dumps(body).encode(), headers)

    def _send_json(self, body: Any, status: int = 200) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send_file(self, path: Path) -> None:
        cache = {"Cache-Control": "max-age=600"} if path.name != "index.html" else {}
        self._send(200, TYPES.get(path.suffix, "image/svg+xml"), path.read_bytes(), cache)

    def _send(
        self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        policy = self.server.api.policy
        fixed = {"Content-Type": kind, "Content-Length": str(len(body))}
        for name, value in {**fixed, **(headers or {})}.items():
            self.send_header(name, value)
        if policy is not None:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        with suppress(ConnectionError):  # a question that was cancelled
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keeps quiet."""


@contextmanager
def serving(home: Path, *paths: Path) -> Iterator[str]:
    """Where the real application listens, with light parts, once the paths are ingested."""
    settings = Settings(
        home=home, cache=home / "cache", embedder="hashing", reader="sentence", paths=paths
    )
    app = create_app(build(settings), settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    while httpx.get(f"{base}/readyz").status_code != 200:
        time.sleep(0.01)
    yield base
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def api(server: Server) -> FakeApi:
    """A small handbook, asked two questions."""
    api = server.api = FakeApi()
    leave = api.add("handbook/leave.md", LEAVE, "Leave and absence")
    travel = api.add("handbook/travel.txt", TRAVEL)
    days = LEAVE.split("\n\n")[3]
    api.reply(
        "How many days of leave do I get?",
        api.answer(leave, "thirty days", days.split(". ")[0] + ".", confidence=0.93),
        api.answer(travel, "within thirty days", "Receipts go to the office within thirty days."),
        passages=(api.cite(leave, days), api.cite(travel, "A night in a hotel")),
    )
    api.reply("Who paints the walls?", passages=(api.cite(leave, days),))
    return api


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits until something holds."""

    def wait(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="session")
def context(browser: Browser, server: Server) -> BrowserContext:
    """What the tabs share: the cache of the page's files, and nothing that the page stores."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        base_url=f"http://127.0.0.1:{server.server_port}",
        reduced_motion="reduce",
    )
    context.add_init_script(WATCH)
    return context


@pytest.fixture
def page(context: BrowserContext, api: FakeApi) -> Iterator[Page]:  # noqa: ARG001
    """A fresh tab, opened by the test; it must end without a script error or a refused load."""
    page = context.new_page()
    page.set_default_timeout(10_000)
    errors: list[object] = []

    def note(error: object) -> None:
        errors.append(error)

    page.on("pageerror", note)
    yield page
    violations = page.evaluate("window.violations")
    page.close()
    assert violations == []
    assert errors == []
