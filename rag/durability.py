"""What outlives a power failure: a file's own sync does not cover its name in its folder."""

from __future__ import annotations

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it that are missing. Raises OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync(path.parent)


def write_whole(file: Path, text: str) -> None:
    """Writes a file whole or not at all, over a former one. Raises OSError."""
    partial = file.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(partial, file)
    sync(file.parent)


def sync(path: Path) -> None:
    """Waits until a file, or what was made, renamed or removed in a folder, is on the disk. Raises
    OSError.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
