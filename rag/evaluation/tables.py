"""Question sets in tables: CSV or TSV with a first row that names the columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rag.errors import InvalidInput
from rag.evaluation.questions import Evidence, Question, QuestionSet, checked

_REQUIRED = ("question", "answer", "source")
_OPTIONAL = ("id", "quote", "tags")
_DELIMITERS = ",;\t"
_SEVERAL = re.compile(r"\s\|\s")


def read_table(path: Path, *, partial: bool = False) -> QuestionSet:
    """All questions of a table, or none: raises `InvalidInput` that names the wrong lines, unless a
    `partial` set will do.

    The columns are question, answer and source, and may be id (else `line-N`), quote and tags, in
    any order and case; others are stepped over. ` | ` separates accepted answers, and tags. A row
    without an answer is a question that the files do not answer, whatever source it names.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} can't be read as a table: {error}; save it as UTF-8") from error
    rows = _rows(text, _delimiter(path, text))
    columns = _columns(path, next(rows, (1, ()))[1])
    questions: list[Question] = []
    wrong: list[str] = []
    for line, cells in rows:
        try:
            questions.append(_question(line, _named(columns, cells)))
        except ValueError as error:
            wrong.append(f"line {line}: {error}")
    return checked(path, questions, wrong, partial=partial)


def _delimiter(path: Path, text: str) -> str:
    """A tab in .tsv; else what the first line has most of: spreadsheets write `;` in Europe.

    `csv.Sniffer` would guess from how letters are spread, and needs several lines for it.
    """
    first = text.lstrip("\n").partition("\n")[0]
    return "\t" if path.suffix.lower() == ".tsv" else max(_DELIMITERS, key=first.count)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str] | csv.Error]]:
    """Each row that is not blank, or why there is none, with the line on which it begins."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error
        else:
            if any(cell.strip() for cell in cells):
                yield line, cells


def _columns(path: Path, header: Sequence[str] | csv.Error) -> list[str]:
    columns = [] if isinstance(header, csv.Error) else [name.strip().lower() for name in header]
    lacking = [name for name in _REQUIRED if name not in columns]
    twice = [name for name in (*_REQUIRED, *_OPTIONAL) if columns.count(name) > 1]
    if lacking or twice:
        what = f"lacks {', '.join(lacking)}" if lacking else f"has {twice[0]} twice"
        raise InvalidInput(
            f"{path}: its first row must name the columns {', '.join(_REQUIRED)} and may name "
            f"{', '.join(_OPTIONAL)}, and {what}; nothing was run"
        )
    return columns


def _named(columns: Sequence[str], cells: Sequence[str] | csv.Error) -> Mapping[str, str]:
    if isinstance(cells, csv.Error):
        raise ValueError(cells)
    if len(cells) != len(columns):
        raise ValueError(
            f"{len(cells)} cells where the first row has {len(columns)}: "
            'put text that holds a delimiter in "quotes"'
        )
    return dict(zip(columns, (cell.strip() for cell in cells), strict=True))


def _question(line: int, row: Mapping[str, str]) -> Question:
    answers, source, quote = _several(row["answer"]), row["source"], row.get("quote")
    if not row["question"]:
        raise ValueError("question is blank")
    if quote and not (source and answers):
        raise ValueError("a quote needs the answer that it proves, and its source")
    return Question(
        id=row.get("id") or f"line-{line}",
        question=row["question"],
        answers=answers,
        answerable=bool(answers),
        evidence=(Evidence(source, quote or None),) if source and answers else (),
        tags=_several(row.get("tags", "")),
    )


def _several(cell: str) -> tuple[str, ...]:
    parts = (part.strip() for part in _SEVERAL.split(cell))
    return tuple(dict.fromkeys(part for part in parts if part))
