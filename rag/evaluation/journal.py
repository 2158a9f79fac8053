"""The rows of a run as they come, so that one that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from rag.evaluation.rows import Row


class Journal:
    """A file of rows in a folder, named by what decides them; any change there starts a new one.

    `decided_by` is plain JSON.
    """

    def __init__(self, folder: Path, decided_by: Any) -> None:
        key = hashlib.sha256(json.dumps(decided_by).encode()).hexdigest()[:24]
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{key}.jsonl"
        self.done: dict[str, Row] = {row["id"]: row for row in self._rows()}
        self._file = self._path.open("a", encoding="utf-8", buffering=1)  # by lines

    def _rows(self) -> list[Row]:
        if not self._path.exists():
            return []
        *whole, rest = self._path.read_text("utf-8").split("\n")
        if rest:  # the last row was cut short
            self._path.write_text("".join(f"{line}\n" for line in whole), "utf-8")
        return [json.loads(line) for line in whole]

    def add(self, row: Row) -> None:
        self._file.write(json.dumps(row) + "\n")

    def close(self) -> None:
        """Keeps what was asked so far."""
        self._file.close()

    def discard(self) -> None:
        """The run is complete: the next one asks again."""
        self._file.close()
        self._path.unlink(missing_ok=True)
