"""When folders are to be synced: as soon as what changes in them comes to rest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from watchfiles import Change, watch

from rag.errors import FileRefused, RagError
from rag.loading.choosing import EVERY_FILE, IGNORE_FILE, Choice, Globs, choice_in

_REST_SECONDS = 0.5  # without a change
_LATEST_SECONDS = 60.0  # where changes never end

_Change = tuple[Change, str]


class Watch:
    """Watches folders, given by their resolved paths.

    The index in `home` doesn't count if it is inside, nor does what `globs` and a `.ragignore`
    leave out. `say` is told where a folder goes away and when it is back.
    """

    def __init__(
        self, folders: Sequence[Path], home: Path, globs: Globs, say: Callable[[str], None]
    ) -> None:
        self._folders = folders
        self._home = home
        self._globs = globs
        self._say = say
        self._choices: dict[Path, Choice] = {}

    def due(self) -> Iterator[None]:
        """Yields whenever a sync is due, for ever: at first, and after changes, those included that
        are made during a sync. Never while a folder is gone: that may be a disk which is not
        mounted, so it is waited for. Raises `RagError` where the system can't watch them.
        """
        while True:
            self._await_folders()
            yield from self._due_while_there()

    def _await_folders(self) -> None:
        told: list[Path] = []
        while gone := [folder for folder in self._folders if not folder.is_dir()]:
            for folder in gone:
                if folder not in told:
                    self._say(f"{folder} is gone: nothing is forgotten, and it is waited for")
            told = gone
            time.sleep(_REST_SECONDS)
        for folder in told:
            self._say(f"{folder} is back")

    def _due_while_there(self) -> Iterator[None]:
        there = self._identities()
        since: float | None = time.monotonic()  # the first change that no sync has seen
        try:
            with closing(self._changes()) as batches:
                for batch in batches:
                    if self._identities() != there or self._has_lost_one(batch):
                        return
                    now = time.monotonic()
                    since = now if since is None and batch else since
                    if since is not None and (not batch or now - since > _LATEST_SECONDS):
                        since = None
                        self._choices = {folder: self._choice(folder) for folder in self._folders}
                        yield
        except FileNotFoundError:  # just gone
            return
        except OSError as error:
            raise RagError(
                f"the folders can't be watched ({error}): raise fs.inotify.max_user_watches, or "
                "set WATCHFILES_FORCE_POLLING=1 to have them looked through again and again"
            ) from error

    def _changes(self) -> Generator[set[_Change], None, None]:
        """Changes that count, in batches; an empty one after each rest. It begins to watch at the
        first, so nothing that happens after that is missed.
        """
        return watch(
            *self._folders,
            watch_filter=self._counts,
            rust_timeout=int(_REST_SECONDS * 1000),
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )

    def _identities(self) -> list[tuple[int, int] | None]:
        """Which folders they are: another one may be mounted at the same path."""
        return [_identity(folder) for folder in self._folders]

    def _has_lost_one(self, batch: set[_Change]) -> bool:
        return any(
            change is Change.deleted and Path(path) in self._folders for change, path in batch
        )

    def _choice(self, folder: Path) -> Choice:
        try:
            return choice_in(folder, self._globs)
        except FileRefused:  # the sync will tell
            return Choice((), EVERY_FILE)

    def _counts(self, _: Change, path: str) -> bool:
        """Whether a change may change what is indexed."""
        changed = Path(path)
        if changed.is_relative_to(self._home):
            return False
        folder = next((f for f in self._folders if changed.is_relative_to(f)), None)
        if folder is None or changed == folder:
            return folder is not None
        source = changed.relative_to(folder).as_posix()
        if source == IGNORE_FILE:
            return True
        if any(part.startswith(".") for part in source.split("/")):
            return False
        choice = self._choices.get(folder)
        if choice is None or not choice.leaves_out_within(source):
            return True
        # Of what is gone nobody knows whether it was a folder, which may hold what is wanted.
        return not (changed.is_file() or choice.leaves_out_within(f"{source}/"))


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino
