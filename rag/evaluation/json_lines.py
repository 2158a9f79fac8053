"""Question sets in JSON lines, the project's own format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.errors import InvalidInput
from rag.evaluation.questions import Evidence, Question, QuestionSet, checked, text_field
from rag.types import Turn


def read_json_lines(path: Path, *, partial: bool = False) -> QuestionSet:
    """All questions of a file, or none: raises `InvalidInput` that names the wrong lines, unless a
    `partial` set will do.
    """
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
    return checked(path, questions, wrong, partial=partial)


def _question(row: Any) -> Question:
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    answerable = row.get("answerable")
    rejected = _texts(row, "rejected")
    if not isinstance(answerable, bool) and (answerable is not None or not rejected):
        raise ValueError("answerable must be true or false")
    question = Question(
        id=text_field(row, "id"),
        question=text_field(row, "question"),
        answers=_texts(row, "answers"),
        answerable=answerable,
        evidence=tuple(_evidence(item) for item in _list(row, "evidence")),
        tags=_texts(row, "tags"),
        rejected=rejected,
        history=tuple(_turn(item) for item in _list(row, "history")),
    )
    if bool(answerable) != bool(question.answers):
        raise ValueError("answerable questions have answers, others have none")
    return question


def _evidence(item: Any) -> Evidence:
    if not isinstance(item, dict):
        raise ValueError("evidence must hold objects with source and quote")
    return Evidence(text_field(item, "source"), text_field(item, "quote"))


def _turn(item: Any) -> Turn:
    """A question asked before: its text, or an object with it and what was answered."""
    fields = item if isinstance(item, dict) else {"question": item}
    answer = text_field(fields, "answer") if fields.get("answer") is not None else None
    try:
        return Turn(text_field(fields, "question"), answer)
    except ValueError as error:
        raise ValueError(f"history: {error}") from error


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
