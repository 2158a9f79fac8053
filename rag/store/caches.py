"""A collection's caches on disk: immutable bases that can be rebuilt at any time.

A base is a folder `<generation>-<random>` that holds the vector index, the word index and a
manifest with their hashes; it appears by one rename and is never written again. FAISS checks
nothing when it reads a file, so a base whose hashes do not match is thrown away, not loaded.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

FORMAT = 1
_MANIFEST = "manifest.json"
_LOCK = "lock"
_PRIVATE = "private"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """What a base was made from; a base made from anything else is of no use."""

    store_id: str
    collection: str
    embedder: str | None
    generation: int
    rows: int
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Base:
    """A base that was checked: every file has the hash that its manifest gives."""

    folder: Path
    made: Made

    @property
    def vectors(self) -> Path:
        return self.folder / "vectors.faiss"

    @property
    def words(self) -> Path:
        return self.folder / "words"


class CacheFolder:
    """The bases of one collection, and this process's private copies of word indexes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def newest(self, store_id: str, embedder: str | None, first: int, last: int) -> Base | None:
        """The newest sound base whose generation lies between `first` and `last`."""
        for folder in sorted(self._bases(), key=_generation_of, reverse=True):
            if not first <= _generation_of(folder) <= last:
                continue
            base = _checked(folder)
            if base and (base.made.store_id, base.made.embedder) == (store_id, embedder):
                return base
        return None

    @contextmanager
    def new_base(self, made: Made) -> Iterator[Base]:
        """A base to fill; it appears under its name, hashes written, when the block ends well."""
        with self._private_folder() as draft:
            yield Base(draft, made)
            (draft / _LOCK).unlink()
            manifest = {"made": asdict(made), "sha256": _hashes(draft)}
            (draft / _MANIFEST).write_text(json.dumps(manifest))
            draft.rename(self._folder / f"{made.generation}-{uuid.uuid4().hex[:8]}")
        self._discard_old()

    def _bases(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.name.split("-")[0].isdigit()]

    def _discard_old(self) -> None:
        # The last but one is kept for readers that are just opening it. Whoever searches an even
        # older one holds it in memory, or its files open.
        for folder in sorted(self._bases(), key=_generation_of)[:-2]:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def private_words(self, words: Path | None) -> Iterator[Path]:
        """A word index of this process's own, filled from `words`, gone when the block ends."""
        with self._private_folder() as folder:
            if words:
                link_files(words, folder / "words")
            yield folder / "words"

    @contextmanager
    def _private_folder(self) -> Iterator[Path]:
        """A folder whose lock is held until the block ends or the process dies.

        Folders whose lock is free belong to nobody and are removed.
        """
        self._sweep()
        unlocked = self._folder / f"new-{uuid.uuid4().hex}"
        unlocked.mkdir()
        with (unlocked / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            folder = unlocked.rename(self._folder / f"{_PRIVATE}-{uuid.uuid4().hex}")
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        for folder in self._folder.glob(f"{_PRIVATE}-*"):
            try:
                with (folder / _LOCK).open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            except OSError:
                continue  # its process lives, or another one is removing it


def link_files(source: Path, target: Path) -> None:
    """Hard links where there are any: tantivy replaces its files and never rewrites one."""
    target.mkdir()
    for path in source.iterdir():
        if path.suffix == ".lock":
            continue
        try:
            os.link(path, target / path.name)
        except OSError:
            shutil.copy2(path, target / path.name)


def _generation_of(folder: Path) -> int:
    return int(folder.name.split("-")[0])


def _checked(folder: Path) -> Base | None:
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        made = Made(**manifest["made"])
        if made.format == FORMAT and manifest["sha256"] == _hashes(folder):
            return Base(folder, made)
    except (OSError, ValueError, TypeError, KeyError):
        pass
    _log.warning("the search cache %s is damaged or outdated and is made anew", folder.name)
    return None


def _hashes(folder: Path) -> dict[str, str]:
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != _MANIFEST:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
            hashes[path.relative_to(folder).as_posix()] = digest.hexdigest()
    return hashes
