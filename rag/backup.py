"""Backups: all of an index that can't be made again, in a folder of its own, and the way back.

A backup holds the store in one state, without its caches; `calibration/`, `feedback.jsonl` and
`tokens.json`; and a manifest with the SHA-256 of each file. It appears under its name once it is
checked and on the disk. A restore changes nothing before all of a backup is checked, and puts it in
the place of another index in one transaction, which servers follow.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from errno import EDQUOT, ENOSPC
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

from rag import companions
from rag.companions import write
from rag.durability import make_folder, sync
from rag.errors import Conflict, InvalidInput, NotFound, RagError, StoreFull, StoreUnreadable
from rag.store import transfer
from rag.store.overhaul import Overhaul
from rag.store.sqlite import SCHEMA_VERSION
from rag.store.transfer import INDEX

FORMAT = 1
MANIFEST = "manifest.json"
_PARTIAL = ".partial"  # the end of the name of what is not finished


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A collection in a backup."""

    name: str
    documents: int
    passages: int
    embedder: str | None


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup's manifest says: by which version and when it was made, what it holds, and the
    SHA-256 of each file in hex, by name.
    """

    folder: Path
    version: str
    schema: int
    date: str
    collections: tuple[BackedUp, ...]
    files: Mapping[str, str]


def back_up(home: Path, to: Path, busy_seconds: float) -> Backup:
    """Writes a backup of the index in `home` to the new folder `to`, while others may use it.

    Raises `NotFound` without an index, `Conflict` where there is something at `to`, `InvalidInput`
    where it can't be made, `StoreFull`, and `StoreUnreadable` for an index that is not sound.
    """
    if not (home / INDEX).exists():
        raise NotFound(f"there is no index in {home}: name it with --home")
    if os.path.lexists(to):
        raise Conflict(f"there is something at {to}, and nothing is overwritten: choose a new name")
    if not to.absolute().parent.is_dir():
        raise InvalidInput(f"{to} can't be made: name a new folder in one that exists")
    with _failures_named(to), _partial(to.absolute().parent, to.name) as folder:
        records = transfer.copy_out(home, folder / INDEX, busy_seconds)
        names = [INDEX, *companions.copied(home, folder)]
        files = {name: _sha256(folder / name) for name in names}
        facts = {
            "format": FORMAT,
            "version": version("rag-verbatim"),
            "schema": SCHEMA_VERSION,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "collections": [
                asdict(BackedUp(one.name, one.documents, one.passages, one.embedder))
                for one in records
            ],
            "files": files,
        }
        write(folder / MANIFEST, json.dumps(facts, indent=1).encode())
        sync(folder / INDEX)
        for path in (*folder.glob("*/"), folder):
            sync(path)
        os.rename(folder, to)
        sync(to.absolute().parent)
    return read(to)


def read(folder: Path) -> Backup:
    """What a backup says of itself. Raises `NotFound` for no backup, `StoreUnreadable` for one that
    is damaged or that a newer version made.
    """
    try:
        facts = json.loads((folder / MANIFEST).read_bytes())
        made_by, schema = str(facts["version"]), int(facts["schema"])
        if facts["format"] != FORMAT or schema > SCHEMA_VERSION:
            raise StoreUnreadable(
                f"{folder} was made by version {made_by} (schema {schema}), which is newer than "
                "this program: use that version"
            )
        files = {str(name): str(sha256) for name, sha256 in facts["files"].items()}
        collections = tuple(BackedUp(**one) for one in facts["collections"])
        backup = Backup(folder, made_by, schema, str(facts["date"]), collections, files)
    except FileNotFoundError as error:
        raise NotFound(f"there is no backup in {folder}: name a folder that has one") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreUnreadable(f"{folder / MANIFEST} is damaged: use another backup") from error
    if INDEX not in files or not all(map(companions.is_one, files.keys() - {INDEX})):
        raise StoreUnreadable(f"{folder / MANIFEST} is damaged: use another backup")
    return backup


def restore(folder: Path, home: Path, busy_seconds: float, *, replace: bool = False) -> Backup:
    """Makes the index in `home` what it was when the backup in `folder` was made.

    Raises `Conflict` where `home` holds an index and `replace` is not set; what `read` raises; and
    `StoreBusy` where another process writes for too long. Feedback is added to what is there.
    Tokens that are there stay: else one that was withdrawn since would open the door again.
    """
    backup = read(folder)
    _check_home(home, replace)
    with _failures_named(home):
        make_folder(home)
        with Overhaul(home, busy_seconds).held():
            for abandoned in home.glob(f"restore-*{_PARTIAL}"):  # of restores that were killed
                shutil.rmtree(abandoned)
            with _partial(home, "restore") as staged:
                _stage(backup, staged)
                _put(staged, home, busy_seconds)
    return backup


def _check_home(home: Path, replace: bool) -> None:
    there = os.path.lexists(home / INDEX)
    if there and not replace:
        raise Conflict(
            f"{home} holds an index: choose another --home, or give --replace to have the backup "
            "in its place"
        )
    if not there and os.path.lexists(home / f"{INDEX}-wal"):
        raise Conflict(f"{home} has a {INDEX}-wal of another index: move it away")


def _stage(backup: Backup, staged: Path) -> None:
    """Copies the files of a backup, checks them, and brings the index to today's schema."""
    for name, sha256 in backup.files.items():
        (staged / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(backup.folder / name, staged / name)
        if _sha256(staged / name) != sha256:
            raise StoreUnreadable(f"{backup.folder / name} is damaged: use another backup")
    transfer.check(staged / INDEX)


def _put(staged: Path, home: Path, busy_seconds: float) -> None:
    if (home / INDEX).exists():
        _replace_index(home, staged / INDEX, busy_seconds)
        companions.put(staged, home)
    else:
        companions.put(staged, home)
        sync(staged / INDEX)
        os.link(staged / INDEX, home / INDEX)  # fails where there is one by now
    sync(home)


def _replace_index(home: Path, file: Path, busy_seconds: float) -> None:
    try:
        transfer.copy_in(home, file, busy_seconds)
    except StoreUnreadable as error:
        raise StoreUnreadable(
            f"the index in {home} can't be replaced ({error}): stop what uses it, move its "
            f"{INDEX}* files away, and restore again"
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _partial(parent: Path, name: str) -> Iterator[Path]:
    """A folder for what is not finished, gone when the block ends, unless it was renamed."""
    folder = Path(mkdtemp(prefix=f"{name}-", suffix=_PARTIAL, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _failures_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise StoreFull(f"no room left for {path}: free some space and try again") from error
        raise RagError(f"{error.filename or path} can't be used: {error.strerror}") from error
