"""How fast files were ingested the last time, so that a dry run can say how long it would take."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from rag.durability import write_whole

_FILE = "pace.json"


class PaceFile:
    """Bytes of files a second, by collection, in a file beside the index; losing it costs no more
    than an estimate.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / _FILE

    def of(self, collection: str) -> float | None:
        """The pace of the last ingest that was large enough to measure, if there was one."""
        pace = self._all().get(collection)
        return float(pace) if isinstance(pace, int | float) and pace > 0 else None

    def note(self, collection: str, pace: float) -> None:
        """Keeps a pace, unless the disk won't have it: the ingest stands."""
        with suppress(OSError):
            write_whole(self._file, json.dumps({**self._all(), collection: round(pace, 1)}))

    def _all(self) -> dict[str, object]:
        try:
            noted = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}
