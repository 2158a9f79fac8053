"""The application in this process: requests as they come off the wire, and what replies must be."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import Message, Scope

_CHUNK = 65_536  # bytes
_LONGEST = 60.0  # seconds
_PROBLEM = frozenset({"title", "status", "detail", "request_id"})
_UNDOCUMENTED = frozenset({200, 304, 400, 404, 405, 413})  # of the page, and of no route at all

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """A request. What no HTTP parser lets through is not in it, such as a NUL in a header."""

    method: str
    target: bytes
    headers: tuple[Header, ...]
    body: bytes

    def __str__(self) -> str:
        kept = [header for header in self.headers if header[0] != b"host"]
        return f"{self.method} {self.target[:300]!r} {kept!r:.300} {self.body[:300]!r}"

    def scope(self) -> Scope:
        """As the server makes it."""
        path, _, query = self.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "http",
            "method": self.method,
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": list(self.headers),
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8000),
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Headers
    body: bytes


async def send(app: FastAPI, request: Request) -> Reply:
    """Sends a request. Raises what leaves the application, and TimeoutError."""
    parts = [request.body[at : at + _CHUNK] for at in range(0, len(request.body), _CHUNK)] or [b""]
    coming = iter(enumerate(parts, 1))
    sent: list[Message] = []

    async def receive() -> Message:
        for number, part in coming:
            return {"type": "http.request", "body": part, "more_body": number < len(parts)}
        return await asyncio.Future()  # the client stays

    async def keep(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(_LONGEST):
        await app(request.scope(), receive, keep)
    head = sent[0]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Reply(head["status"], Headers(raw=head["headers"]), body)


class Rule:
    """What every reply must keep to."""

    def __init__(self, app: FastAPI, secrets: Sequence[str]) -> None:
        """`secrets` are words that no reply may hold."""
        self._secrets = secrets
        self._routes = [
            (
                re.compile(re.sub(r"\{\w+\}", "[^/]+", path)),
                {method.upper(): it["responses"].keys() for method, it in operations.items()},
            )
            for path, operations in app.openapi()["paths"].items()
        ]

    def violation(self, request: Request, reply: Reply) -> str | None:
        """What the reply breaks, if anything."""
        if reply.status >= 500:
            return f"status {reply.status}"
        if not self._is_documented(request, reply.status):
            return f"status {reply.status} is not documented"
        told = reply.body.decode(errors="replace") + str(reply.headers)
        for secret in ("Traceback (most recent", *self._secrets):
            if secret in told:
                return f"the reply holds {secret!r}"
        return _told_badly(reply)

    def _is_documented(self, request: Request, status: int) -> bool:
        path = request.scope()["path"]
        found = next((it for route, it in self._routes if route.fullmatch(path)), {})
        if request.method in found:
            return str(status) in found[request.method]
        return status in _UNDOCUMENTED


def _told_badly(reply: Reply) -> str | None:
    kind = reply.headers.get("content-type", "")
    if reply.status >= 400 and kind != "application/problem+json":
        return f"an error in {kind!r}"
    if "json" not in kind:
        return None
    try:
        told = json.loads(reply.body, parse_constant=_refuse)
    except ValueError as error:
        return f"the JSON can't be read: {error}"
    if reply.status < 400:
        return None
    if not told.keys() >= _PROBLEM:
        return f"a problem without {sorted(_PROBLEM - told.keys())}"
    if (told["status"], told["request_id"]) != (reply.status, reply.headers.get("x-request-id")):
        return "a problem that is another than its head says"
    return None


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
