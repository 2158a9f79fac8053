"""Question sets judged by document: BEIR folders, and TREC judgements with their queries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from rag.errors import InvalidInput
from rag.evaluation.questions import Question, QuestionSet, checked, text_field

_CORPUS, _QUERIES, _QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
_Grades = Mapping[str, Mapping[str, int]]  # by query and document


@dataclass(slots=True)
class _Wrong:
    """Collects the lines of one file that can't be read."""

    path: Path
    lines: list[str] = field(default_factory=list)

    def add(self, number: int, error: Exception) -> None:
        self.lines.append(f"{self.path.name} line {number}: {error}")


def is_beir(folder: Path) -> bool:
    """Whether a folder is in BEIR's layout."""
    files = (folder / _CORPUS).is_file() and (folder / _QUERIES).is_file()
    return files and (folder / _QRELS).is_dir()


def document_name(document_id: str) -> str:
    """The name of the file that a BEIR document becomes; see `document_id`.

    A dot in front is encoded too, since it would hide the file.
    """
    name = quote(document_id, safe="")
    return f"{'%2E' + name[1:] if name.startswith('.') else name}.md"


def document_id(name: str) -> str:
    """The id of the BEIR document that became a file of this name."""
    return unquote(name.removesuffix(".md"))


def without_itself(question_id: str, ranked: Sequence[str]) -> list[str]:
    """A BEIR question's ranking of files without the document that has the question's own id.

    BEIR leaves that one out of every result, as some of its questions are documents themselves:
    rank one more than is wanted.
    """
    own = document_name(question_id)
    return [name for name in ranked if name != own]


def read_beir(folder: Path, *, qrels: Path | None = None, partial: bool = False) -> QuestionSet:
    """A collection in BEIR's layout, with a Markdown file for each document.

    Judged by `qrels`, else by the split `test`, else by the only one. Queries for which no document
    is relevant are left out. A document that is relevant but can't be found, since it has no words
    or is not in the corpus, lowers the figures as it does for BEIR, and `left_out` names it. Raises
    `InvalidInput`.
    """
    judgements = qrels or _split(folder)
    corpus, texts = _Wrong(folder / _CORPUS), dict[str, bytes]()
    for number, row in _json_rows(corpus):
        try:
            name, content = _document(row)
            if name in texts:
                raise ValueError(f"the _id {row['_id']!r} stands twice")
            texts[name] = content
        except ValueError as error:
            corpus.add(number, error)
    read = _judged(folder / _QUERIES, judgements, partial, corpus.lines)
    files = tuple((name, content) for name, content in texts.items() if content)
    questions = tuple(
        replace(question, relevant=tuple((document_name(i), g) for i, g in question.relevant))
        for question in read.questions
    )
    needed = dict.fromkeys(name for question in questions for name, _ in question.relevant)
    lost = [
        f"{name} is relevant and can't be found: its document "
        + ("has no words" if name in texts else f"is not in {_CORPUS}")
        for name in needed
        if not texts.get(name)
    ]
    return QuestionSet(questions, files, (*read.left_out, *lost))


def read_trec(queries: Path, qrels: Path, *, partial: bool = False) -> QuestionSet:
    """Queries judged by TREC's or BEIR's `qrels`; documents keep the ids that they have there.

    `queries` holds JSON lines with `_id` and `text`, or lines with an id, a tab and the text.
    Queries for which no document is relevant are left out. Raises `InvalidInput`.
    """
    return _judged(queries, qrels, partial, [])


def _judged(queries: Path, qrels: Path, partial: bool, wrong: Sequence[str]) -> QuestionSet:
    asked, judged = _Wrong(queries), _Wrong(qrels)
    grades = _grades(judged)
    questions = []
    for number, row in _queries(asked):
        try:
            question_id, text = text_field(row, "_id"), text_field(row, "text")
        except ValueError as error:
            asked.add(number, error)
            continue
        if relevant := tuple((d, g) for d, g in grades.get(question_id, {}).items() if g > 0):
            questions.append(Question(question_id, text, relevant=relevant))
    everything = [*wrong, *asked.lines, *judged.lines]
    if not questions and not everything:
        raise InvalidInput(
            f"{queries}: {qrels} judges no document relevant to any of its queries; "
            "check that both use the same ids"
        )
    return checked(queries, questions, everything, partial=partial)


def _split(folder: Path) -> Path:
    splits = sorted((folder / _QRELS).glob("*.tsv"))
    for split in splits:
        if split.stem == "test" or len(splits) == 1:
            return split
    found = ", ".join(split.name for split in splits) or "no .tsv file"
    raise InvalidInput(f"{folder / _QRELS} holds {found}: name one with --qrels")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    try:
        # Not splitlines(), which also splits at characters that may stand inside a JSON string.
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} can't be read: {error}; save it as UTF-8") from error
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _json_rows(wrong: _Wrong) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in _lines(wrong.path):
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("not a JSON object")
        except (ValueError, RecursionError) as error:
            wrong.add(number, error)
        else:
            yield number, row


def _queries(wrong: _Wrong) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if wrong.path.suffix.lower() == ".jsonl":
        yield from _json_rows(wrong)
        return
    for number, line in _lines(wrong.path):
        question_id, _, text = line.partition("\t")
        yield number, {"_id": question_id.strip(), "text": text.strip()}


def _grades(wrong: _Wrong) -> _Grades:
    """All judgements of a file: TREC's four columns, or BEIR's three with tabs and a header."""
    grades: dict[str, dict[str, int]] = {}
    lines = list(_lines(wrong.path))
    with_tabs = bool(lines) and len(lines[0][1].split("\t")) == 3
    for place, (number, line) in enumerate(lines):
        try:
            query, document, grade = _judgement(line, with_tabs)
            if grades.setdefault(query, {}).setdefault(document, grade) != grade:
                raise ValueError(f"{document!r} has two grades for {query!r}")
        except ValueError as error:
            if place or not with_tabs:  # else it is the header
                wrong.add(number, error)
    return grades


def _judgement(line: str, with_tabs: bool) -> tuple[str, str, int]:
    columns = [c.strip() for c in line.split("\t")] if with_tabs else line.split()
    if len(columns) != (3 if with_tabs else 4) or not all(columns):
        wanted = "query, document and grade" if with_tabs else "query, iteration, document, grade"
        raise ValueError(f"not the columns {wanted}")
    query, *_, document, grade = columns
    try:
        return query, document, int(grade)
    except ValueError:
        raise ValueError(f"the grade {grade!r} is no whole number") from None


def _document(row: Mapping[str, Any]) -> tuple[str, bytes]:
    """The file's name and content; no content where the document has no words."""
    name = document_name(text_field(row, "_id"))
    title, text = row.get("title") or "", row.get("text") or ""
    if not isinstance(title, str) or not isinstance(text, str):
        raise ValueError("title and text must be texts")
    title = " ".join(title.replace("\0", " ").split())
    text = text.replace("\0", " ")
    if not text.strip():
        text = title  # or nothing of the document would be indexed
    # A title's quotes stay as they are: front matter takes off the outer ones and no more. The
    # blank line in front keeps a text that begins with a rule from being taken for front matter.
    front = f'---\ntitle: "{title}"\n---\n' if title else ""
    content = f"{front}\n{text}\n" if text else ""
    return name, content.encode(errors="replace")
