"""An audit hook: notes what a process does to the world outside it, and forbids it the network.

Python tells its hooks of every socket, file, process and class that its own modules are asked
for; what native libraries do is seen by strace alone (`test_session.py`).
"""

from __future__ import annotations

import ipaddress
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rag.loading import parser

_TO_AN_ADDRESS = {"socket.bind", "socket.connect", "socket.sendmsg", "socket.sendto"}
_OF_A_NAME = {"socket.getaddrinfo", "socket.gethostbyname", "socket.getnameinfo"}
_OF_A_PROCESS = {"os.exec", "os.fork", "os.posix_spawn", "os.system", "subprocess.Popen"}
_OF_A_FILE = {
    *("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"),
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_LONGEST = 1_000  # characters of an argument
_ADOPTED = -1  # the family of a socket that is made from a descriptor which is there already

_START = "from rag.loading.worker"
_WATCH = "from tests.security.watching import watch; watch({pipe!r}); "


def watch(log: str) -> None:
    """Notes everything from now on, a line for each, at the end of the file `log`.

    Whatever leads off this machine raises `PermissionError` as well.
    """
    target = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(kind: str, event: str, arguments: tuple[Any, ...]) -> None:
        line = json.dumps([kind, event, [repr(argument)[:_LONGEST] for argument in arguments]])
        os.write(target, line.encode() + b"\n")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if kind := _kind(event, arguments):
            note(kind, event, arguments)
        if kind == "network":
            raise PermissionError(f"{event} leads off this machine")

    note("watch", "process", (os.getpid(),))
    sys.addaudithook(hook)


@contextmanager
def parsers_watched(log: Path) -> Iterator[Callable[[], None]]:
    """The children of parsers that start meanwhile are watched.

    Their notes come through a pipe, since they can write no file; calling what this gives, and its
    end, adds them to `log`.
    """
    pipe = log.with_suffix(".pipe")
    os.mkfifo(pipe)
    notes = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)

    def bring() -> None:
        with suppress(BlockingIOError), log.open("ab") as file:
            while came := os.read(notes, 1 << 16):
                file.write(came)

    boot = parser._BOOT
    parser._BOOT = boot.replace(_START, _WATCH.format(pipe=str(pipe)) + _START)
    assert _START in boot
    try:
        yield bring
    finally:
        parser._BOOT = boot
        bring()
        os.close(notes)


def noted(log: Path, *kinds: str) -> list[str]:
    """What was noted of these kinds: `network`, `pickle`, `process`, `socket`, `written`, and
    `watch` for each process that is watched.
    """
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [f"{event} {', '.join(told)}" for kind, event, told in lines if kind in kinds]


def _kind(event: str, arguments: tuple[Any, ...]) -> str | None:
    if event in _TO_AN_ADDRESS:
        return None if _stays_here(arguments[1]) else "network"
    if event in _OF_A_NAME:
        return None if _is_this_machine(_name(arguments[0])) else "network"
    if event == "socket.gethostbyaddr":
        return "network"
    if event == "socket.__new__":
        return None if arguments[1] == _ADOPTED else "socket"
    if event == "pickle.find_class":
        return "pickle"
    if event in _OF_A_PROCESS:
        return "process"
    if event == "open":
        return "written" if (arguments[2] or 0) & _WRITING else None
    return "written" if event in _OF_A_FILE else None


def _stays_here(address: Any) -> bool:
    """Whether an address is of this machine: a path, a netlink number, or a loopback one."""
    return not isinstance(address, tuple) or _is_this_machine(_name(address))


def _name(host: Any) -> Any:
    host = host[0] if isinstance(host, tuple) else host
    return host.decode(errors="replace") if isinstance(host, bytes) else host


def _is_this_machine(host: Any) -> bool:
    if host in (None, "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
