"""How much a client may send, how slowly, and how often."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from time import perf_counter

from anyio import fail_after
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from api.access import HARMLESS
from rag.access import Access
from rag.settings import Settings

LEAST_RATE = 1_000
"""Bytes a second that earn a body more time, so that a slow line is no reason to be cut off."""
_UPLOAD = ("POST", "/v1/documents")


class Limits:
    """What surrounds a body: its size, counted as it comes, and its time; and the client's rate."""

    def __init__(self, settings: Settings) -> None:
        self._upload_bytes = settings.max_upload_bytes
        self._json_bytes = settings.max_json_bytes
        self._body_seconds = settings.body_seconds
        self._slow_down = _rate(settings.rate)

    def check(self, scope: Scope, access: Access) -> None:
        """Raises `HTTPException` for what the head of a request says already."""
        if scope["method"] not in HARMLESS:
            client = scope.get("client") or ("", 0)
            self._slow_down(f"token {access.name}" if access.name else client[0])
        length = Headers(scope=scope).get("content-length", "0")
        most = self._most(scope)
        if length.isascii() and length.isdigit() and int(length[:20]) > most:
            raise _too_large(scope, most)

    def _most(self, scope: Scope) -> int:
        return self._upload_bytes if _is_upload(scope) else self._json_bytes

    def counted(self, scope: Scope, receive: Receive) -> Receive:
        """A body that says nothing of its length, or lies about it, is counted as it comes; and one
        that trickles ends with 408.
        """
        most, seen, waited = self._most(scope), 0, 0.0
        more = True

        async def counted() -> Message:
            nonlocal seen, waited, more
            if not more:  # what follows a body is that the client goes, which may take its time
                return await receive()
            began = perf_counter()
            left = self._body_seconds + seen / LEAST_RATE - waited
            try:
                with fail_after(max(0.0, left)):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(408, "the request came too slowly: send it again") from error
            waited += perf_counter() - began
            more = message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > most:
                raise _too_large(scope, most)
            return message

        return counted


def _is_upload(scope: Scope) -> bool:
    return (scope["method"], scope["path"]) == _UPLOAD


def _too_large(scope: Scope, most: int) -> HTTPException:
    wanted, setting = "less", "RAG_MAX_JSON_MB"
    if _is_upload(scope):
        wanted, setting = "fewer files", "RAG_MAX_UPLOAD_MB"
    return HTTPException(
        413,
        f"the request is larger than {most / 1e6:g} MB: send {wanted} at once, or raise {setting}",
    )


def _rate(rate: str | None) -> Callable[[str], None]:
    """Counts a client's request; raises `HTTPException` for one too many."""
    if rate is None:
        return lambda _: None
    limiter = MovingWindowRateLimiter(MemoryStorage())
    item: RateLimitItem = parse(rate)

    def slow_down(client: str) -> None:
        if not limiter.hit(item, client):
            frees = limiter.get_window_stats(item, client).reset_time
            seconds = max(1, math.ceil(frees - time.time()))
            raise HTTPException(
                429,
                f"more than {rate}: wait {seconds} s and send it again",
                {"Retry-After": str(seconds)},
            )

    return slow_down
