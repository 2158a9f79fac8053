"""Kills a piece of work at each of its steps: `killed_step.py WHAT TEMPLATE FOLDER ARGUMENTS...`.

A step is a statement that SQLite begins; a write, sync or truncation of one of its files; or a
sync, rename or link of ours. For step 1, 2, 3 and so on TEMPLATE is copied to FOLDER/step, and a
child that does WHAT, which is `module:function`, with that copy and the arguments kills itself at
this step; until one is done before its step comes. That one's folder is the last.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import apsw

_NAMES = {"rename", "replace", "link", "fsync"}
_left = 0


def step(*_: Any) -> bool:
    """Counts; does not return from the step that was asked for."""
    global _left  # noqa: PLW0603 - one process, one count
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return True


class _File(apsw.VFSFile):
    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's names
        step()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        step()
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        step()
        super().xTruncate(size)


class _Disk(apsw.VFS):
    def __init__(self) -> None:
        self._real = apsw.vfs_names()[0]
        super().__init__("killing", self._real, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _File(self._real, name, flags)


def _counted(call: Any) -> Any:
    def counted(*arguments: Any, **named: Any) -> Any:
        step()
        return call(*arguments, **named)

    return counted


def _trace(connection: apsw.Connection) -> None:
    connection.exec_trace = step


def main() -> None:
    what, *paths = sys.argv[1:]
    template, folder, *arguments = map(Path, paths)
    module, function = what.split(":")
    work = getattr(import_module(module), function)
    disk = _Disk()
    apsw.connection_hooks.append(_trace)
    for name in _NAMES:
        setattr(os, name, _counted(getattr(os, name)))
    for number in count(1):
        copy = folder / str(number)
        shutil.copytree(template, copy)
        if not (child := os.fork()):
            global _left  # noqa: PLW0603
            _left = number
            work(copy, *arguments)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))
    del disk


if __name__ == "__main__":
    main()
