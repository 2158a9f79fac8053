"""What people say of answers, as lines of a question set that can be evaluated right away."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from rag.durability import sync
from rag.errors import InvalidInput, StoreFull

FILE = "feedback.jsonl"


class Verdict(StrEnum):
    """Whether a reply was right: its first answer, or that it gave none."""

    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Said:
    """The answer that is spoken of, in the document's own words."""

    text: str
    sentence: str
    source: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody says of a reply; `said` is None where it gave no answer. `expected` are the
    words that would have been right.
    """

    question: str
    collection: str
    verdict: Verdict
    said: Said | None = None
    expected: str | None = None
    note: str | None = None


def question_of(feedback: Feedback) -> dict[str, Any]:
    """The line of a question set that this feedback is.

    An answer that is right is gold, with its sentence as evidence; one that is wrong is rejected,
    and what was expected is gold in its place. That nothing was found is right where the files
    don't answer. Raises `InvalidInput` where a "not found" is wrong and nobody says what would be
    right.
    """
    said, right = feedback.said, feedback.verdict is Verdict.RIGHT
    if not said and not right and not feedback.expected:
        raise InvalidInput('say in "expected" which words should have been found')
    gold = said.text if said and right else feedback.expected
    answerable = True if gold else None if said else False
    return {
        "id": f"feedback-{uuid4().hex[:12]}",
        "question": feedback.question,
        "answers": [gold] if gold else [],
        "answerable": answerable,
        "evidence": [{"source": said.source, "quote": said.sentence}] if said and right else [],
        "rejected": [said.text] if said and not right else [],
        "tags": ["feedback", feedback.verdict.value],
        "collection": feedback.collection,
        "note": feedback.note,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


class FeedbackFile:
    """The JSON lines in an index's folder. Any thread, and any process, may append."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._lock = threading.Lock()

    def append(self, row: Mapping[str, Any]) -> None:
        """Adds a line; it is on the disk when this returns. Raises `StoreFull`."""
        line = json.dumps(row, ensure_ascii=False) + "\n"
        try:
            with self._lock, self.path.open("ab+") as file:
                if not _ends_a_line(file):
                    line = "\n" + line  # a crash cut the last one short: it must not spoil this one
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
            sync(self.path.parent)
        except OSError as error:
            raise StoreFull(f"{self.path} can't be written: {error.strerror}") from error


def _ends_a_line(file: BinaryIO) -> bool:
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
