"""A disk without power: what may be left of files whose writes were not all synced.

The strict reading of POSIX: a write is safe once its file was synced, a name once its folder was;
of everything else any part may be lost, torn between sectors, or have come in another order.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.soak.tracing import Call

SECTOR = 512  # bytes that are written whole or not at all
DAMAGES = ("nothing unsynced", "everything", "some", "some torn", "some in another order")
_FOLDER = 0  # stands for a folder where files have numbers
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at an offset; with None the file ends there."""

    offset: int
    data: bytes | None


@dataclass(slots=True)
class _File:
    safe: bytearray = field(default_factory=bytearray)
    unsynced: list[Write] = field(default_factory=list)

    def sync(self) -> None:
        self.safe = _written(self.safe, self.unsynced)
        self.unsynced = []


Names = dict[str, int]


@dataclass(slots=True)
class _Renaming:
    """A call that changed names, and whether its folder was synced since."""

    call: Call
    number: int
    is_safe: bool = False


class Disk:
    """Follows the calls of a process from a folder as it was, and says what a crash may leave."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[int, _File] = {}
        self._before: Names = {"": _FOLDER}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            self._before[name] = self._made(path.read_bytes()) if path.is_file() else _FOLDER
        self._now = dict(self._before)
        self._renamings: list[_Renaming] = []

    def _made(self, content: bytes = b"") -> int:
        number = len(self._files) + 1
        self._files[number] = _File(bytearray(content))
        return number

    def happens(self, call: Call) -> None:
        """Takes in a call that is carried out."""
        number = self._now.get(call.path)
        match call.name:
            case "create" | "empty" if number is None:
                self._renamed(Call("create", call.path), self._made())
            case "empty" | "ftruncate" | "truncate" if number:
                self._files[number].unsynced.append(Write(call.offset, None))
            case "write" if number:
                self._files[number].unsynced.append(Write(call.offset, call.data))
            case "fsync" | "fdatasync" if number:
                self._files[number].sync()
            case "fsync" | "fdatasync" if number == _FOLDER:
                self._sync_names(call.path)
            case "mkdir" | "rename" | "link" | "unlink" | "rmdir":
                self._renamed(call, _FOLDER)

    def _renamed(self, call: Call, number: int) -> None:
        if _apply(self._now, call, number):
            self._renamings.append(_Renaming(call, number))

    def _sync_names(self, folder: str) -> None:
        for renaming in self._renamings:
            renaming.is_safe |= folder in _folders(renaming.call)

    def left(self, damage: str, chance: random.Random) -> Iterator[tuple[str, bytes | None]]:
        """What may be left: paths with contents, None for a folder, parents first."""
        names = dict(self._before)
        likely = {"nothing unsynced": 0.0, "everything": 1.0}.get(damage, _HALF)
        for renaming in self._renamings:
            if renaming.is_safe or chance.random() < likely:
                _apply(names, renaming.call, renaming.number)
        for path, number in sorted(names.items()):
            if number == _FOLDER:
                yield path, None
            else:
                file = self._files[number]
                writes = _surviving(file.unsynced, damage, chance)
                yield path, bytes(_written(file.safe, writes))

    def leave(self, folder: Path, damage: str, chance: random.Random) -> None:
        """Makes a folder of what may be left."""
        for path, content in self.left(damage, chance):
            if content is None:
                (folder / path).mkdir(parents=True)
            else:
                (folder / path).write_bytes(content)


def _surviving(writes: list[Write], damage: str, chance: random.Random) -> list[Write]:
    if damage == "nothing unsynced":
        return []
    if damage == "everything":
        return writes
    kept = [write for write in writes if chance.random() < _HALF]
    if damage == "some torn":
        return [piece for write in kept for piece in _torn(write, chance)]
    if damage == "some in another order":
        chance.shuffle(kept)
    return kept


def _torn(write: Write, chance: random.Random) -> Iterator[Write]:
    """The sectors of a write that reached the disk."""
    if write.data is None:
        yield write
        return
    start = write.offset
    end = start + len(write.data)
    while start < end:
        until = min(end, start - start % SECTOR + SECTOR)
        if chance.random() < _HALF:
            yield Write(start, write.data[start - write.offset : until - write.offset])
        start = until


def _written(content: bytearray, writes: Iterable[Write]) -> bytearray:
    new = bytearray(content)
    for write in writes:
        if write.data is None:
            del new[write.offset :]
            new.extend(bytes(write.offset - len(new)))
        else:
            new.extend(bytes(max(0, write.offset - len(new))))
            new[write.offset : write.offset + len(write.data)] = write.data
    return new


def _folders(call: Call) -> set[str]:
    """The folders whose names a call changes."""
    paths = [call.path, call.other] if call.other else [call.path]
    return {_parent(path) for path in paths}


def _parent(path: str) -> str:
    parent = PurePosixPath(path).parent.as_posix()
    return "" if parent == "." else parent


def _apply(names: Names, call: Call, number: int) -> bool:
    """Does to the names what the call does; whether it can be done."""
    if call.path and _parent(call.other or call.path) not in names:
        return False
    match call.name:
        case "create" | "mkdir":
            if call.path in names:
                return False
            names[call.path] = number
        case "link":
            if call.path not in names or call.other in names:
                return False
            names[call.other] = names[call.path]
        case "rename":
            return _move(names, call.path, call.other)
        case "rmdir" if any(path.startswith(f"{call.path}/") for path in names):
            return False
        case _:
            return names.pop(call.path, None) is not None
    return True


def _move(names: Names, old: str, new: str) -> bool:
    moved = [path for path in names if path == old or path.startswith(f"{old}/")]
    for path in moved:
        names[new + path.removeprefix(old)] = names.pop(path)
    return bool(moved)
