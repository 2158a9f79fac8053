"""How much of a question's subject matter a stretch of text shares."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from rag.analysis import terms
from rag.reading.answer_types import FUNCTION_WORDS

_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)*")
# "How many people" asks as "who" does: a text says "300,000 have left" and means people.
_PEOPLE = re.compile(r"(?<=how many )people\b|(?<=which )(?:people|persons?)\b", re.IGNORECASE)
_RELATED_PREFIX = 0.7  # of the longer term: "zelensky" and "zelenskiy"
_SHORTEST_PREFIX = 4
_RELATED_CREDIT = 0.5
_NEAR = 2  # places apart, for two neighbours in the question

Matched = Mapping[str, float]
"""For each question term found, its credit: 1, or less for a related term."""


def question_terms(question: str) -> tuple[str, ...]:
    """The question's terms in order, once each, without the words that only ask."""
    told = _PEOPLE.sub("", question)
    words = (word for word in _WORD.findall(told) if word.lower() not in FUNCTION_WORDS)
    return tuple(dict.fromkeys(term for word in words for term in terms(word)))


@dataclass(frozen=True)
class Overlap:
    """A question's terms, weighed by how few of the passages at hand hold them.

    `weights` is inverse document frequency as in BM25 (Robertson and Zaragoza, 2009), counted
    over the hits of this question; `credits` says for a term of the passages which question
    terms it stands for.
    """

    weights: Mapping[str, float]
    credits: Mapping[str, Matched]

    @classmethod
    def of(cls, question: str, passages: Sequence[Set[str]]) -> Overlap:
        """`passages` are the terms of each passage, with its headings and title."""
        holding = Counter(term for passage in passages for term in passage)
        alike: dict[str, list[str]] = {}
        for term in holding:
            alike.setdefault(term[:_SHORTEST_PREFIX], []).append(term)
        weights: dict[str, float] = {}
        credits_: dict[str, dict[str, float]] = {}
        for term in question_terms(question):
            count = holding[term]
            weights[term] = math.log(1 + (len(passages) + 0.5) / (count + 0.5))
            for related in alike.get(term[:_SHORTEST_PREFIX], ()):
                if related != term and _related(related, term):
                    credits_.setdefault(related, {})[term] = _RELATED_CREDIT
        for term in weights:
            credits_.setdefault(term, {})[term] = 1.0
        return cls(weights, credits_)

    @cached_property
    def total(self) -> float:
        return sum(self.weights.values())

    def matched(self, words: Iterable[str]) -> Matched:
        """The question terms that these terms stand for."""
        found: dict[str, float] = {}
        for word in words:
            for term, credit in self.credits.get(word, {}).items():
                found[term] = max(credit, found.get(term, 0.0))
        return found

    def coverage(self, matched: Matched) -> float:
        """The share of the question's weight that was matched, 0 to 1."""
        return sum(self.weights[term] * credit for term, credit in matched.items()) / self.total

    def adjacency(self, words: Sequence[str]) -> float:
        """The share of the question's neighbouring terms that are neighbours here too."""
        places: dict[str, int] = {}
        for place, word in enumerate(words):
            for term in self.credits.get(word, {}):
                places.setdefault(term, place)
        pairs = list(pairwise(self.weights))
        near = sum(
            left in places and right in places and abs(places[left] - places[right]) <= _NEAR
            for left, right in pairs
        )
        return near / max(1, len(pairs))


def _related(one: str, other: str) -> bool:
    needed = max(_SHORTEST_PREFIX, math.ceil(_RELATED_PREFIX * max(len(one), len(other))))
    return one[:needed] == other[:needed] and min(len(one), len(other)) >= needed
