"""Where requests wait for a thread, and where they no longer may."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException

T = TypeVar("T")


class Line:
    """Work in so many threads; as much again as `waiting` may wait, what comes then is refused."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self._most = threads + waiting
        self._inside = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Runs to its end even if the client goes away. Raises `HTTPException` where too many wait
        already: to say so at once is kinder than to let one more wait.
        """
        if self._inside >= self._most:
            raise HTTPException(503, "too many requests are waiting: send it again in a moment")
        self._inside += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1

    @property
    def at_work(self) -> int:
        return self._limiter.statistics().borrowed_tokens

    @property
    def waiting(self) -> int:
        return self._limiter.statistics().tasks_waiting
