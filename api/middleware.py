"""What surrounds every request: its id, who sent it, its size, and headers.

Plain ASGI: a refused request costs nothing, for its body is never read.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import Gate
from api.errors import problem, unreadable
from api.limits import Limits
from api.observing import Answered, Observer
from api.tracing import finish
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
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STOPPING = "the server is stopping: send it again"
_log = logging.getLogger(__name__)


class Surroundings:
    """The outermost application: wraps all others."""

    def __init__(self, app: ASGIApp, *, gate: Gate, limits: Limits, observer: Observer) -> None:
        self._app = app
        self._gate = gate
        self._limits = limits
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
                client=access.name if (access := scope["state"].get("access")) else None,
                sent=sent,
            )

        app = self._refusal(scope, request_id) or self._app
        try:
            await app(scope, self._limits.counted(scope, receive), send_with_headers)
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
        try:
            access = self._gate.admit(scope)
            scope["state"]["access"] = access
            self._limits.check(scope, access)
        except HTTPException as refused:
            return problem(request_id, refused.status_code, refused.detail, refused.headers)
        except StoreUnreadable as error:
            return unreadable(request_id, error)
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
