"""A reader without weights to load: the sentence that shares most with the question.

It stays as the baseline that a trained reader has to beat and as the light double in tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rag.analysis import terms
from rag.reading.answer_types import AnswerType, Wanted
from rag.reading.overlap import Overlap
from rag.text import grapheme_floor, sentences
from rag.types import Candidate, Hit, Passage, Span

_CANDIDATES = 10
_PRONOUN = re.compile(
    r"\b(?:it|its|he|his|him|she|her|they|their|them|this|these|those)\b", re.IGNORECASE
)
_QUESTION = re.compile(r"[?？؟]\W*$")
_REACH = 20  # characters at which the pull of a question word on a span is halved
_TAIL = 8  # characters at the end of a sentence that show whether it asks
_WORD = re.compile(r"[^\W_]+")


class Signals(NamedTuple):
    """What speaks for a sentence, each between 0 and 1."""

    covered: float  # of the question's weight, by the sentence
    before: float  # what the sentence before adds to that
    referred: float  # the same, where a pronoun refers back to it
    adjacent: float  # question neighbours that are neighbours here
    no_date: float  # a date is asked for, and there is none
    no_quantity: float
    no_name: float
    no_place: float
    unit: float  # a quantity in the unit asked for
    found: float  # the passage's score in retrieval
    question: float  # the sentence is itself a question


WEIGHTS = Signals(
    covered=7.0,
    before=1.3,
    referred=2.9,
    adjacent=1.3,
    no_date=-1.8,
    no_quantity=-2.8,
    no_name=-0.7,
    no_place=-1.0,
    unit=2.0,
    found=15.3,
    question=-2.0,
)
"""Log-odds against "no answer", up to a constant.

Fitted (softmax over a question's sentences and "no answer") on 5,000 SQuAD training questions, half
of them answerable, over 40 mixed articles with 20 retrieved passages each; only `question` is set
by hand, for questions hardly ever stand in those articles.
"""
THRESHOLD = 5.9
"""Below it the reader does not stand by a sentence.

Of 5,000 questions over the 36 calibration articles it then refuses 0.6 % of the answerable ones,
59 % of those about another article, 16 % of those whose paragraph was taken away, and 2 % of those
written to look answerable; the best sentence of the answerable ones holds the answer for 76 %.
"""
_MARGIN = 2.0  # log-odds: what is 7 times less likely than the best answer is no second answer


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence as it stands in the passage's text; `before` are the terms of the one before."""

    span: Span
    text: str
    words: tuple[str, ...]
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A sentence with what speaks for it, and the words in it that may be the answer."""

    hit: Hit
    sentence: _Sentence
    options: tuple[Span, ...]
    signals: Signals

    @property
    def score(self) -> float:
        return sum(weight * signal for weight, signal in zip(WEIGHTS, self.signals, strict=True))


class SentenceReader:
    """The `Reader` that ranks sentences by shared words and picks words of the kind asked for.

    Deterministic. Scores are not calibrated: `confidence` is None.
    """

    name = "sentence"

    def read(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """At most ten candidates; none where no sentence shares a word with the question."""
        wanted = Wanted.of(question)
        drafts = [list(_sentences(hit.passage)) for hit in hits]
        bags = [_bag(hit, draft) for hit, draft in zip(hits, drafts, strict=True)]
        overlap = Overlap.of(question, bags)
        if not overlap.weights:
            return []
        found = [
            read
            for hit, draft in zip(hits, drafts, strict=True)
            for read in _weigh(overlap, wanted, hit, draft)
        ]
        found.sort(key=lambda read: -read.score)
        least = max(THRESHOLD, found[0].score - _MARGIN) if found else THRESHOLD
        return [_candidate(overlap, read, least) for read in found[:_CANDIDATES]]

    def read_all(self, asked: Sequence[tuple[str, Sequence[Hit]]]) -> list[list[Candidate]]:
        """The same for several questions."""
        return [self.read(question, hits) for question, hits in asked]


def _sentences(passage: Passage) -> Iterator[_Sentence]:
    for paragraph in passage.paragraphs:
        before: tuple[str, ...] = ()
        for span in sentences(passage.text, paragraph.shifted(-passage.span.start)):
            text = span.of(passage.text)
            words = tuple(terms(text))
            yield _Sentence(span, text, words, before)
            before = words


def _bag(hit: Hit, draft: Sequence[_Sentence]) -> frozenset[str]:
    around = terms(" ".join((hit.origin.title, *hit.passage.heading)))
    return frozenset(around).union(*(sentence.words for sentence in draft))


def _weigh(
    overlap: Overlap,
    wanted: Wanted,
    hit: Hit,
    draft: Sequence[_Sentence],
) -> Iterator[_Read]:
    """The sentences of a hit that share a word with the question."""
    for sentence in draft:
        matched = overlap.matched(sentence.words)
        if not matched:
            continue
        options = tuple(
            option
            for option in wanted.spans(sentence.text)
            if not overlap.weights.keys() >= set(terms(option.of(sentence.text)))
        )
        covered = overlap.coverage(matched)
        added = overlap.coverage({**overlap.matched(sentence.before), **matched}) - covered
        refers = bool(_PRONOUN.search(sentence.text))
        signals = Signals(
            covered=covered,
            before=0.0 if refers else added,
            referred=added if refers else 0.0,
            adjacent=overlap.adjacency(sentence.words),
            no_date=float(wanted.kind is AnswerType.DATE and not options),
            no_quantity=float(wanted.kind is AnswerType.QUANTITY and not options),
            no_name=float(wanted.kind in (AnswerType.PERSON, AnswerType.PLACE) and not options),
            no_place=float(wanted.kind is AnswerType.WHEREABOUTS and not options),
            unit=float(any(wanted.in_unit(sentence.text, option) for option in options)),
            question=float(bool(_QUESTION.search(sentence.text[-_TAIL:]))),
            found=hit.score,
        )
        yield _Read(hit, sentence, options, signals)


def _candidate(overlap: Overlap, read: _Read, least: float) -> Candidate:
    start = read.hit.passage.span.start
    return Candidate(
        hit=read.hit,
        span=_best_span(overlap, read).shifted(start),
        sentence=read.sentence.span.shifted(start),
        score=read.score,
        supported=read.score >= least,
        span_score=read.score,
        null_score=least,
    )


def _best_span(overlap: Overlap, read: _Read) -> Span:
    """The option nearest to the question's words; the whole sentence where there is none."""
    text = read.sentence.text
    pulls = [
        (word.start(), overlap.coverage(matched))
        for word in _WORD.finditer(text)
        if (matched := overlap.matched(terms(word.group())))
    ]

    def pull(option: Span) -> float:
        return sum(weight / (1 + _distance(option, at) / _REACH) for at, weight in pulls)

    options = [option for option in read.options if _stands_apart(text, option)]
    if not options:
        return read.sentence.span
    return max(options, key=pull).shifted(read.sentence.span.start)


def _distance(span: Span, at: int) -> int:
    return max(span.start - at, at - span.end, 0)


def _stands_apart(text: str, span: Span) -> bool:
    """Whether neither end of the span lies inside a word or a grapheme cluster."""
    return all(
        grapheme_floor(text, at) == at and not text[max(0, at - 1) : at + 1].isalnum()
        for at in (span.start, span.end)
        if 0 < at < len(text)
    )
