"""A collection's caches on disk: immutable bases that can be rebuilt at any time.

A base is a folder that holds the vector index, the word index and a manifest with their hashes. It
appears by one rename and is never written again. Its name ends in the manifest's own hash, and the
database records the name. So a base that was changed, swapped, or made from another past of a
restored database is not opened: FAISS itself checks nothing when it reads a file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

FORMAT = 2  # also stands for the analysis of words and the kinds of index
_MANIFEST = "manifest.json"
LOCK = "lock"
PRIVATE = "private"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Base:
    """The folder of a base."""

    folder: Path

    @property
    def generation(self) -> int:
        return generation_of(self.folder.name)

    @property
    def vectors(self) -> Path:
        return self.folder / "vectors.faiss"

    @property
    def words(self) -> Path:
        return self.folder / "words"


class CacheFolder:
    """The bases of one collection, and each process's private copies of word indexes.

    With `read_only` it has none: tantivy makes a lock file even to read, so memory serves instead.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self._folder = folder
        self._read_only = read_only

    def sound(self, name: str) -> Base | None:
        """The base of this name, if every byte of it is as it was written."""
        if self._read_only:
            return None
        base = Base(self._folder / name)
        try:
            written = (base.folder / _MANIFEST).read_bytes()
            if name == _name(base.generation, written) and written == _manifest(base.folder):
                return base
        except (OSError, ValueError):
            pass
        _log.warning("the search cache %s is missing, damaged or outdated", base.folder)
        return None

    def write_base(self, generation: int, fill: Callable[[Base], None]) -> str:
        """Makes a base, which `fill` fills; returns its name. Raises OSError or ValueError."""
        with self._private_folder() as folder:
            draft = Base(folder / "base")
            draft.folder.mkdir()
            fill(draft)
            manifest = _manifest(draft.folder)
            (draft.folder / _MANIFEST).write_bytes(manifest)
            name = _name(generation, manifest)
            draft.folder.rename(self._folder / name)
        return name

    def discard_before(self, current: str, former: str | None) -> None:
        """Removes bases older than the current one.

        The former one is kept for readers that are just opening it. Whoever searches an even older
        one holds it in memory, or its files open.
        """
        for folder in self._folder.iterdir():
            is_base = folder.name.split("-")[0].isdigit() and folder.name != former
            if is_base and generation_of(folder.name) < generation_of(current):
                shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> None:
        """Removes private folders that belong to nobody."""
        with _locked(self._folder):
            self._sweep()

    @contextmanager
    def private_words(self, words: Path) -> Iterator[Path]:
        """A copy of a word index that only this process writes to, gone when the block ends."""
        with self._private_folder() as folder:
            link_files(words, folder / "words")
            yield folder / "words"

    @contextmanager
    def _private_folder(self) -> Iterator[Path]:
        """A folder whose lock is held until the block ends or the process dies.

        Folders whose lock is free belong to nobody and are removed.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = self._folder / f"{PRIVATE}-{uuid.uuid4().hex}"
        with ExitStack() as held:
            with _locked(self._folder):  # so that nobody sweeps it before it is locked
                self._sweep()
                folder.mkdir()
                held.callback(shutil.rmtree, folder, ignore_errors=True)
                held.enter_context(_locked(folder))
            yield folder

    def _sweep(self) -> None:
        for folder in self._folder.glob(f"{PRIVATE}-*"):
            try:
                with _locked(folder, fcntl.LOCK_NB):
                    shutil.rmtree(folder, ignore_errors=True)
            except OSError:
                continue  # its process lives


@contextmanager
def _locked(folder: Path, or_fail: int = 0) -> Iterator[None]:
    with (folder / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | or_fail)
        yield


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


def generation_of(name: str) -> int:
    """The generation that a base of this name holds."""
    return int(name.split("-", maxsplit=1)[0])


def _name(generation: int, manifest: bytes) -> str:
    return f"{generation}-{hashlib.sha256(manifest).hexdigest()[:32]}"


def _manifest(folder: Path) -> bytes:
    """The hashes of all files but locks, which every opening may make."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != _MANIFEST and path.suffix != ".lock":
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
            hashes[path.relative_to(folder).as_posix()] = digest.hexdigest()
    return json.dumps({"format": FORMAT, "sha256": hashes}).encode()
