"""A progress bar on stderr, where that is a terminal."""

from __future__ import annotations

import sys

from tqdm import tqdm

from rag.ingestion import Progress


class ProgressBar:
    """Shows bytes read, files, passages encoded, rate and time left."""

    def __init__(self) -> None:
        self._bar = tqdm(
            unit="B", unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False
        )

    def show(self, progress: Progress) -> None:
        self._bar.total = progress.total_bytes
        self._bar.set_postfix_str(
            f"file {progress.files}/{progress.total_files}, {progress.encoded} passages",
            refresh=False,
        )
        self._bar.update(progress.bytes - self._bar.n)

    def close(self) -> None:
        """Leaves the line clean for what is printed next."""
        self._bar.close()


class CountBar:
    """Shows how many documents of how many have been read."""

    def __init__(self) -> None:
        self._bar = tqdm(
            unit=" documents", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False
        )

    def show(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """As `ProgressBar.close`."""
        self._bar.close()
