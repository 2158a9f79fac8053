"""Every system call with which a process changes files under a folder, before it happens.

The child stops itself with ptrace at the calls that a seccomp filter picks; whoever traces it sees
each as a `Call` and decides: let it pass, make it fail, cut it short, or kill the process. All
threads are followed, whatever language wrote: SQLite, tantivy (Rust) and FAISS (C++) alike. For
Linux on x86-64.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

IS_POSSIBLE = sys.platform == "linux" and platform.machine() == "x86_64"
MARK = "/soak/"
"""Removing a folder of this name does nothing but tell the tracer the rest of the name."""

_TRACEME, _CONT, _GETREGS, _SETREGS, _SETOPTIONS = 0, 7, 12, 13, 0x4200
_OPTIONS = 0x100000 | 0x80 | 0x08 | 0x04 | 0x02  # exit-kill, seccomp, clone, vfork, fork
_SECCOMP_EVENT = 7
_ALL_THREADS = 0x40000000  # __WALL
_CREATES = os.O_CREAT | os.O_TRUNC
_NUMBERS = {
    1: "write",
    18: "pwrite64",
    20: "writev",
    74: "fsync",
    75: "fdatasync",
    76: "truncate",
    77: "ftruncate",
    82: "rename",
    83: "mkdir",
    84: "rmdir",
    86: "link",
    87: "unlink",
    257: "openat",
    258: "mkdirat",
    263: "unlinkat",
    264: "renameat",
    265: "linkat",
    285: "fallocate",
    296: "pwritev",
    316: "renameat2",
}
_OF_DESCRIPTOR = {
    *("write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "ftruncate", "fallocate"),
}
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class Verdict(Enum):
    """What becomes of a call; an `int` instead is the errno that it fails with."""

    PASS = "pass"  # noqa: S105
    KILL = "kill"
    SHORT = "short"  # a write of half the bytes


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is about to happen. Paths are relative to the folder.

    `offset` and `data` are those of a write, `offset` alone the new length of a truncation.
    `other` is where a rename or link goes. A mark has the name "mark" and its words as path.
    """

    name: str
    path: str
    other: str = ""
    offset: int = 0
    data: bytes = b""


_REGISTERS = (
    *("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx"),
    *("rsi", "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base"),
    *("ds", "es", "fs", "gs"),
)


class _Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulong) for name in _REGISTERS]


