"""What kind of words answer a question, and where such words stand in a sentence: rules only.

The question classes are the coarse ones of Li and Roth, "Learning Question Classifiers" (2002),
told apart by the question word and the noun behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from rag.types import Span


class AnswerType(StrEnum):
    """What a question asks for. `CLAUSE` stands for whatever takes a sentence to say."""

    PERSON = "person"
    PLACE = "place"
    WHEREABOUTS = "whereabouts"
    DATE = "date"
    QUANTITY = "quantity"
    NAME = "name"
    CLAUSE = "clause"


_ASKS = (
    (
        AnswerType.DATE,
        r"\bwhen\b|\b(?:what|which)\s+(?:\w+\s+)?(?:year|date|day|month|century|decade|time)s?\b"
        r"|\b(?:what|which)\b.{1,40}\bdate of\b",
    ),
    (
        AnswerType.QUANTITY,
        r"\bhow\s+(?:many|much|long|far|old|often|large|big|tall|high|fast|deep|wide|heavy|few)\b"
        r"|\bwhat\s+(?:\w+\s+){0,3}(?:share|percent|percentage|proportion|fraction|number|population"
        r"|price|age|distance|height|temperature)\b",
    ),
    (AnswerType.PERSON, r"\bwho(?:m|se)?\b|\b(?:what|which)\s+(?:person|man|woman|people)\b"),
    (
        AnswerType.PLACE,
        r"\b(?:what|which)\s+(?:\w+\s+){0,2}(?:city|country|state|town|village|continent"
        r"|region|province|county|river|sea|ocean|island|capital|place|location)\b",
    ),
    (AnswerType.WHEREABOUTS, r"\bwhere\b"),
    (
        AnswerType.NAME,
        r"\bwhich\b|\bwhat\s+(?!is|are|was|were|did|do|does|can|could|has|have|had|will|would|might"
        r"|may|should|must)\w|\bwhat\s+(?:is|was)\s+(?:the\s+)?(?:\w+\s+)?(?:name|title)\b",
    ),
)
_QUESTION_TYPES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ASKS)

_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?\b"
_YEAR = r"(?:1\d|20)\d\d\b(?![.,]\d|\s?%)"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_CALENDAR = re.compile(rf"{_MONTH}|{_WEEKDAY}")
_DATE = re.compile(
    rf"(?<![\w.,])(?:(?:{_WEEKDAY},?\s+)?(?:{_DAY}\s+{_MONTH}|{_MONTH}\s+{_DAY})(?:,?\s+{_YEAR})?"
    rf"|(?:{_MONTH}|(?:the\s+)?(?:spring|summer|autumn|fall|winter|end|beginning)\s+of),?\s+{_YEAR}"
    rf"|{_WEEKDAY}(?:\s+{_DAY})?"
    r"|\d{1,4}\s?(?:BCE?|CE|AD)\b|AD\s\d{1,4}\b"
    r"|(?:the\s+)?(?:early |mid-?|late )?(?:\d{1,2}|[a-z]+)(?:st|nd|rd|th)[ -]century\b"
    rf"|(?:the\s+)?(?:early |mid-?|late )?(?:1\d|20)\d0s\b|{_YEAR}(?:[–-](?:\d\d){{1,2}}\b)?"
    r"|\d{1,2}(?::\d\d)?\s?[ap]\.?m\b\.?|\d{1,2}:\d\d\b"
    rf"|(?:last|this|next|early|late|mid-?)\s?(?:year|month|week|{_MONTH}|{_WEEKDAY})|yesterday)"
)
_NUMBER_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven"
    r"|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion"
    r"|trillion|dozen|half|(?:two-)?thirds?|quarter)s?"
)
_UNIT = (
    r"(?:%|percent|per cent|°\s?[CF]|degrees|(?:kilo|centi|milli)?met(?:er|re)s?|miles?|feet|foot"
    r"|inch(?:es)?|km²?|m²|cm|mm|kg|kilograms?|grams?|tons?|tonnes?|pounds?|lit(?:er|re)s?|gallons?"
    r"|acres?|hectares?|square\s\w+|dollars|euros|cents|seconds?|minutes?|hours?|days?|weeks?"
    r"|months?|years?|decades?|centuries|times|[kMG]?(?:Hz|W|B|bit/s))(?!\w)"
)
_QUANTITY = re.compile(
    r"(?<![\w.,:\[])(?:(?:more|less|fewer) than |at least |at most |up to |about |around |over "
    r"|nearly |almost |approximately |some )?"
    rf"(?:[$€£¥]\s?|US\$\s?)?(?:\d+(?:[.,]\d+)*|{_NUMBER_WORD}\b)"
    rf"(?:[\s-]{_NUMBER_WORD}\b){{0,3}}(?:[\s-]?(?P<unit>{_UNIT}))?(?![\w\]]|:\d)",
    re.IGNORECASE,
)
_LENGTH = r"(?:met(?:er|re)s?|miles?|km|kilomet\w+|feet|foot|inch(?:es)?|cm|mm)\b"
_TIME = r"(?:second|minute|hour|day|week|month|year|decade)s?\b|centur"
_UNITS = tuple(
    (re.compile(asks, re.IGNORECASE), re.compile(unit, re.IGNORECASE))
    for asks, unit in (
        (r"\bhow far\b", rf"{_LENGTH}\s(?:\w+\s)?(?:from|away|off|apart|north|south|east|west|of)"),
        (r"\bhow (?:tall|high|deep|wide)\b|\b(?:height|distance)\b", _LENGTH),
        (r"\bhow long\b", rf"{_LENGTH}|{_TIME}"),
        (r"\bhow old\b|\bage\b", _TIME),
        (r"\bpercent|\bshare\b|\bproportion\b|\bfraction\b", r"%|per ?cent|half|third|quarter"),
    )
)
_BEYOND = 12  # characters behind a quantity in which its unit may still come
_NO_QUANTITY = re.compile(r"one|(?:19|20)\d\d", re.IGNORECASE)  # a pronoun, a year
_LOCATED = re.compile(
    r"\b(?:in|at|near|from|to|on|into|onto|across|along|outside|inside|around|towards?|through)"
    r"\s(?:the\s)?$",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\w+(?:[.’'&-]\w+)*")
_POSSESSIVE = re.compile(r"[’']s?$")
_LONGEST_INITIAL = 3  # "J." and "Gen.": a full stop after one of these does not end a name
_INSIDE_NAMES = frozenset(["of", "de", "la", "le", "du", "van", "von", "der", "den", "al", "bin"])
_QUOTED = re.compile(r"[“\"«]\s?([^“”\"«»]{1,60}?)\s?[”\"»]")

FUNCTION_WORDS = frozenset(
    " ".join(
        [
            "a about after all also although am an and any are as at be because been before being",
            "both but by can could did do does during each either for from had has have he her",
            "here him his how however i if in into is it its itself many may me might more most",
            "much my no nor not of on once one only or other our out over own same shall she",
            "should since so some such than that the their them then there these they this those",
            "through to under until up us very was we were what when where whether which while who",
            "whom whose why will with within without would yet you your",
        ]
    ).split()
)
"""Words that carry no subject matter, neither in a question nor as the first word of a name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kind of words a question asks for and, for some quantities, in which unit.

    `counted` are the words of a question that begins with "how many".
    """

    kind: AnswerType
    unit: re.Pattern[str] | None = None
    counted: frozenset[str] | None = None

    @classmethod
    def of(cls, question: str) -> Wanted:
        """Judged by the first question word; the longer description wins a tie."""
        asked = [
            (found.start(), order, kind)
            for order, (kind, pattern) in enumerate(_QUESTION_TYPES)
            if (found := pattern.search(question))
        ]
        kind = min(asked)[2] if asked else AnswerType.CLAUSE
        if kind is not AnswerType.QUANTITY:
            return cls(kind)
        unit = next((unit for asks, unit in _UNITS if asks.search(question)), None)
        words = frozenset(question.lower().split())
        return cls(kind, unit, words if "many" in words else None)

    def spans(self, sentence: str) -> list[Span]:
        """Where such words stand in the sentence, in its own offsets; none for a clause."""
        if self.kind is AnswerType.DATE:
            return [Span(*found.span()) for found in _DATE.finditer(sentence)]
        if self.kind is AnswerType.QUANTITY:
            return self._quantities(sentence)
        if self.kind in (AnswerType.PERSON, AnswerType.PLACE):
            return _names(sentence)
        if self.kind is AnswerType.WHEREABOUTS:
            return [
                name
                for name in _names(sentence)
                if _LOCATED.search(sentence[max(0, name.start - 16) : name.start])
            ]
        if self.kind is AnswerType.NAME:
            quoted = [Span(*found.span(1)) for found in _QUOTED.finditer(sentence)]
            return [*_names(sentence), *quoted]
        return []

    def in_unit(self, sentence: str, span: Span) -> bool:
        """Whether a quantity is given in the unit asked for."""
        return bool(self.unit and self.unit.search(sentence, span.start, span.end + _BEYOND))

    def _quantities(self, sentence: str) -> list[Span]:
        found = [
            Span(*number.span())
            for number in _QUANTITY.finditer(sentence)
            if not _NO_QUANTITY.fullmatch(number.group()) and self._counts(number["unit"])
        ]
        return [span for span in found if self.in_unit(sentence, span)] or found

    def _counts(self, unit: str | None) -> bool:
        """Whether a number in that unit can answer: miles don't say how many people."""
        return unit is None or self.counted is None or unit.lower() in self.counted


def _names(sentence: str) -> list[Span]:
    """Runs of capitalised words; little words such as "of" may stand between them."""
    runs: list[Span] = []
    reach = -1  # how far the run goes on, little words included
    for token in _TOKEN.finditer(sentence):
        word, gap = token.group(), sentence[max(reach, 0) : token.start()]
        initial = gap.strip() == "." and bool(runs) and _ends_in_initial(sentence, runs[-1])
        adjoins = reach >= 0 and (gap.isspace() or initial)
        if word[0].isupper() and word.lower() not in FUNCTION_WORDS:
            start = runs.pop().start if adjoins else token.start()
            runs.append(Span(start, token.end()))
            reach = token.end()
        elif adjoins and word in _INSIDE_NAMES:
            reach = token.end()
        else:
            reach = -1
    names = [_without_possessive(sentence, run) for run in runs]
    return [name for name in names if not _CALENDAR.fullmatch(name.of(sentence))]


def _ends_in_initial(sentence: str, run: Span) -> bool:
    return len(run.of(sentence).rsplit(maxsplit=1)[-1]) <= _LONGEST_INITIAL


def _without_possessive(sentence: str, run: Span) -> Span:
    return Span(run.start, run.start + len(_POSSESSIVE.sub("", run.of(sentence))))
