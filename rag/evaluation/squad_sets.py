"""SQuAD files as question sets that bring their articles along."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote

from rag.errors import InvalidInput
from rag.evaluation.metrics import normalised
from rag.evaluation.questions import Evidence, Question, QuestionSet, checked
from rag.evaluation.squad import SquadParagraph, SquadQuestion, read_squad
from rag.text import sentences
from rag.types import Span

_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]')
_LONGEST_NAME = 60  # characters of at most 4 bytes, so that file systems take it
_BLANK_LINE_END = re.compile(r"\n(?=[^\S\n]*\n)")


def read_squad_set(path: Path, *, partial: bool = False) -> QuestionSet:
    """All questions of a SQuAD 1.1 or 2.0 file, with a text file for each article; raises
    `InvalidInput`.

    An article's paragraphs are paragraphs of its file. The evidence is the sentence around the
    first gold answer, and around each other one that stands elsewhere.
    """
    questions: list[Question] = []
    wrong: list[str] = []
    files: dict[str, bytes] = {}
    for title, article in groupby(_paragraphs(path), key=lambda paragraph: paragraph.title):
        name = _name(title, files)
        texts = []
        for paragraph in article:
            text = _one_paragraph(paragraph.text)
            texts.append(text)
            for question in paragraph.questions:
                if _is_text(question.id) and _is_text(question.question):
                    questions.append(_question(question, name, text))
                else:
                    wrong.append(f"{question.id!r}: id and question must be texts, not blank")
        files[name] = "\n\n".join(text for text in texts if text.strip()).encode()
    kept = [(name, content) for name, content in files.items() if content]
    return checked(path, questions, wrong, partial=partial, files=kept)


def _paragraphs(path: Path) -> list[SquadParagraph]:
    try:
        paragraphs = read_squad(path)
        "".join(paragraph.text for paragraph in paragraphs)  # JSON may hold anything there
        return paragraphs
    except (TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise InvalidInput(f"{path} can't be read as SQuAD JSON: {error!r}") from error


def _name(title: str, taken: Iterable[str]) -> str:
    """A file name that shows as the title, unlike the ones taken even where case is ignored.

    SQuAD 1.1 took its titles from addresses: Bras%C3%ADlia.
    """
    bare = "".join(c for c in normalize("NFC", unquote(title)) if c.isprintable())
    words = " ".join(_NOT_IN_NAMES.sub("_", bare).split())[:_LONGEST_NAME].strip(" .")
    others = {name.casefold() for name in taken}
    stem, number = words or "untitled", 1
    while f"{stem}.txt".casefold() in others:
        number += 1
        stem = f"{words or 'untitled'} {number}"
    return f"{stem}.txt"


def _one_paragraph(text: str) -> str:
    """The text as one paragraph of ours, and as a file can hold it.

    Each character stays where it is, so that the answers' offsets hold: a line end that would make
    a blank line becomes a space.
    """
    plain = text.replace("\r", " ").replace("\0", " ")
    encodable = plain.encode(errors="replace").decode()  # half a surrogate pair is one "?"
    return _BLANK_LINE_END.sub(" ", encodable)


def _is_text(value: object) -> bool:
    """Whether it is a text that is not blank, without half a surrogate pair."""
    if not isinstance(value, str) or not value.strip():
        return False
    return value.encode(errors="ignore").decode() == value


def _question(question: SquadQuestion, source: str, text: str) -> Question:
    marked = [span for span in question.answers if span.of(text).strip()]
    # The dev set has a full stop among some gold answers; the published script leaves it out too.
    given = [span for span in marked if normalised(span.of(text))] or marked
    return Question(
        id=question.id,
        question=question.question,
        answers=tuple(dict.fromkeys(span.of(text) for span in given)),
        answerable=bool(given),
        evidence=tuple(Evidence(source, piece.of(text)) for piece in _evidence(text, given)),
        tags=() if given else ("impossible",),
    )


def _evidence(text: str, answers: Sequence[Span]) -> Iterator[Span]:
    """The sentences around the answers, in their order, without those that overlap another."""
    parts = sentences(text, Span(0, len(text)))
    kept: list[Span] = []
    for answer in answers:
        held = [part for part in parts if part.start < answer.end and answer.start < part.end]
        piece = Span(held[0].start, held[-1].end)
        if all(piece.end <= other.start or other.end <= piece.start for other in kept):
            kept.append(piece)
            yield piece