class Traced:
    """A forked child that runs `work`, seen in its every change to `folder`.

    `decide` is asked for each, in the order in which they happen. Files whose name ends in one of
    `apart` are left out.
    """

    def __init__(
        self,
        folder: Path,
        decide: Callable[[Call], Verdict | int],
        apart: tuple[str, ...] = (),
    ) -> None:
        self._folder = str(folder)
        self._decide = decide
        self._apart = apart

    def run(self, work: Callable[[], None]) -> int:
        """The exit status, or minus the signal that ended the child."""
        child = os.fork()
        if not child:
            _traced_child(work)
        os.waitpid(child, 0)
        _ptrace(_SETOPTIONS, child, _OPTIONS)
        _ptrace(_CONT, child, 0)
        with Path(f"/proc/{child}/mem").open("rb", 0) as memory:
            return self._follow(child, memory.fileno())

    def _follow(self, child: int, memory: int) -> int:
        known = {child}
        while True:
            thread, status = os.waitpid(-1, _ALL_THREADS)
            if not os.WIFSTOPPED(status):
                if thread == child:
                    return os.waitstatus_to_exitcode(status)
                continue
            number = os.WSTOPSIG(status)
            if status >> 16 == _SECCOMP_EVENT:
                self._at_call(child, thread, memory)
            forwarded = 0
            if not status >> 16 and not (number == signal.SIGSTOP and thread not in known):
                forwarded = number
            known.add(thread)
            with suppress(ProcessLookupError):  # killed meanwhile
                _ptrace(_CONT, thread, forwarded)

    def _at_call(self, child: int, thread: int, memory: int) -> None:
        registers = _Registers()
        try:
            _ptrace(_GETREGS, thread, ctypes.addressof(registers))
            call = self._call(thread, registers, memory)
        except (ProcessLookupError, FileNotFoundError):
            return  # killed meanwhile, or a descriptor that is none
        if call is None:
            return
        verdict = self._decide(call)
        if verdict is Verdict.KILL:
            os.kill(child, signal.SIGKILL)
        elif verdict is Verdict.SHORT:
            registers.rdx = max(1, registers.rdx // 2)
            _ptrace(_SETREGS, thread, ctypes.addressof(registers))
        elif isinstance(verdict, int):
            registers.orig_rax = ctypes.c_ulong(-1).value
            registers.rax = ctypes.c_ulong(-verdict).value
            _ptrace(_SETREGS, thread, ctypes.addressof(registers))

    def _call(self, thread: int, registers: _Registers, memory: int) -> Call | None:
        name = _NUMBERS[registers.orig_rax]
        reader = _Arguments(thread, registers, memory)
        if name in _OF_DESCRIPTOR:
            path, other = reader.descriptor_path(registers.rdi), ""
        else:
            path, other = reader.paths(name)
        if name == "rmdir" and path.startswith(MARK):
            return Call("mark", path.removeprefix(MARK))
        if not f"{path}/".startswith(f"{self._folder}/") or path.endswith(self._apart or ("\0",)):
            return None
        offset, data = reader.content(name)
        base = len(self._folder) + 1
        return Call(_plain(name, registers), path[base:], other[base:], offset, data)


def mark(words: str) -> None:
    """Tells the tracer something, in the order of the calls."""
    with suppress(OSError):
        os.rmdir(f"{MARK}{words}")


def _plain(name: str, registers: _Registers) -> str:
    """The same name for calls that do the same."""
    if name == "unlinkat":
        return "rmdir" if registers.rdx & 0x200 else "unlink"  # AT_REMOVEDIR
    if name == "openat":
        return "create" if not registers.rdx & os.O_TRUNC else "empty"
    if name in ("writev", "pwrite64", "pwritev"):
        return "write"
    return name.removesuffix("2").removesuffix("at") if name != "fallocate" else name


class _Arguments:
    """What a stopped thread is about to ask of the kernel."""

    def __init__(self, thread: int, registers: _Registers, memory: int) -> None:
        self._thread = thread
        self._registers = registers
        self._memory = memory

    def descriptor_path(self, descriptor: int) -> str:
        number = ctypes.c_int(descriptor & 0xFFFFFFFF).value
        entry = "cwd" if number == -100 else f"fd/{number}"
        return str(Path(f"/proc/{self._thread}/{entry}").readlink())

    def paths(self, name: str) -> tuple[str, str]:
        r = self._registers
        if name in ("rename", "link"):
            return self._at(-100, r.rdi), self._at(-100, r.rsi)
        if name in ("renameat", "renameat2", "linkat"):
            return self._at(r.rdi, r.rsi), self._at(r.rdx, r.r10)
        if name in ("openat", "mkdirat", "unlinkat"):
            return self._at(r.rdi, r.rsi), ""
        return self._at(-100, r.rdi), ""

    def _at(self, folder: int, address: int) -> str:
        raw = os.pread(self._memory, 4096 - address % 4096, address)
        if b"\0" not in raw:
            raw += os.pread(self._memory, 4096, address + len(raw))
        path = os.fsdecode(raw.partition(b"\0")[0])
        if not path.startswith("/"):
            path = f"{self.descriptor_path(folder)}/{path}"
        return path

    def content(self, name: str) -> tuple[int, bytes]:
        r = self._registers
        match name:
            case "write":
                return self._position(), self._bytes(r.rsi, r.rdx)
            case "pwrite64":
                return r.r10, self._bytes(r.rsi, r.rdx)
            case "writev":
                return self._position(), self._gathered(r.rsi, r.rdx)
            case "pwritev":
                return r.r10, self._gathered(r.rsi, r.rdx)
            case "ftruncate" | "truncate":
                return r.rsi, b""
            case _:
                return 0, b""

    def _bytes(self, address: int, length: int) -> bytes:
        return os.pread(self._memory, length, address)

    def _gathered(self, address: int, count: int) -> bytes:
        pairs = struct.iter_unpack("QQ", self._bytes(address, 16 * count))
        return b"".join(self._bytes(*pair) for pair in pairs)

    def _position(self) -> int:
        number = self._registers.rdi
        facts = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{self._thread}/fdinfo/{number}").read_text().splitlines()
            if ":\t" in line
        )
        if int(facts["flags"], 8) & os.O_APPEND:
            return Path(f"/proc/{self._thread}/fd/{number}").stat().st_size
        return int(facts["pos"])


def _ptrace(request: int, thread: int, data: int) -> None:
    if _libc.ptrace(request, thread, None, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _traced_child(work: Callable[[], None]) -> None:
    status = 70
    try:
        _ptrace(_TRACEME, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)  # the tracer sets its options now
        _filter()
        work()
        status = 0
    finally:
        os._exit(status)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def _filter() -> None:
    """Stops this process at the calls in `_NUMBERS`, files being opened only where they are made
    or emptied.
    """
    load, equal, any_bit, leave = 0x20, 0x15, 0x45, 0x06
    allow, stop = 0x7FFF0000, 0x7FF00000
    lines = [(load, 0, 0, 0)]  # the call's number
    numbers = [number for number, name in _NUMBERS.items() if name != "openat"]
    for at, number in enumerate(numbers):
        lines.append((equal, len(numbers) - at + 3, 0, number))
    lines.append((equal, 0, 2, 257))  # openat
    lines.append((load, 0, 0, 16 + 2 * 8))  # its flags
    lines.append((any_bit, 1, 0, _CREATES))
    lines.append((leave, 0, 0, allow))
    lines.append((leave, 0, 0, stop))
    code = b"".join(struct.pack("HBBI", *line) for line in lines)
    kept = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(lines), ctypes.addressof(kept))
    for option, value, pointer in ((38, 1, None), (22, 2, ctypes.byref(program))):
        if _libc.prctl(option, value, pointer, 0, 0):
            raise OSError(ctypes.get_errno(), "no system calls can be watched here")
