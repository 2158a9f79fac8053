"""Question sets: JSON lines, checked line by line before anything runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import InvalidInput

_SHOWN = 5  # wrong lines


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote that proves an answer, and the file it stands in."""

    source: str
    quote: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its accepted answers; none where the corpus does not answer it."""

    id: str
    question: str
    answers: tuple[str, ...]
    answerable: bool
    evidence: tuple[Evidence, ...]
    tags: tuple[str, ...] = ()


def read_questions(path: Path) -> list[Question]:
    """All questions of a file, or none: raises `InvalidInput` that names the wrong lines."""
    try:
        # Not splitlines(), which also splits at characters that may stand inside a JSON string.
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} can't be read as a question set: {error}") from error
    questions: list[Question] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                questions.append(_question(json.loads(line)))
            except (ValueError, RecursionError) as error:
                wrong.append(f"line {number}: {error}")
    ids = [question.id for question in questions]
    wrong += sorted({f"the id {i!r} stands twice" for i in ids if ids.count(i) > 1})
    if wrong or not questions:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        what = "; ".join(wrong[:_SHOWN]) or "it holds no question"
        raise InvalidInput(f"{path}: {what}{more}; nothing was run")
    return questions


def _question(row: Any) -> Question:
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    answerable = row.get("answerable")
    if not isinstance(answerable, bool):
        raise ValueError("answerable must be true or false")
    question = Question(
        id=_text(row, "id"),
        question=_text(row, "question"),
        answers=_texts(row, "answers"),
        answerable=answerable,
        evidence=tuple(_evidence(item) for item in _list(row, "evidence")),
        tags=_texts(row, "tags"),
    )
    if answerable != bool(question.answers):
        raise ValueError("answerable questions have answers, others have none")
    return question


def _evidence(item: Any) -> Evidence:
    if not isinstance(item, dict):
        raise ValueError("evidence must hold objects with source and quote")
    return Evidence(_text(item, "source"), _text(item, "quote"))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be a text that is not blank")
    value.encode()  # half a surrogate pair is a ValueError too
    return value


def _list(row: Mapping[str, Any], name: str) -> list[Any]:
    value = row.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list")
    return value


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _list(row, name)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} must hold texts")
    return tuple(values)
