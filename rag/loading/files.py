"""Which files a folder holds, and how one is opened without being led astray."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from rag.errors import FileRefused, FileVanished, NotFound, TooLarge
from rag.loading.formats import why_unsupported

_NO_NAMES = {"", ".", ".."}


@dataclass(frozen=True, slots=True)
class Found:
    """A file that can be read: its relative path with `/`, its size in bytes."""

    source: str
    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A file or a folder that can't be read, and why; a folder stands for all that it holds.

    `size` is the file's, where it is known.
    """

    source: str
    reason: str
    size: int | None = None


def walk(
    root: Path, max_bytes: int, leaves_out: Callable[[str], bool] = lambda _: False
) -> Iterator[Found | Refused]:
    """Everything under a folder, each entry once, in the order of the relative paths.

    What `leaves_out` is passed over in silence: it is given the relative path, with `/` at the end
    of a folder's. A link to a file inside the folder is followed. A link to a folder is not: where
    that lies inside, its files come under their own names. Raises `NotFound` where `root` is no
    folder and `FileRefused` where it can't be listed.
    """
    if not root.is_dir():
        raise NotFound(f"no folder at {root}; check the path")
    base = root.resolve()
    try:
        pending = _entries(base, "")
    except OSError as error:
        raise FileRefused(f"the folder can't be listed: {_words(error)}") from error
    while pending:
        path, entry = pending.pop()
        if leaves_out(path):
            continue
        source, is_utf8 = _source(path.removesuffix("/"))
        try:
            if not is_utf8:
                yield Refused(source, "its name is not valid UTF-8; rename it")
            elif entry.name.startswith("."):
                yield Refused(source, "hidden; rename it without the leading dot to have it read")
            elif path.endswith("/"):
                pending.extend(_entries(entry, path))
            else:
                yield _looked_at(base, entry, source, max_bytes)
        except FileRefused as error:
            yield Refused(source, str(error))
        except OSError as error:
            yield Refused(source, f"not readable: {_words(error)}")


def read_bytes(root: Path, source: str, max_bytes: int) -> bytes:
    """A file's bytes, by its path relative to `root`; nothing outside `root` is ever opened.

    Raises `TooLarge`, `FileVanished`, or `FileRefused` where it is no file inside or can't be read.
    """
    try:
        with open(_opened(root, source), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise FileRefused("no regular file")
            if status.st_size > max_bytes:
                raise TooLarge(_too_large(max_bytes))
            # By its size, for room for the largest that is allowed takes long to make.
            data = file.read(status.st_size + 1)
            if len(data) > status.st_size:  # it grows meanwhile
                data += file.read(max_bytes + 1 - len(data))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileVanished(f"not readable: {_words(error)}") from error
    except (OSError, ValueError) as error:
        raise FileRefused(f"not readable: {_words(error)}") from error
    if len(data) > max_bytes:
        raise TooLarge(_too_large(max_bytes))
    return data


def _entries(folder: Path | os.DirEntry[str], path: str) -> list[tuple[str, os.DirEntry[str]]]:
    """What a folder holds by relative path, last first, so that popping from the end gives the
    order of paths. A folder's ends in `/`, as the paths sort: "a/b" comes after "a.txt".
    """
    with os.scandir(folder) as entries:
        named = [(f"{path}{e.name}{'/' * e.is_dir(follow_symlinks=False)}", e) for e in entries]
    return sorted(named, key=itemgetter(0), reverse=True)


def _source(name: str) -> tuple[str, bool]:
    """A path as it is shown and stored, and whether that is what the file system calls it."""
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    return shown, shown == name


def _looked_at(base: Path, entry: os.DirEntry[str], source: str, max_bytes: int) -> Found | Refused:
    """A file that can be read, or is refused by what is known without opening it.

    Raises `FileRefused` or `OSError` for what is none.
    """
    # No link leads out of folders that were come to without one.
    status = _inside(base, Path(entry)).stat() if entry.is_symlink() else entry.stat()
    if stat.S_ISDIR(status.st_mode):
        raise FileRefused("a link to a folder; what that holds is read under its own names")
    if not stat.S_ISREG(status.st_mode):
        raise FileRefused("a pipe, socket or device, no regular file")
    if reason := why_unsupported(entry.name):
        return Refused(source, reason, status.st_size)
    if status.st_size > max_bytes:
        return Refused(source, _too_large(max_bytes), status.st_size)
    if not os.access(entry, os.R_OK):
        return Refused(source, "not readable: permission denied", status.st_size)
    return Found(source, status.st_size)


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


def _opened(root: Path, source: str) -> int:
    """A descriptor for a file inside; only where links are in the way is it asked where they lead,
    which takes long.
    """
    parts = source.split("/")
    if _NO_NAMES.isdisjoint(parts):
        try:
            return _open(root, parts)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
    base = root.resolve(strict=True)
    found = _inside(base, base / source).relative_to(base).parts
    if not found:
        raise FileRefused("a folder, no file")
    return _open(base, found)


def _open(base: Path, parts: Sequence[str]) -> int:
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
    return f"larger than {max_bytes / 1e6:g} MB: split it, or raise RAG_MAX_FILE_MB"


def _words(error: OSError | ValueError) -> str:
    """What went wrong, without the path that the system's message holds."""
    return (error.strerror or "no such file").lower() if isinstance(error, OSError) else "bad name"
