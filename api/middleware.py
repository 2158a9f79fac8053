"""What surrounds every request: its id, the token, the size of its body, headers and counts.

Plain ASGI: a refused request costs nothing, for its body is never read.
"""

from __future__ import annotations

import hmac
import logging
import re
import uuid
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem

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
_BUG = "an error in this program; its log says more under the request_id"
_log = logging.getLogger(__name__)


class Surroundings:
    """The outermost application: wraps all others."""

    def __init__(
        self, app: ASGIApp, *, token: str | None, max_body_bytes: int, registry: CollectorRegistry
    ) -> None:
        self._app = app
        self._token = token
        self._max_body_bytes = max_body_bytes
        self._requests = Counter(
            "rag_http_requests",
            "Requests by route and status.",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "rag_http_request_seconds", "Time to answer, by route.", ["route"], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _set_headers(MutableHeaders(scope=message), scope["path"], request_id)
            await send(message)

        app = self._refusal(scope, request_id) or self._app
        try:
            await app(scope, _counted(receive, self._max_body_bytes), send_with_headers)
        except Exception:
            _log.exception("a bug met request %s", request_id)
            if status:  # the response had begun
                raise
            await problem(request_id, 500, _BUG)(scope, receive, send_with_headers)
        finally:
            # Routes, not paths: the number of labels must not grow with what clients make up.
            route = getattr(scope.get("route"), "path", "other")
            self._requests.labels(route, str(status)).inc()
            self._seconds.labels(route).observe(perf_counter() - began)

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
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._max_body_bytes:
            return problem(request_id, 413, _too_large(self._max_body_bytes))
        return None


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
