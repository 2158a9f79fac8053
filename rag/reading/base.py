"""The protocol that every reader keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rag.types import Candidate, Hit


class Reader(Protocol):
    """Finds the words that answer a question, or says that none do."""

    @property
    def name(self) -> str: ...

    def read(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """Candidates from all hits on one scale, best first; at most one for each sentence.

        A candidate's span lies in its sentence, its sentence in its passage, neither is blank.
        """
        ...

    def read_all(self, asked: Sequence[tuple[str, Sequence[Hit]]]) -> list[list[Candidate]]:
        """The candidates of several questions, each with its hits."""
        ...
