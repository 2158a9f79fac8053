"""Many questions to rows: in their order, on all cores, and on again where a run was stopped."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from embeddings.runtime import cores
from rag.evaluation.journal import Journal
from rag.evaluation.rows import Row

TIMED = 200
"""Questions that are asked one at a time, so that their times are those of one user."""

_TOGETHER = 8  # questions that are read in common batches: 5 % is padded then, 16 % alone
_AT_ONCE = cores() + 1  # while one group is between two steps, the others use all cores


class Identified(Protocol):
    """Anything with an id: a question."""

    @property
    def id(self) -> str: ...


Q = TypeVar("Q", bound=Identified)


def all_rows(
    questions: Sequence[Q],
    ask: Callable[[Sequence[Q], bool], list[Row]],
    journal: Journal | None,
    asked: Callable[[], object],
) -> Iterator[Row]:
    """The rows of all questions; `asked` is called after each. `ask` is told whether it is timed:
    the first questions are asked one at a time, the rest in groups, several at a time.

    Rows that the journal holds are not asked for again; when all are there it is discarded.
    """
    done = journal.done if journal else {}
    fresh = _fresh([question for question in questions if question.id not in done], ask)
    try:
        for question in questions:
            row = done.get(question.id)
            if row is None:
                row = next(fresh)
                if journal:
                    journal.add(row)
            asked()
            yield row
    except BaseException:
        if journal:
            journal.close()
        raise
    finally:
        fresh.close()
    if journal:
        journal.discard()


def _fresh(questions: Sequence[Q], ask: Callable[[Sequence[Q], bool], list[Row]]) -> Generator[Row]:
    for question in questions[:TIMED]:
        yield from ask([question], True)
    rest = questions[TIMED:]
    groups = [rest[first : first + _TOGETHER] for first in range(0, len(rest), _TOGETHER)]
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="evaluate")
    try:
        for rows in pool.map(lambda group: ask(group, False), groups):
            yield from rows
    finally:  # also where the run is stopped: what nobody has begun is not asked
        pool.shutdown(cancel_futures=True)
