"""What surrounds every request: its id, the token, the size of its body, and headers.

Plain ASGI: a refused request costs nothing, for its body is never read.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import uuid
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from api.observing import Answered, Observer
from api.tracing import finish
from rag.errors import ReadOnly

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# Swagger UI sets styles from script and draws with data: images.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_ELSEWHERE = frozenset({"cross-site", "same-site"})  # as browsers say of another origin's page
_PUBLIC = re.compile(r"/|/page/[^/]+|/docs(/.*)?|/openapi\.json|/healthz|/readyz")
_CHANGES = re.compile("/v1/(documents|feedback)")
_BUG = "an error in this program; its log says more under the request_id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STOPPING = "the server is stopping: send it again"
_log = logging.getLogger(__name__)


class Surroundings:
    """The outermost application: wraps all others."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str | None,
        max_body_bytes: int,
        read_only: bool,
        observer: Observer,
    ) -> None:
        self._app = app
        self._token = token
        self._max_body_bytes = max_body_bytes
        self._read_only = read_only
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        with self._observer.tracing.request(scope["method"], headers) as span:
            answered = await self._answered(scope, receive, send, _request_id(headers))
            finish(span, answered.method, answered.route, answered.status)

    async def _answered(
        self, scope: Scope, receive: Receive, send: Send, request_id: str
    ) -> Answered:
        began = perf_counter()
        scope.setdefault("state", {})["request_id"] = request_id
        status = sent = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                _set_headers(MutableHeaders(scope=message), scope["path"], request_id)
            sent += len(message.get("body", b""))
            await send(message)

        def answered() -> Answered:
            return Answered(
                request_id=request_id,
                method=scope["method"],
                # Routes, not paths: the number of labels must not grow with what clients make up.
                route=getattr(scope.get("route"), "path", "other"),
                status=status,
                seconds=perf_counter() - began,
                client=scope["state"].get("client"),
                sent=sent,
            )

        app = self._refusal(scope, request_id) or self._app
        try:
            await app(scope, _counted(receive, self._max_body_bytes), send_with_headers)
        except asyncio.CancelledError:  # uvicorn waits no longer for what is under way
            if status:
                raise
            await problem(request_id, 503, _STOPPING)(scope, receive, send_with_headers)
        except Exception:
            _log.exception("a bug met request %s", request_id)
            if status:  # the response had begun
                raise
            await problem(request_id, 500, _BUG)(scope, receive, send_with_headers)
        finally:
            self._observer.answered(answered())
        return answered()

    def _refusal(self, scope: Scope, request_id: str) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if self._token and not _PUBLIC.fullmatch(scope["path"]):
            scheme, _, given = headers.get("authorization", "").partition(" ")
            # Latin-1 gives back the bytes that came.
            matches = hmac.compare_digest(given.strip().encode("latin-1"), self._token.encode())
            if scheme.lower() != "bearer" or not matches:
                return problem(
                    request_id,
                    401,
                    "this server wants its token: send Authorization: Bearer TOKEN",
                    {"WWW-Authenticate": "Bearer"},
                )
        if scope["method"] not in _HARMLESS and headers.get("sec-fetch-site") in _ELSEWHERE:
            return problem(request_id, 403, "a page of another site sent this: it is not obeyed")
        if self._read_only and scope["method"] not in _HARMLESS and _CHANGES.match(scope["path"]):
            return problem(request_id, 403, str(ReadOnly()))
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._max_body_bytes:
            return problem(request_id, 413, _too_large(self._max_body_bytes))
        return None


def _request_id(headers: Headers) -> str:
    """The caller's own where it is harmless, so that its log and this one agree."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _set_headers(headers: MutableHeaders, path: str, request_id: str) -> None:
    for name, value in _HEADERS.items():
        headers[name] = value
    docs = path == "/docs" or path.startswith("/docs/")
    headers["Content-Security-Policy"] = DOCS_POLICY if docs else PAGE_POLICY
    headers["X-Request-ID"] = request_id
    headers.setdefault("Cache-Control", "no-cache")


def _counted(receive: Receive, most: int) -> Receive:
    """A body that says nothing of its length, or lies about it, is counted as it comes."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, _too_large(most))
        return message

    return counted


def _too_large(most: int) -> str:
    return (
        f"the request is larger than {most / 1e6:g} MB: send fewer files at once, "
        "or raise RAG_MAX_UPLOAD_MB"
    )
