"""The files beside the index that can't be made again: calibrations, feedback and tokens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from rag.access import FILE as TOKENS
from rag.durability import sync
from rag.feedback import FILE as FEEDBACK

_CALIBRATION = re.compile(r"calibration/[a-z0-9][a-z0-9_-]*\.json")


def is_one(name: str) -> bool:
    """Whether a path, relative to an index's folder, is that of such a file."""
    return name in (FEEDBACK, TOKENS) or bool(_CALIBRATION.fullmatch(name))


def copied(home: Path, to: Path) -> list[str]:
    """Copies them to another folder, each whole and synced; returns their names there."""
    names = list(_names(home))
    for name in names:
        data = (home / name).read_bytes()
        # A line that is just being written is left to the next copy.
        write(to / name, data[: data.rfind(b"\n") + 1] if name == FEEDBACK else data)
    return names


def put(source: Path, home: Path) -> None:
    """Brings those in `source` to `home`, each whole or not at all, and moves them where it can.

    Calibrations of `home` that `source` has none of go: they were fitted on other documents.
    Feedback is added to what is there. Tokens that are there stay: else one that was withdrawn
    would open the door again.
    """
    names = list(_names(source))
    for path in home.glob("calibration/*.json"):
        if path.relative_to(home).as_posix() not in names:
            path.unlink()
    for name in names:
        target = home / name
        target.parent.mkdir(exist_ok=True)
        if name == FEEDBACK and target.exists():
            _add_lines(target, (source / name).read_bytes())
        elif name != TOKENS or not target.exists():
            (source / name).chmod(0o600)
            sync(source / name)
            os.replace(source / name, target)
            sync(target.parent)


def _names(folder: Path) -> Iterator[str]:
    paths = sorted([*folder.glob("calibration/*"), *folder.iterdir()])
    return (name for p in paths if is_one(name := p.relative_to(folder).as_posix()))


def _add_lines(file: Path, data: bytes) -> None:
    """Appends the lines that are not there; a server may just be appending, too."""
    there = file.read_bytes()
    known = set(there.splitlines())
    lines = [line for line in data.splitlines() if line not in known]
    if there and not there.endswith(b"\n"):
        lines.insert(0, b"")
    with file.open("ab") as opened:
        opened.write(b"".join(line + b"\n" for line in lines))
        opened.flush()
        os.fsync(opened.fileno())


def write(path: Path, data: bytes) -> None:
    """Makes a file for its owner alone; it is on the disk when this returns."""
    path.parent.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
