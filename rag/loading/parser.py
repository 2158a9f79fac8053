"""Hostile files at arm's length: parsing in a child process that can be killed."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

from rag.errors import FileRefused, TooLarge, UnsupportedFormat
from rag.loading.limits import Limits
from rag.loading.wire import packed, parsed_from_json, receive, send, unpacked
from rag.types import Parsed

# The child searches modules where this process does, never in the folder it is started in: that
# folder may hold somebody's html.py.
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from rag.loading.worker import main; main(int(sys.argv[1]), sys.argv[3])"
)
_KINDS = {"refused": FileRefused, "too_large": TooLarge, "unsupported": UnsupportedFormat}
_DYING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Child:
    """A running process and the channel to it."""

    process: subprocess.Popen[bytes]
    channel: socket.socket

    @classmethod
    def started(cls, ocr: str) -> _Child:
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-I", "-B", "-W", "ignore", "-c", _BOOT, str(number)]
            process = subprocess.Popen(  # noqa: S603 - no part of it comes from outside
                [*command, json.dumps(sys.path), ocr],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(number,),
                start_new_session=True,  # Ctrl-C is the parent's to handle
            )
        return cls(process, ours)

    def cause_of_death(self, limits: Limits) -> str:
        """What to tell about the file that was being read when the channel broke."""
        try:
            code = self.process.wait(_DYING_SECONDS)
        except subprocess.TimeoutExpired:
            code = 0
        if code == -signal.SIGXCPU:
            return f"took more than {limits.cpu_seconds} s of processor time; split it"
        return "damaged: reading it ended the parser; save it afresh"

    def stop(self) -> None:
        self.channel.close()
        self.process.kill()
        self.process.wait()


class Parser:
    """Turns the bytes of files into text, one at a time, in one child process.

    The child starts with the first file, lives on from file to file, and is replaced after a file
    has killed it. Threads may share a parser; they take turns. Use it as a context manager.
    Pictures of text are read in the languages `ocr`, such as "eng+deu", and left unread without.
    """

    def __init__(
        self,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        ocr: str | None = None,
    ) -> None:
        self._limits = limits
        self._ocr = ocr or ""
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def __enter__(self) -> Parser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the child; another file would start a new one."""
        with self._lock:
            self._stop()

    def parse(self, source: str, data: bytes) -> Parsed:
        """The text and structure of a file; its format follows from the extension of `source`.

        Raises `FileRefused` or one of its children, whatever the bytes are.
        """
        with self._lock:
            try:
                reply = self._ask(self._running(), source, data)
            except BaseException:
                self._stop()  # half a reply may be under way: the channel is of no more use
                raise
            if reply["retire"]:
                self._stop()
        if "refused" in reply:
            raise _KINDS[reply["kind"]](reply["refused"])
        return parsed_from_json(reply["parsed"])

    def _ask(self, child: _Child, source: str, data: bytes) -> dict[str, Any]:
        limits = self._limits
        deadline = time.monotonic() + limits.wall_seconds
        try:
            child.channel.settimeout(limits.wall_seconds)
            send(child.channel, packed({"source": source, "limits": asdict(limits)}))
            send(child.channel, data)
            left = deadline - time.monotonic()
            return unpacked(receive(child.channel, limits.memory_bytes, left))
        except TimeoutError:
            raise FileRefused(f"took longer than {limits.wall_seconds:g} s; split it") from None
        except (OSError, ValueError):
            raise FileRefused(child.cause_of_death(limits)) from None

    def _running(self) -> _Child:
        if self._child is not None and self._child.process.poll() is not None:
            self._stop()
        if self._child is None:
            self._child = _Child.started(self._ocr)
        return self._child

    def _stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None
