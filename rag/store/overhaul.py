"""One overhaul of a store at a time: rebuilds, repairs and restores wait for each other."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import StoreBusy, StoreUnreadable

_FILE = "overhaul.lock"
_ASK_AGAIN_SECONDS = 0.05


class Overhaul:
    """The lock in an index's folder that whoever prepares rows for a later commit holds.

    Others write meanwhile: it only keeps apart those who would take each other's unused vectors
    for rubbish. A killed process can't leave it behind.
    """

    def __init__(self, home: Path, busy_seconds: float) -> None:
        self._file = home / _FILE
        self._busy_seconds = busy_seconds
        self._is_ours = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises `StoreBusy` where another overhaul goes on for longer than `busy_seconds`."""
        patience = time.monotonic() + self._busy_seconds
        try:
            file = self._file.open("ab")
        except OSError as error:
            raise StoreUnreadable(f"{self._file} can't be written: {error.strerror}") from error
        with file:
            while not _is_locked(file.fileno()):
                if time.monotonic() > patience:
                    raise StoreBusy(
                        "a rebuild, repair or restore is under way: try again, or wait for it "
                        "with --wait"
                    )
                time.sleep(_ASK_AGAIN_SECONDS)
            self._is_ours = True
            try:
                yield
            finally:
                self._is_ours = False

    def is_under_way(self) -> bool:
        """Whether anybody else holds it now."""
        if self._is_ours:
            return False
        try:
            with self._file.open("rb") as file:
                return not _is_locked(file.fileno())
        except OSError:  # there never was one
            return False


def _is_locked(descriptor: int) -> bool:
    """Whether the lock was free and is ours now, until the file is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
