"""Follow-ups that are no sentence: what they put in place of a part of the question before."""

from __future__ import annotations

import re

from rag.rewriting import words as w
from rag.rewriting.phrases import Phrase, Sentence

_LEAD = re.compile(
    r"(?P<and>(?:(?:and|but|or|so|ok|okay|now|then|also|yes)\b[\s,]*)*)"
    r"(?P<about>(?:what|how) about\b\s*|what of\b\s*)?",
    re.IGNORECASE,
)
_SAME = re.compile(
    r"(?:is|are|was|were|does|do|did|would|will) (?:it|that|this|they|these|the same) "
    r"(?:also )?(?:the same|different|true|the case|apply|hold|go|valid)(?: also| too)? "
    r"(?P<what>(?:to|for|in|at|on|with|during|after|before|under|from) .+)",
    re.IGNORECASE,
)
_IDIOM = re.compile(
    r"(?:for (?:example|instance|sure|real)|of course|in (?:general|detail|short|total|fact|other)"
    r"|at all|by the way|on the contrary|to be)\b.*",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:if|unless|while)\b .+", re.IGNORECASE)
_LONGEST = 8  # words
_AGREEING = (("is", "are"), ("was", "were"), ("does", "do"), ("has", "have"))


def without_lead(question: str) -> tuple[str, bool]:
    """The question without "And" or "What about" before it, and whether there was any."""
    lead = _LEAD.match(question)
    end = lead.end() if lead else 0
    return question[end:].rstrip(" ?!.,"), bool(end)


def substituted(before: Sentence, question: str) -> str | None:
    """The question `before` with the fragment in its place; None where it is no fragment."""
    rest, led = without_lead(question)
    same = _SAME.fullmatch(rest)
    if same:
        rest, led = re.sub(r"^to\b", "for", same["what"], flags=re.IGNORECASE), True
    if led and _CONDITION.fullmatch(rest):
        return _conditioned(before, rest)
    fragment = _fragment(rest)
    if fragment is None or not _asks(before):
        return None
    if fragment.lead:
        return _in_place(before, fragment, rest, alike=bool(same))
    if not led and not (question.endswith("?") and _obvious(before, fragment)):
        return None
    if not led and not _names(before):  # a capital that begins a sentence
        rest = _lowered(rest)
    return _named(before, fragment, rest)


def _asks(before: Sentence) -> bool:
    return before.question_word is not None or before.is_yes_no


def _fragment(rest: str) -> Phrase | None:
    """The noun phrase that the words are, with the prepositions before it."""
    tokens = Sentence(rest).tokens
    if not 0 < len(tokens) <= _LONGEST or _IDIOM.fullmatch(rest) or not rest.isprintable():
        return None
    lead = 0
    while lead < len(tokens) and tokens[lead].lower in w.PREPOSITIONS:
        lead += 1
    core = tokens[lead:]
    if not core or tokens[0].lower in w.INTERJECTIONS | w.REQUESTS | w.QUESTION_WORDS:
        return None
    if any(token.lower in _NO_FRAGMENT for token in core):
        return None
    if all(token.lower in w.DETERMINERS | w.ADVERBS for token in core):
        return None
    return Phrase(core, tokens[:lead])


_NO_FRAGMENT = w.AUXILIARIES | w.PRONOUNS | w.QUESTION_WORDS | {"if"} - {"here"}


def _obvious(before: Sentence, fragment: Phrase) -> bool:
    """Whether a fragment that nothing leads in is of a kind with something in the question."""
    return any(
        _same_head(fragment, phrase) or (fragment.is_time and phrase.is_time)
        for phrase in before.phrases
    ) or (fragment.is_name and len(fragment.tokens) == 1 and _names(before) == 1)


def _names(sentence: Sentence) -> int:
    return sum(phrase.is_name for phrase in sentence.phrases)


def _conditioned(before: Sentence, condition: str) -> str | None:
    """The question under another condition: "And if it is late?"."""
    if not _asks(before):
        return None
    kept = _CONDITION.search(before.text, 1)
    return _ended(before.text[: kept.start()] if kept else _open(before), condition)


