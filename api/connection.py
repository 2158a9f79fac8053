"""A connection that ends where its client is too slow: uvicorn's own has no such limits.

A body's time is kept where it is read, in `api.limits`; here is what no application sees: heads
that don't come, replies that are not taken, bodies that nobody reads any more.
"""

from __future__ import annotations

import asyncio
import uuid
from enum import Enum, auto
from functools import cache
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.errors import problem
from api.limits import LEAST_RATE
from rag.settings import Settings

_MOST_UNWANTED = 65_536  # bytes of a refused body that are taken, for the client to get its reply
_LINGER_SECONDS = 2.0  # in which it can read that reply
_TICK_SECONDS = 1.0  # at most


class _Wait(Enum):
    """What a connection waits for that its client has to do."""

    HEAD = auto()
    TAKING = auto()  # of the reply
    UNWANTED = auto()  # a body goes on to come although the reply is out


@cache
def _settings() -> Settings:
    return Settings.from_environment()


class Connection(H11Protocol):
    """Looks at itself every second or so, and ends what takes too long."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        settings = _settings()
        self._head_seconds = settings.header_seconds
        self._taking_seconds = settings.body_seconds
        self._tick_seconds = min(_TICK_SECONDS, self._head_seconds / 4, self._taking_seconds / 4)
        self._timer: asyncio.TimerHandle | None = None
        self._wait: tuple[_Wait, object] | None = None
        self._since = 0.0
        self._left = 0  # bytes of the reply that wait to be taken
        self._taken = 0
        self._unwanted = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._tick()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_unwanted():
            self._unwanted += len(data)
            if self._unwanted > _MOST_UNWANTED:
                self.flow.pause_reading()

    def on_response_complete(self) -> None:
        self._unwanted = 0
        super().on_response_complete()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._wait = None  # the client took a good part: its time begins anew

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, f"{msg[:-1].lower()}: speak HTTP/1.1")

    def _tick(self) -> None:
        now, wait = self.loop.time(), self._waits_for()
        left = self.transport.get_write_buffer_size()
        if wait != self._wait:
            self._wait, self._since, self._taken = wait, now, 0
        else:
            self._taken += max(0, self._left - left)
            if wait and now - self._since > self._allowed(wait[0]):
                self._end(wait[0])
        self._left = left
        self._timer = self.loop.call_later(self._tick_seconds, self._tick)

    def _waits_for(self) -> tuple[_Wait, object] | None:
        """What, and for which request: a new one has its own time."""
        is_idle = self.cycle is None or self.cycle.response_complete
        if self.transport.get_write_buffer_size():
            return _Wait.TAKING, self.cycle
        if self._is_unwanted():
            return _Wait.UNWANTED, self.cycle
        # uvicorn itself ends what is kept alive and sends nothing.
        if is_idle and self.conn.their_state is h11.IDLE and not self.timeout_keep_alive_task:
            return _Wait.HEAD, self.cycle
        return None

    def _is_unwanted(self) -> bool:
        is_out = self.cycle is not None and self.cycle.response_complete
        return is_out and self.conn.their_state is h11.SEND_BODY

    def _allowed(self, wait: _Wait) -> float:
        if wait is _Wait.TAKING:
            return self._taking_seconds + self._taken / LEAST_RATE
        return self._head_seconds if wait is _Wait.HEAD else _LINGER_SECONDS

    def _end(self, wait: _Wait) -> None:
        if wait is _Wait.TAKING:
            self.transport.abort()
        elif wait is _Wait.HEAD and self.conn.trailing_data[0]:
            self._refuse(408, "the head of the request came too slowly: send it again")
        else:
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        """Replies to what never became a request, and hangs up."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            reply = problem(uuid.uuid4().hex, status, detail)
            headers = [*reply.raw_headers, (b"connection", b"close")]
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=bytes(reply.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
