"""Follow-up questions, completed from the conversation by rules, without a language model.

"And in Kharkiv?" after "What was the temperature in Kyiv?" is searched for as "What was the
temperature in Kharkiv?". The rules know English, and leave alone what they are not sure of.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.rewriting.asking import asked_anew
from rag.rewriting.fragments import substituted
from rag.rewriting.phrases import Sentence, tokens_of
from rag.rewriting.reference import resolved
from rag.rewriting.words import INTERJECTIONS
from rag.settings import LONGEST_QUESTION
from rag.types import Turn

_LONGEST = 300  # characters; who writes more says all


def rewrite(history: Sequence[Turn], question: str) -> str | None:
    """The question in full, where it leans on the history, oldest first; None where it stands
    alone. The history may hold follow-ups as they were asked.
    """
    before: Turn | None = None
    for turn in history:
        if _speaks_of_something(turn.question):
            whole = _completed(before, turn.question) or turn.question
            before = Turn(whole, turn.answer)
    return _completed(before, question)


def _speaks_of_something(question: str) -> bool:
    words = [token.lower for token in tokens_of(question)]
    return bool(words) and not (words[0] in INTERJECTIONS and "?" not in question)


def _completed(before: Turn | None, question: str) -> str | None:
    """The question in full, given what was asked before, in full, and its answer."""
    if before is None or max(len(before.question), len(question)) > _LONGEST:
        return None
    earlier, asked = Sentence(before.question), " ".join(question.split())
    if not earlier.tokens or not tokens_of(asked):
        return None
    whole = (
        asked_anew(earlier, before.answer, asked)
        or substituted(earlier, asked)
        or resolved(earlier, before.answer, asked)
    )
    return whole if whole and whole != asked and len(whole) <= LONGEST_QUESTION else None
