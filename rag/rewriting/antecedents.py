"""What a word that points back can stand for in the question before and its answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.rewriting import words as w
from rag.rewriting.phrases import Phrase, Sentence, Token

_JOINED = frozenset(("of", "for", "on"))  # belong to the phrase before them
_VAGUE = frozenset(("it", "that", "this", "one", "thing", "something"))
_LONGEST_NAME = 6  # words
_ENTITY = re.compile(r"(?:(?:the|The) )?(?:[A-ZÀ-Þ0-9][\w.'’-]*|of|the|and|de|von|van|for)(?: |$)")


@dataclass(frozen=True, slots=True)
class Pointer:
    """A word that points back, whether it is a possessive, and what it may point to."""

    token: Token
    possessive: bool
    kind: str


def topic(before: Sentence, answer: str | None, pointer: Pointer) -> str | None:
    """What the question before, or its answer where it asked for a name, is about."""
    if answer and _is_entity(answer) and _asks_for_entity(before, pointer):
        words = " ".join(answer.split()).rstrip(".,;")
        words = words[0].lower() + words[1:] if words.startswith("The ") else words
    else:
        phrase = _best(before, pointer)
        if phrase is None:
            return None
        end = phrase.end if pointer.possessive else _joined_end(before, phrase)
        words = text_of(before, phrase, end)
    if pointer.possessive:
        words += "'" if words.endswith("s") else "'s"
    return words


def _is_entity(answer: str) -> bool:
    """Whether an answer is a name, such as "Dario Finch" or "the Beacon Building"."""
    words = " ".join(answer.split()).rstrip(".,;")
    if len(words.split()) > _LONGEST_NAME or not any(c.isupper() for c in words):
        return False
    return "".join(m.group() for m in _ENTITY.finditer(words)) == words


def _asks_for_entity(before: Sentence, pointer: Pointer) -> bool:
    if before.question_word is None:
        return False
    word = before.tokens[before.question_word].lower
    if word in {"who", "whom"}:
        return pointer.kind in {"person", "plural"}
    if pointer.kind == "person":
        return word == "what" and "name" in before.text.lower()
    return word in {"which", "what"} and bool(before.phrases) and before.phrases[0].asked


def _best(before: Sentence, pointer: Pointer) -> Phrase | None:
    """What the question before is about."""
    phrases = [p for p in before.phrases if not p.is_time and p.head not in _VAGUE]
    fitting = [phrase for phrase in phrases if _fits(phrase, pointer)]
    if not fitting and pointer.kind == "plural":
        fitting = phrases
    return min(fitting, key=lambda p: (p.asked, _remoteness(p), p.start), default=None)


def _fits(phrase: Phrase, pointer: Pointer) -> bool:
    if pointer.kind == "person":
        return phrase.is_person or phrase.is_name
    if pointer.kind == "plural":
        return phrase.is_plural
    return not phrase.is_plural and not (phrase.is_person and not phrase.is_name)


def _remoteness(phrase: Phrase) -> int:
    if not phrase.lead:
        return 0
    return 1 if phrase.preposition in _JOINED | {"to", "about", "with"} else 2


def _joined_end(before: Sentence, phrase: Phrase) -> int:
    """Where a phrase ends with what belongs to it: "the cabin for staff"."""
    end = phrase.end
    for following in before.phrases:
        between = before.text[end : following.lead_start]
        if following.start > end and following.preposition in _JOINED and between.isspace():
            end = following.end
    return end


def text_of(before: Sentence, phrase: Phrase, end: int) -> str:
    """The words of a phrase up to `end`, as of something that was spoken of."""
    if phrase.determiner in {"a", "an", "any", "some", "the", "that", "this"}:
        return f"the {before.text[phrase.bare[0].start : end]}"
    if phrase.asked and not phrase.determiner:
        return f"the {before.text[phrase.start : end]}"
    words = before.text[phrase.start : end]
    return words[0].lower() + words[1:] if phrase.determiner else words


def place(before: Sentence, answer: str | None, *, to: bool) -> str | None:
    """Where "there" is, with its preposition."""
    if answer and before.tokens[0].lower == "where" and _is_entity(answer):
        words = " ".join(answer.split()).rstrip(".,;")
        words = words[0].lower() + words[1:] if words.startswith("The ") else words
        return f"{'to' if to else 'at'} {words}"
    placed = [p for p in before.phrases if p.preposition in w.PLACE_PREPOSITIONS | {"to", "on"}]
    placed = [phrase for phrase in placed if not phrase.is_time]
    named = [phrase for phrase in before.phrases if phrase.is_name]
    found = placed or named or [phrase for phrase in before.phrases[:1] if phrase.determiner]
    if not found:
        return None
    phrase = found[-1]
    preposition = phrase.preposition if phrase.lead and phrase.preposition != "to" else "at"
    return f"{'to' if to else preposition} {text_of(before, phrase, phrase.end)}"


def one_of(before: Sentence) -> str | None:
    """What one of is wanted: "a permit"."""
    phrase = next((p for p in before.phrases if p.determiner in {"a", "an"}), None)
    return before.text[phrase.start : _joined_end(before, phrase)] if phrase else None


def moment(before: Sentence) -> str | None:
    """When "then" is, with its preposition."""
    moments = [phrase for phrase in before.phrases if phrase.is_time and phrase.lead]
    if not moments:
        return None
    return before.text[moments[-1].lead_start : moments[-1].end]


def embedded(before: Sentence) -> str:
    """A question inside another: "Who said how many came?"."""
    text = before.text.rstrip(" ?!.")
    text = text[:1].lower() + text[1:]
    return f"whether {text}" if before.is_yes_no else text
