"""What surrounds every request: its id, who sent it, its size, headers and counts.

Plain ASGI: a refused request costs nothing, for its body is never read.
"""

from __future__ import annotations

import logging
import uuid
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import Gate
from api.errors import problem, unreadable
from api.limits import Limits
from rag.errors import StoreUnreadable

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
_BUG = "an error in this program; its log says more under the request_id"
_log = logging.getLogger(__name__)


class Surroundings:
    """The outermost application: wraps all others."""

    def __init__(
        self, app: ASGIApp, *, gate: Gate, limits: Limits, registry: CollectorRegistry
    ) -> None:
        self._app = app
        self._gate = gate
        self._limits = limits
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
            await app(scope, self._limits.counted(scope, receive), send_with_headers)
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
        try:
            access = self._gate.admit(scope)
            self._limits.check(scope, access)
        except HTTPException as refused:
            return problem(request_id, refused.status_code, refused.detail, refused.headers)
        except StoreUnreadable as error:
            return unreadable(request_id, error)
        scope["state"]["access"] = access
        return None


def _set_headers(headers: MutableHeaders, path: str, request_id: str) -> None:
    for name, value in _HEADERS.items():
        headers[name] = value
    docs = path == "/docs" or path.startswith("/docs/")
    headers["Content-Security-Policy"] = DOCS_POLICY if docs else PAGE_POLICY
    headers["X-Request-ID"] = request_id
    headers.setdefault("Cache-Control", "no-cache")
