"""What is to be done: paths or uploads to files to look at and documents to forget."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rag.attached import with_own_file
from rag.entries import UPLOADS, SourceFile
from rag.errors import FileRefused, TooLarge
from rag.ingestion import refused
from rag.loading.choosing import EVERY_FILE, IGNORE_FILE, Choice, Globs, choice_in
from rag.loading.files import Found, read_bytes, walk
from rag.moving import moves
from rag.store.base import Stored
from rag.types import Outcome, Status

_MOST_VANISHED = 0.3  # of a root's documents; more looks like an unmounted or emptied folder
_LEFT_OUT = f"left out by the globs or the {IGNORE_FILE}"
_LONGEST_NAME = 255  # characters of an uploaded file's name, as on most file systems


@dataclass(frozen=True, slots=True)
class Gone:
    """A document to forget; `reason` is None where its file is gone, else says why it must go."""

    stored: Stored
    reason: str | None

    @property
    def outcome(self) -> Outcome:
        one = self.stored
        return Outcome(one.source, Status.REMOVED, one.document_id, self.reason, size=one.size)


@dataclass(slots=True)
class Plan:
    """What an ingest of some paths will do: files to look at, documents to forget, refusals."""

    files: list[SourceFile] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    _taken: set[tuple[str, str]] = field(default_factory=set)

    def has(self, file: SourceFile) -> bool:
        return (file.root, file.source) in self._taken

    def add(self, file: SourceFile) -> bool:
        """Takes a file once; whether this was the first time."""
        is_new = not self.has(file)
        if is_new:
            self._taken.add((file.root, file.source))
            self.files.append(file)
        return is_new


class Planner:
    """Plans for one collection, whose documents are `stored`.

    A folder is a root; a file belongs to the root that it lies in, else its parent folder is
    one. Roots that overlap are refused, for one file would be two documents. A file that is named
    itself is wanted, whatever a folder's rules say.
    """

    def __init__(
        self, stored: Sequence[Stored], max_bytes: int, prune: bool, globs: Globs = EVERY_FILE
    ) -> None:
        self._stored = stored
        self._roots = {Path(root) for root in {s.root for s in stored} - {UPLOADS}}
        self._max_bytes = max_bytes
        self._prune = prune
        self._globs = globs

    def plan(self, paths: Sequence[Path]) -> Plan:
        plan = Plan()
        for path in dict.fromkeys(path.expanduser().resolve() for path in paths):
            try:
                _check_name(path)
                if path.is_dir() or path in self._roots:
                    self._add_folder(plan, path)
                else:
                    self._add_file(plan, path)
            except FileRefused as error:
                plan.refused.append(refused(str(path), error))
        return plan

    def _add_folder(self, plan: Plan, root: Path) -> None:
        self._claim(root)
        choice = choice_in(root, self._globs)
        found: list[SourceFile] = []
        unreadable: list[Outcome] = []
        for item in walk(root, self._max_bytes, choice.leaves_out) if root.is_dir() else ():
            if isinstance(item, Found):
                found.append(self._file(root, item.source, item.size))
            else:
                line = Outcome(item.source, Status.REFUSED, reason=item.reason, size=item.size)
                unreadable.append(line)
        mine = [stored for stored in self._stored if stored.root == str(root)]
        vanished = _vanished(mine, found, unreadable)
        own = {stored.document_id for stored in with_own_file(mine)}
        moved = moves(
            [stored for stored in vanished if stored.document_id in own],
            [file for file in _new(mine, found) if not plan.has(file)],
        )
        plan.gone += self._gone(root, choice, vanished, moved, own)
        for file in found:
            former = moved.get(file.source)
            plan.add(replace(file, moved_from=former) if former else file)
        plan.refused += unreadable

    def _add_file(self, plan: Plan, path: Path) -> None:
        if not path.is_file():
            raise FileRefused("no such file or folder: check the path")
        root = next((r for r in self._roots if r in path.parents), path.parent)
        self._claim(root)
        source = path.relative_to(root).as_posix()
        plan.add(self._file(root, source, path.stat().st_size))

    def _file(self, root: Path, source: str, size: int) -> SourceFile:
        return SourceFile(
            str(root), source, size, partial(read_bytes, root, source, self._max_bytes)
        )

    def _claim(self, root: Path) -> None:
        for other in self._roots:
            if root in other.parents or other in root.parents:
                raise FileRefused(
                    f"it overlaps {other}, which is indexed already: ingest that folder, "
                    "or use another --collection"
                )
        self._roots.add(root)

    def _gone(
        self,
        root: Path,
        choice: Choice,
        vanished: Sequence[Stored],
        moved: Mapping[str, Stored],
        own: Set[str],
    ) -> list[Gone]:
        """Those of a root's documents that no file has. Raises `FileRefused` where they are too
        many of the `own`, the ids of those that came not inside another one.
        """
        kept = {stored.source for stored in moved.values()}  # what is attached goes with them
        gone = [
            Gone(stored, _LEFT_OUT if choice.leaves_out_within(stored.source) else None)
            for stored in vanished
            if kept.isdisjoint(_prefixes(stored.source))
        ]
        lost = [one for one in gone if one.stored.document_id in own]
        if len(lost) > _MOST_VANISHED * len(own) and not self._prune:
            raise FileRefused(f"{_lost(root, lost, len(own))}, or forget them with --prune")
        return gone


def _vanished(
    mine: Sequence[Stored], found: Sequence[SourceFile], unreadable: Sequence[Outcome]
) -> list[Stored]:
    """The documents of a root that have no file where they had one."""
    there = {file.source for file in found} | {outcome.source for outcome in unreadable}
    return [stored for stored in mine if there.isdisjoint(_prefixes(stored.source))]


def _new(mine: Sequence[Stored], found: Sequence[SourceFile]) -> Iterator[SourceFile]:
    """The files of a root that have no document."""
    known = {stored.source for stored in mine}
    return (file for file in found if file.source not in known)


def _lost(root: Path, gone: Sequence[Gone], of: int) -> str:
    """What has become of a root that has lost too many documents, and how it is undone."""
    left_out = sum(one.reason is not None for one in gone)
    if not root.is_dir():
        return "the folder is missing, so nothing was changed: bring it back"
    if left_out:
        return (
            f"{len(gone)} of its {of} documents have vanished or are left out by the globs and "
            f"the {IGNORE_FILE} ({left_out}), so nothing was changed: check these"
        )
    return (
        f"{len(gone)} of its {of} documents have vanished, so nothing was changed: bring them back"
    )


def _check_name(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise FileRefused("its name is not valid UTF-8; rename it") from None


def _prefixes(source: str) -> Iterator[str]:
    """The path itself and every folder above it: what lies in a refused folder is not gone."""
    parts = source.split("/")
    for length in range(1, len(parts) + 1):
        yield "/".join(parts[:length])


def uploads(files: Iterable[tuple[str, bytes]], max_bytes: int) -> Plan:
    """Files that came as (name, content): documents of the uploads' own root."""
    plan = Plan()
    for name, data in files:
        shown = _shown_name(name)
        try:
            if not shown:
                raise FileRefused("no file name: give the file a name such as notes.txt")
            if len(shown) > _LONGEST_NAME:
                raise FileRefused(f"its name is longer than {_LONGEST_NAME} characters: shorten it")
            if len(data) > max_bytes:
                raise TooLarge(f"larger than {max_bytes / 1e6:g} MB: split it")
            if not plan.add(SourceFile(UPLOADS, shown, len(data), partial(bytes, data))):
                raise FileRefused("another file of this upload has the same name: rename one")
        except FileRefused as error:
            plan.refused.append(refused(shown[:_LONGEST_NAME], error))
    return plan


def _shown_name(name: str) -> str:
    """A client's file name as display text: its last part, without invisible characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable()).strip(" .")
