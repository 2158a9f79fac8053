"""Why a question went wrong: one cause for each failure, by the stage that failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """The stage that failed."""

    NOT_INDEXED = "not_indexed"
    NOT_RETRIEVED = "not_retrieved"
    READ_WRONGLY = "read_wrongly"
    WRONGLY_REFUSED = "wrongly_refused"
    WRONGLY_ANSWERED = "wrongly_answered"
    WRONG_CITATION = "wrong_citation"


IN_WORDS = {
    Cause.NOT_INDEXED: "the file or the quote that proves the answer is not in the index",
    Cause.NOT_RETRIEVED: "it is in the index, but was not among the passages that were read",
    Cause.READ_WRONGLY: "it was read, and other words were taken for the answer",
    Cause.WRONGLY_REFUSED: "the right words were found, and held back for want of confidence",
    Cause.WRONGLY_ANSWERED: "the files don't answer it, and an answer was given",
    Cause.WRONG_CITATION: "the right words, cited from the wrong place",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of one question after it was asked.

    `indexed`: some evidence stands in the index; `read`: a passage that holds it was read. Both are
    true where the question set names no evidence. `right_words` and `right_place` are about the
    answer that was given; `would_be_right` about the one that was held back.
    """

    answerable: bool
    answered: bool
    indexed: bool
    read: bool
    right_words: bool
    right_place: bool
    would_be_right: bool

    @property
    def right(self) -> bool:
        if not self.answerable:
            return not self.answered
        return self.answered and self.right_words and self.right_place


def cause_of(outcome: Outcome) -> Cause | None:
    """The first stage that failed; None where the question went right.

    A right answer that was held back is no fault of the stages before.
    """
    if outcome.right:
        return None
    if not outcome.answerable:
        return Cause.WRONGLY_ANSWERED
    if outcome.answered and outcome.right_words:
        return Cause.WRONG_CITATION
    if not outcome.answered and outcome.would_be_right:
        return Cause.WRONGLY_REFUSED
    if not outcome.indexed:
        return Cause.NOT_INDEXED
    return Cause.READ_WRONGLY if outcome.read else Cause.NOT_RETRIEVED
