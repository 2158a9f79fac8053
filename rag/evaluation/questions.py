"""What a question set holds, whatever format it came in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import InvalidInput
from rag.types import Turn

_SHOWN = 5  # wrong lines


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves an answer: a quote, and the file that it stands in.

    Without a quote it is proved by wherever in the file an accepted answer stands.
    """

    source: str
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its accepted answers; none where the corpus does not answer it.

    `answerable` is None where nobody has said: then only what was found is judged, and whether an
    answer that somebody has `rejected` comes again. `relevant` are files that bear on the question
    with their grades, for collections that are judged by file. `history` is the conversation that
    the question follows, oldest first.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    answerable: bool | None = None
    evidence: tuple[Evidence, ...] = ()
    tags: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    relevant: tuple[tuple[str, int], ...] = ()
    history: tuple[Turn, ...] = ()

    @property
    def grades(self) -> dict[str, int]:
        """The relevant files with their grades; each that holds evidence has grade 1."""
        return dict(self.relevant) or {piece.source: 1 for piece in self.evidence}


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions in their order, and the files, as (name, content), that they bring along.

    `left_out` says of each line that could not be read why not.
    """

    questions: tuple[Question, ...]
    files: tuple[tuple[str, bytes], ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A hash of the questions and their gold: two runs with one can be compared."""
        # A set without conversations has the hash that it had before there were any.
        facts = [asdict(question) for question in self.questions]
        kept = [{k: v for k, v in one.items() if v or k != "history"} for one in facts]
        rows = json.dumps(kept, ensure_ascii=True)
        return hashlib.sha256(rows.encode()).hexdigest()


def checked(
    path: Path,
    questions: Sequence[Question],
    wrong: Sequence[str],
    *,
    partial: bool,
    files: Sequence[tuple[str, bytes]] = (),
) -> QuestionSet:
    """The set, if nothing is wrong with it, or all that is right where a `partial` one will do.

    `wrong` names the lines that could not be read. Raises `InvalidInput`.
    """
    seen: set[str] = set()
    kept: list[Question] = []
    wrong = list(wrong)
    for question in questions:
        if question.id in seen:
            wrong.append(f"the id {question.id!r} stands twice")
        else:
            seen.add(question.id)
            kept.append(question)
    if not kept or (wrong and not partial):
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        what = "; ".join(wrong[:_SHOWN]) or "it holds no question"
        cure = "mend them, or leave them out with --partial; " if kept else ""
        raise InvalidInput(f"{path}: {what}{more}; {cure}nothing was run")
    return QuestionSet(tuple(kept), tuple(files), tuple(wrong))


def text_field(row: Mapping[str, Any], name: str) -> str:
    """A text in a JSON object that must be there and not be blank. Raises `ValueError`."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be a text that is not blank")
    value.encode()  # half a surrogate pair is a ValueError too
    return value
