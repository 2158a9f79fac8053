"""What is to be done: paths or uploads to files to look at and documents to forget."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rag.entries import UPLOADS, SourceFile
from rag.errors import FileRefused, TooLarge
from rag.ingestion import refused
from rag.loading.files import Found, read_bytes, walk
from rag.store.base import Stored
from rag.types import IngestReport, Outcome, Status

_MOST_VANISHED = 0.3  # of a root's documents; more looks like an unmounted or emptied folder
_LONGEST_NAME = 255  # characters of an uploaded file's name, as on most file systems


@dataclass(slots=True)
class Plan:
    """What an ingest of some paths will do: files to look at, documents to forget, refusals."""

    files: list[SourceFile] = field(default_factory=list)
    vanished: list[Stored] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    _taken: set[tuple[str, str]] = field(default_factory=set)

    def add(self, file: SourceFile) -> bool:
        """Takes a file once; whether this was the first time."""
        identity = (file.root, file.source)
        is_new = identity not in self._taken
        if is_new:
            self._taken.add(identity)
            self.files.append(file)
        return is_new


class Planner:
    """Plans for one collection, whose documents are `stored`.

    A folder is a root; a file belongs to the root that it lies in, else its parent folder is
    one. Roots that overlap are refused, for one file would be two documents.
    """

    def __init__(self, stored: Sequence[Stored], max_bytes: int, prune: bool) -> None:
        self._stored = stored
        self._roots = {Path(s.root) for s in stored if s.root != UPLOADS}
        self._max_bytes = max_bytes
        self._prune = prune

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
        found: list[SourceFile] = []
        left_out: list[Outcome] = []
        for item in walk(root, self._max_bytes) if root.is_dir() else ():
            if isinstance(item, Found):
                found.append(self._file(root, item.source, item.size))
            else:
                left_out.append(Outcome(item.source, Status.REFUSED, reason=item.reason))
        plan.vanished += self._vanished(root, found, left_out)
        for file in found:
            plan.add(file)
        plan.refused += left_out

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

    def _vanished(
        self, root: Path, found: Sequence[SourceFile], left_out: Sequence[Outcome]
    ) -> list[Stored]:
        mine = [stored for stored in self._stored if stored.root == str(root)]
        there = {file.source for file in found} | {outcome.source for outcome in left_out}
        gone = [s for s in mine if there.isdisjoint(_prefixes(s.source))]
        if len(gone) > _MOST_VANISHED * len(mine) and not self._prune:
            what = f"{len(gone)} of its {len(mine)} documents have vanished"
            if not root.is_dir():
                what = "the folder is missing"
            raise FileRefused(
                f"{what}, so nothing was changed: bring them back, or forget them with --prune"
            )
        return gone


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


def preview(plan: Plan, stored: Sequence[Stored]) -> IngestReport:
    """What carrying out a plan would report, by the files' hashes alone: nothing is parsed."""
    known = {(s.root, s.source): s for s in stored}
    outcomes = [_foreseen(file, known.get((file.root, file.source))) for file in plan.files]
    outcomes += [Outcome(s.source, Status.REMOVED, s.document_id) for s in plan.vanished]
    outcomes += plan.refused
    return IngestReport(tuple(sorted(outcomes, key=lambda o: o.source)), encoded=0, reused=0)


def _foreseen(file: SourceFile, known: Stored | None) -> Outcome:
    try:
        sha256 = hashlib.sha256(file.read()).hexdigest()
    except FileRefused as error:
        return refused(file.source, error, known)
    if known is None:
        return Outcome(file.source, Status.ADDED)
    status = Status.UNCHANGED if known.sha256 == sha256 else Status.REPLACED
    return Outcome(file.source, status, known.document_id)
