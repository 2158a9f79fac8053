"""A question's words, and the noun phrases in it that a follow-up can speak of or replace."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rag.rewriting import words as w

_TOKEN = re.compile(r"\w+(?:['’.,:/-]\w+)*['’]?")
_WHAT_IS = re.compile(r"(?:what|who|when|where|how)['’]s")
_ACRONYMS = frozenset(("IT", "US", "WHO"))


@dataclass(frozen=True, slots=True)
class Token:
    """A word and where it stands."""

    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        """In lower case, but for names that are then function words."""
        return self.text if self.text in _ACRONYMS else self.text.lower()

    @property
    def is_name(self) -> bool:
        """Whether it is written as a name is; the first word of a sentence always is."""
        return self.text[0].isupper() and self.lower not in _FUNCTION_WORDS


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase: its tokens, the `lead` of prepositions before it, and whether it is `asked`
    for, as "days" in "How many days".
    """

    tokens: tuple[Token, ...]
    lead: tuple[Token, ...] = ()
    asked: bool = False

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end

    @property
    def lead_start(self) -> int:
        return self.lead[0].start if self.lead else self.start

    @property
    def preposition(self) -> str:
        """The words of the lead, such as "according to"; empty where there is none."""
        return " ".join(token.lower for token in self.lead)

    @property
    def head(self) -> str:
        return self.tokens[-1].lower

    @property
    def determiner(self) -> str:
        """What it begins with, as far as that tells nouns apart."""
        first = self.tokens[0].lower
        return first if first in w.DETERMINERS else ""

    @property
    def bare(self) -> tuple[Token, ...]:
        """The tokens without the determiner."""
        return self.tokens[1:] if self.determiner else self.tokens

    @property
    def is_name(self) -> bool:
        return bool(self.bare) and self.bare[0].is_name

    @property
    def is_time(self) -> bool:
        return any(w.TIME.fullmatch(token.text) for token in self.tokens)

    @property
    def is_person(self) -> bool:
        return self.head in w.PEOPLE

    @property
    def is_plural(self) -> bool:
        return w.is_plural(self.head)


_BREAKS = (
    w.QUESTION_WORDS | w.AUXILIARIES | w.PRONOUNS | w.PREPOSITIONS | w.CONJUNCTIONS | w.ADVERBS
)
_FUNCTION_WORDS = _BREAKS | w.DETERMINERS


def tokens_of(text: str) -> tuple[Token, ...]:
    """The words of a text in their order."""
    return tuple(Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text))


class Sentence:
    """A question taken apart."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.tokens = tokens_of(self.text)

    @cached_property
    def question_word(self) -> int | None:
        """The number of the token that asks, where it stands at the beginning: "By how much"."""
        for number, token in enumerate(self.tokens[:3]):
            if token.lower in w.QUESTION_WORDS:
                return number
            if token.lower not in w.PREPOSITIONS and token.lower not in w.CONJUNCTIONS:
                break
        return None

    @property
    def is_yes_no(self) -> bool:
        return bool(self.tokens) and self.tokens[0].lower in w.AUXILIARIES

    @cached_property
    def auxiliary(self) -> int | None:
        """The number of the first auxiliary."""
        numbers = (n for n, token in enumerate(self.tokens) if token.lower in w.AUXILIARIES)
        return next(numbers, None)

    @cached_property
    def phrases(self) -> tuple[Phrase, ...]:
        """The noun phrases in their order."""
        return tuple(self._phrases())

    def word_before(self, start: int) -> str:
        """The lower-case word before an offset, empty where there is none."""
        return next((t.lower for t in reversed(self.tokens) if t.end <= start), "")

    def word_after(self, end: int) -> str:
        """The lower-case word after an offset, empty where there is none."""
        return next((t.lower for t in self.tokens if t.start >= end), "")

    def _phrases(self) -> Iterator[Phrase]:
        for first, last in self._runs():
            lead = self._lead(first)
            asking = self._asking(first)
            for part in self._parted(first, last, lead=bool(lead), asking=asking):
                yield Phrase(part, lead if part[0] is self.tokens[first] else (), asking)

    def _runs(self) -> Iterator[tuple[int, int]]:
        """Where words stand together that are no function words, a determiner first if any."""
        first: int | None = None
        for number, token in enumerate((*self.tokens, Token("and", len(self.text), -1))):
            breaks = self._breaks(number, token)
            if first is not None and (breaks or token.lower in w.DETERMINERS):
                yield first, number
                first = None
            if first is None and not breaks:
                first = number

    def _breaks(self, number: int, token: Token) -> bool:
        if token.lower == "her":  # "tell her about" and "her extension"
            after = self.tokens[number + 1 : number + 2]
            return not after or after[0].lower in _FUNCTION_WORDS
        if _WHAT_IS.fullmatch(token.lower):
            return True
        month = token.lower == "may" and token.text == "May" and number > 0
        return token.lower in _BREAKS and not month

    def _lead(self, first: int) -> tuple[Token, ...]:
        start = first
        while start and self.tokens[start - 1].lower in w.PREPOSITIONS:
            start -= 1
        return self.tokens[start:first]

    def _asking(self, first: int) -> bool:
        """Whether the run belongs to the question word: "which ship", "how many days"."""
        before = [token.lower for token in self.tokens[max(0, first - 2) : first]]
        return before[-1:] in (["which"], ["whose"], ["what"]) or self.tokens[first].lower in {
            "many",
            "much",
            "few",
        }

    def _parted(
        self, first: int, last: int, *, lead: bool, asking: bool
    ) -> Iterator[tuple[Token, ...]]:
        """The nouns of a run, without the verbs in it."""
        run = list(self.tokens[first:last])
        before = self.tokens[first - 1].lower if first else ""
        after = self.tokens[last].lower if last < len(self.tokens) else ""
        if before == "how":  # "how long", "how many days"
            run = run[1:] if run[0].lower in {"many", "much", "few"} else []
        elif (
            before in w.SUBJECTS
            or (before == "to" and run[0].lower == run[0].text)
            or (before in {"who", "what"} and after not in w.AUXILIARIES)
        ):
            run = run[1:] if run[0].lower not in w.DETERMINERS else run
        elif before in w.DO and after not in w.BE and not lead:
            if first > 1 and self.tokens[first - 2].lower == "who":  # "who may approve a claim"
                run = run[1:]
            yield from self._subject_and_object(run)
            return
        run = _without_verb(run, asked=asking, cut=1)
        if run and not (len(run) == 1 and run[0].lower in w.DETERMINERS):
            yield tuple(run)

    def _subject_and_object(self, run: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
        skip = 1 + (bool(run) and run[0].lower in w.DETERMINERS)
        verb = next(
            (n for n, token in enumerate(run) if n >= skip and w.is_verb(token.lower)), len(run)
        )
        for part in (run[:verb], run[verb + 1 :]):
            if part and not (len(part) == 1 and part[0].lower in w.DETERMINERS):
                yield tuple(part)


def _without_verb(run: list[Token], *, asked: bool, cut: int) -> list[Token]:
    """The run without what is said of it at its end: "payroll records kept"."""
    least = cut + (bool(run) and run[0].lower in w.DETERMINERS)
    while len(run) > least and not run[-1].is_name and _says(run, asked=asked):
        run = run[:-1]
    return run


def _says(run: Sequence[Token], *, asked: bool) -> bool:
    last = run[-1].lower
    if last.removesuffix("s") in w.NOUNS_TOO:
        return False
    return w.ends_clause(last) or (asked and last.endswith("ly"))
