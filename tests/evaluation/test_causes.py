"""One cause for each failure, the first stage that failed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.evaluation.causes import IN_WORDS, Cause, Outcome, cause_of

_RIGHT = Outcome(
    answerable=True,
    answered=True,
    indexed=True,
    read=True,
    right_words=True,
    right_place=True,
    would_be_right=False,
)
_REFUSED = replace(_RIGHT, answered=False, right_words=False, right_place=False)


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (_RIGHT, None),
        (replace(_REFUSED, answerable=False), None),
        (replace(_RIGHT, answerable=False), Cause.WRONGLY_ANSWERED),
        (replace(_RIGHT, right_place=False), Cause.WRONG_CITATION),
        (replace(_RIGHT, right_words=False), Cause.READ_WRONGLY),
        (replace(_RIGHT, right_words=False, read=False), Cause.NOT_RETRIEVED),
        (replace(_RIGHT, right_words=False, read=False, indexed=False), Cause.NOT_INDEXED),
        # Another file may say it too: the answer is right, though the evidence was never seen.
        (replace(_RIGHT, read=False, indexed=False), None),
        (_REFUSED, Cause.READ_WRONGLY),
        (replace(_REFUSED, would_be_right=True), Cause.WRONGLY_REFUSED),
        (replace(_REFUSED, read=False), Cause.NOT_RETRIEVED),
        (replace(_REFUSED, read=False, indexed=False), Cause.NOT_INDEXED),
    ],
)
def test_cause(outcome: Outcome, cause: Cause | None) -> None:
    assert cause_of(outcome) is cause
    assert outcome.right is (cause is None)


def test_every_cause_is_explained() -> None:
    assert IN_WORDS.keys() == set(Cause)
