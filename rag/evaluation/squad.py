"""SQuAD 1.1 and 2.0 files: paragraphs with questions and the spans that answer them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import InvalidInput
from rag.types import Span


@dataclass(frozen=True, slots=True)
class SquadQuestion:
    """A question about one paragraph; no `answers` where the paragraph does not answer it."""

    id: str
    question: str
    answers: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class SquadParagraph:
    """A paragraph of an article; answers are spans of `text`."""

    title: str
    text: str
    questions: tuple[SquadQuestion, ...]


def read_squad(path: Path) -> list[SquadParagraph]:
    """All paragraphs of a JSON file, gzipped or not.

    Raises `InvalidInput` where the file isn't in the format, or an answer isn't where it says.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as stream:
            articles = json.load(stream)["data"]
        return [_paragraph(a["title"], p) for a in articles for p in a["paragraphs"]]
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise InvalidInput(f"{path} can't be read as SQuAD JSON: {error!r}") from error


def _paragraph(title: str, row: Any) -> SquadParagraph:
    text = row["context"]
    questions = tuple(_question(text, question) for question in row["qas"])
    return SquadParagraph(title.replace("_", " "), text, questions)


def _question(text: str, row: Any) -> SquadQuestion:
    answers = () if row.get("is_impossible") else tuple(_span(text, a) for a in row["answers"])
    return SquadQuestion(row["id"], row["question"], answers)


def _span(text: str, answer: Any) -> Span:
    start, words = answer["answer_start"], answer["text"]
    span = Span(start, start + len(words))
    if span.of(text) != words:
        raise ValueError(f"the answer {words!r} does not stand at {start}")
    return span
