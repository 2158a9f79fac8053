"""The files beside the database: calibrations and what people say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rag.diagnosing.findings import Fault, Finding
from rag.errors import StoreUnreadable
from rag.feedback import FILE as FEEDBACK
from rag.tuning import Tunings


def beside_the_store(
    home: Path, collections: Iterable[str], reader_name: Callable[[], str]
) -> Iterator[Finding]:
    """What is wrong there; the reader's name is only asked for where there is a calibration."""
    tunings = Tunings(home)
    for collection in collections:
        if tunings.path(collection).exists():
            yield from _in_calibration(tunings, collection, reader_name())
    yield from _in_feedback(home / FEEDBACK)


def _in_calibration(tunings: Tunings, collection: str, reader: str) -> Iterator[Finding]:
    try:
        if tunings.of(collection, reader) is None:
            what = "its calibration was fitted for another reader than the configured one"
            yield Finding(Fault.CALIBRATION, what, collection)
    except StoreUnreadable as error:
        yield Finding(Fault.CALIBRATION, str(error), collection)


def _in_feedback(file: Path) -> Iterator[Finding]:
    lines = file.read_bytes().splitlines() if file.exists() else []
    bad = [number for number, line in enumerate(lines, start=1) if not _is_object(line)]
    if bad:
        what = f"{len(bad)} lines of {file} can't be read, the first is line {bad[0]}"
        yield Finding(Fault.FEEDBACK, what)


def _is_object(line: bytes) -> bool:
    try:
        return not line.strip() or isinstance(json.loads(line), dict)
    except ValueError:
        return False