def _in_place(before: Sentence, fragment: Phrase, rest: str, *, alike: bool) -> str:
    """A fragment with a preposition, in place of the phrase with the same one, which must be
    `alike` where it is said that the same holds; else at the end.
    """
    place = _place(before, fragment)
    if place is not None and alike and not _is_alike(fragment, place):
        place = None
    if place is None:
        others = [p for p in before.phrases if not p.lead and _is_alike(fragment, p)]
        if others:
            return _replaced(before, others[-1], rest[fragment.start :])
        return _ended(_open(before), _lowered(rest))
    return f"{before.text[: place.lead_start]}{_lowered(rest)}{before.text[place.end :]}"


def _place(before: Sentence, fragment: Phrase) -> Phrase | None:
    led = [phrase for phrase in before.phrases if phrase.lead and not phrase.asked]
    if fragment.is_time:
        return next((phrase for phrase in reversed(led) if phrase.is_time), None)
    led = [phrase for phrase in led if not phrase.is_time]
    same = [p for p in led if p.preposition == fragment.preposition]
    if not same and fragment.preposition in w.PLACE_PREPOSITIONS:
        same = [p for p in led if p.preposition in w.PLACE_PREPOSITIONS]
    return max(same, key=lambda p: (_is_alike(fragment, p), p.start), default=None)


def _is_alike(fragment: Phrase, phrase: Phrase) -> bool:
    """Whether two phrases are of a kind, as far as their words tell."""
    return (
        _same_head(fragment, phrase)
        or (fragment.is_name and phrase.is_name)
        or (fragment.is_person and phrase.is_person)
    )


def _same_head(one: Phrase, other: Phrase) -> bool:
    return one.head.removesuffix("s") == other.head.removesuffix("s")


def _named(before: Sentence, fragment: Phrase, rest: str) -> str:
    """A bare noun phrase, in place of the one that is most like it."""
    if fragment.is_time:
        moments = [phrase for phrase in before.phrases if phrase.is_time]
        if not moments:
            return _ended(_open(before), f"{_when(fragment)}{rest}")
        return _replaced(before, moments[-1], rest)
    phrases = [phrase for phrase in before.phrases if not phrase.is_time]
    if not phrases:
        return _ended(_open(before), f"for {rest}")
    target = max(phrases, key=lambda phrase: _likeness(fragment, phrase))
    if _takes_part(fragment, target):
        start, end = target.bare[0].start, target.bare[-1].start
        return f"{before.text[:start]}{rest} {before.text[end:]}"
    return _replaced(before, target, rest)


def _when(fragment: Phrase) -> str:
    first = fragment.tokens[0].text
    if first.lower() in w.DETERMINERS:
        return ""
    return "on " if re.search(r"days?$", first) else "in "


def _likeness(fragment: Phrase, phrase: Phrase) -> tuple[int, int]:
    points = (
        (8 if _same_head(fragment, phrase) else 0)
        + (4 if fragment.is_name and phrase.is_name else 0)
        + (4 if fragment.is_person and phrase.is_person else 0)
        + (2 if bool(fragment.determiner) == bool(phrase.determiner) else 0)
        + (1 if fragment.determiner[:1] == phrase.determiner[:1] == "a" else 0)
        + (2 if fragment.is_plural == phrase.is_plural else 0)
        - (2 if fragment.is_name != phrase.is_name else 0)
        - (2 if phrase.preposition == "per" else 0)
    )
    return points, phrase.start


def _takes_part(fragment: Phrase, target: Phrase) -> bool:
    """Whether only what stands before the noun is meant: "lunch" after "the hotel limit"."""
    return (
        not (fragment.determiner or fragment.is_plural or fragment.is_name or target.is_name)
        and bool(target.determiner)
        and len(target.bare) > 1
        and not (fragment.is_person or _same_head(fragment, target))
    )


def _replaced(before: Sentence, phrase: Phrase, by: str) -> str:
    """The question with a phrase replaced, and the verb before it in the same number."""
    head = before.text[: phrase.start]
    is_plural = w.is_plural(by.rsplit(maxsplit=1)[-1])
    for singular, plural in _AGREEING:
        old, new = (singular, plural) if is_plural else (plural, singular)
        if phrase.is_plural != is_plural:
            head = re.sub(rf"\b{old} $", f"{new} ", head)
    return f"{head}{by}{before.text[phrase.end :]}"


def _lowered(rest: str) -> str:
    """The fragment as it reads inside a question."""
    return rest[0].lower() + rest[1:]


def _open(before: Sentence) -> str:
    return before.text.rstrip(" ?!.")


def _ended(opened: str, more: str) -> str:
    return f"{opened.rstrip()} {more}?"
