"""Work in a forked child: cheap, apart, and able to die without taking anything along."""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_LONGEST = 60.0  # seconds


class Died(Exception):
    """A child that was killed, crashed, hung, or ended in an error of Python's."""


def in_child(work: Callable[[], Any], longest: float = _LONGEST) -> Any:
    """What `work` returns, which JSON must know, from a child of its own. Raises `Died`.

    The child starts with everything that this process has imported. This process must have run no
    threads of a library by then.
    """
    return started(work, longest)()


def started(work: Callable[[], Any], longest: float = _LONGEST) -> Callable[[], Any]:
    """The same, begun: what comes back waits for the result."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _answer(work, writing)
    os.close(writing)
    return lambda: _result(child, reading, longest)


def _result(child: int, reading: int, longest: float) -> Any:
    try:
        data = _read(reading, longest)
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if not data:
        raise Died(f"the process ended with status {os.waitstatus_to_exitcode(status)}")
    reply = json.loads(data)
    if "error" in reply:
        raise Died(reply["error"])
    return reply["result"]


def _answer(work: Callable[[], Any], writing: int) -> None:
    # What a library prints when it breaks is expected here; errors of Python's are returned.
    gc.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        reply = {"result": work()}
    except BaseException:
        reply = {"error": traceback.format_exc()}
    try:
        data = json.dumps(reply).encode() + b"\n"
        while data:
            data = data[os.write(writing, data) :]
    finally:
        os._exit(0)


def _read(reading: int, longest: float) -> bytes:
    """Everything up to the line's end, for a crash afterwards is none of this work's."""
    deadline = time.monotonic() + longest
    data = b""
    while not data.endswith(b"\n"):
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise Died(f"it took longer than {longest:g} s")
        more = os.read(reading, 1 << 20)
        if not more:
            return b""
        data += more
    return data
