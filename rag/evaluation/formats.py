"""Any question set that can be read, by what its path is."""

from __future__ import annotations

from pathlib import Path

from rag.errors import InvalidInput
from rag.evaluation.json_lines import read_json_lines
from rag.evaluation.judged import is_beir, read_beir, read_trec
from rag.evaluation.questions import QuestionSet
from rag.evaluation.squad_sets import read_squad_set
from rag.evaluation.tables import read_table

_READERS = {
    ".jsonl": read_json_lines,
    ".csv": read_table,
    ".tsv": read_table,
    ".json": read_squad_set,
    ".json.gz": read_squad_set,
}
_ACCEPTED = (
    "a question set is JSON lines (.jsonl), a table (.csv, .tsv), SQuAD (.json, .json.gz), "
    "a folder in BEIR's layout (corpus.jsonl, queries.jsonl, qrels/), or queries with --qrels"
)


def read_question_set(
    path: Path, *, qrels: Path | None = None, partial: bool = False
) -> QuestionSet:
    """Reads JSON lines, a table, SQuAD, a BEIR folder, or queries that `qrels` judge.

    Raises `InvalidInput` where it is none of these or anything is wrong with it; a `partial` set
    is what is right, and `left_out` says what is not.
    """
    try:
        is_folder = path.is_dir()
        if not is_folder and not path.exists():
            raise InvalidInput(f"there is no {path}: check the path; {_ACCEPTED}")
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error}") from error
    if is_folder and is_beir(path):
        return read_beir(path, qrels=qrels, partial=partial)
    if not is_folder and qrels:
        return read_trec(path, qrels, partial=partial)
    for ending, read in _READERS.items():
        if not is_folder and path.name.lower().endswith(ending):
            return read(path, partial=partial)
    what = "a folder in another layout" if is_folder else "of another kind"
    raise InvalidInput(f"{path} is {what}: {_ACCEPTED}")
