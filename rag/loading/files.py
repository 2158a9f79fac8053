"""Which files a folder holds, and how one is opened without being led astray."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.errors import FileRefused, FileVanished, NotFound, TooLarge, UnsupportedFormat
from rag.loading.formats import why_unsupported


@dataclass(frozen=True, slots=True)
class Found:
    """A file that can be read: its relative path with `/`, where it is, its size in bytes."""

    source: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A file or a folder that is left out, and why; a folder stands for all that it holds."""

    source: str
    reason: str


def walk(root: Path, max_bytes: int) -> Iterator[Found | Refused]:
    """Everything under a folder, each entry once, in the order of the relative paths.

    A link to a file inside the folder is followed. A link to a folder is not: where that lies
    inside, its files come under their own names. Raises `NotFound` where `root` is no folder and
    `FileRefused` where it can't be listed.
    """
    if not root.is_dir():
        raise NotFound(f"no folder at {root}; check the path")
    base = root.resolve()
    try:
        pending = _entries(base)
    except OSError as error:
        raise FileRefused(f"the folder can't be listed: {_words(error)}") from error
    while pending:
        path = pending.pop()
        source, is_utf8 = _source(path.relative_to(base))
        try:
            if not is_utf8:
                yield Refused(source, "its name is not valid UTF-8; rename it")
            elif path.name.startswith("."):
                yield Refused(source, "hidden; rename it without the leading dot to have it read")
            elif stat.S_ISDIR(path.lstat().st_mode):
                pending.extend(_entries(path))
            else:
                yield Found(source, path, _readable_size(base, path, max_bytes))
        except FileRefused as error:
            yield Refused(source, str(error))
        except OSError as error:
            yield Refused(source, f"not readable: {_words(error)}")


def read_bytes(root: Path, source: str, max_bytes: int) -> bytes:
    """A file's bytes, by its path relative to `root`; nothing outside `root` is ever opened.

    Raises `TooLarge`, `FileVanished`, or `FileRefused` where it is no file inside or can't be read.
    """
    try:
        base = root.resolve(strict=True)
        parts = _inside(base, base / source).relative_to(base).parts
        if not parts:
            raise FileRefused("a folder, no file")
        with open(_open(base, parts), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise FileRefused("no regular file")
            data = file.read(max_bytes + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileVanished(f"not readable: {_words(error)}") from error
    except (OSError, ValueError) as error:
        raise FileRefused(f"not readable: {_words(error)}") from error
    if len(data) > max_bytes:
        raise TooLarge(_too_large(max_bytes))
    return data


def _entries(folder: Path) -> list[Path]:
    """What a folder holds, last first, so that popping from the end gives the order of paths."""
    with os.scandir(folder) as entries:
        # As the paths sort: "a/b" comes after "a.txt", because "/" comes after ".".
        keyed = [(e.name + "/" * e.is_dir(follow_symlinks=False), e.path) for e in entries]
    return [Path(path) for _, path in sorted(keyed, reverse=True)]


def _source(relative: Path) -> tuple[str, bool]:
    """A path as it is shown and stored, and whether that is what the file system calls it."""
    name = relative.as_posix()
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    return shown, shown == name


def _readable_size(base: Path, path: Path, max_bytes: int) -> int:
    """The size of a file that can be read. Raises `FileRefused` or `OSError` for any other."""
    status = _inside(base, path).stat()
    if stat.S_ISDIR(status.st_mode):
        raise FileRefused("a link to a folder; what that holds is read under its own names")
    if not stat.S_ISREG(status.st_mode):
        raise FileRefused("a pipe, socket or device, no regular file")
    if reason := why_unsupported(path.name):
        raise UnsupportedFormat(reason)
    if status.st_size > max_bytes:
        raise TooLarge(_too_large(max_bytes))
    if not os.access(path, os.R_OK):
        raise FileRefused("not readable: permission denied")
    return status.st_size


def _inside(base: Path, path: Path) -> Path:
    """Where a path leads, all links followed, if that is inside the folder."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        # Python before 3.13 tells of a circle by a RuntimeError.
        if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
            raise FileRefused("a link that leads in a circle") from None
        if error.errno == errno.ENOENT and path.is_symlink():
            raise FileRefused("a link to nothing") from None
        raise
    if not target.is_relative_to(base):
        raise FileRefused("leaves the folder; copy the file into it")
    return target


def _open(base: Path, parts: tuple[str, ...]) -> int:
    """A descriptor for a path without links, opened step by step so that none can slip in."""
    folder = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Not blocking: opening a pipe that nobody writes to would wait for ever.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(parts[-1], flags, dir_fd=folder)
    finally:
        os.close(folder)


def _too_large(max_bytes: int) -> str:
    return f"larger than {max_bytes:,} bytes; split it or raise the limit"


def _words(error: OSError | ValueError) -> str:
    """What went wrong, without the path that the system's message holds."""
    return (error.strerror or "no such file").lower() if isinstance(error, OSError) else "bad name"
