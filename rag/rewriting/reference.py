"""Follow-ups that point back: "How long does it last?", "When did he resign?", "Who works there?"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.rewriting import words as w
from rag.rewriting.phrases import Phrase, Sentence, Token

_PERSON = {"he": False, "him": False, "his": True, "she": False, "her": False}
_PLURAL = {"they": False, "them": False, "their": True}
_THING = {"it": False, "its": True}
_POINTING = {"that": False, "this": False, "these": False, "those": False}
_EXPLETIVE = re.compile(
    r"\bit (?:\w+ )?(?:possible|true|allowed to|necessary|worth|important|enough to|safe|ok|okay"
    r"|permitted to|better|raining|rain|rains|snow|cold|dark)\b"
    r"|\bhow far is it\b|\bwhat time is it\b|\bit (?:take|takes|cost|costs|mean|means) .*\bto \w"
    r"|\bit \w+ (?:\w+ )?(?:that|when|if)\b|\bit \w+ to (?!the\b|a\b)\w+",
    re.IGNORECASE,
)
_TAKES_ONE = frozenset(
    [
        "get",
        "need",
        "have",
        "use",
        "buy",
        "want",
        "borrow",
        "book",
        "order",
        "rent",
        "see",
        "request",
        "find",
    ]
)
_JOINED = frozenset(("of", "for", "on"))  # belong to the phrase before them
_VAGUE = frozenset(("it", "that", "this", "one", "thing", "something"))
_LONGEST_NAME = 6  # words
_ENTITY = re.compile(r"(?:(?:the|The) )?(?:[A-ZÀ-Þ0-9][\w.'’-]*|of|the|and|de|von|van|for)(?: |$)")


@dataclass(frozen=True, slots=True)
class _Pointer:
    """A word that points back, whether it is a possessive, and what it may point to."""

    token: Token
    possessive: bool
    kind: str


def resolved(before: Sentence, answer: str | None, question: str) -> str | None:
    """The question with what its pronoun points to; None where it points to nothing before."""
    asked = Sentence(question)
    pointer = _pointer(asked)
    if pointer is None or not before.tokens:
        return None
    token = pointer.token
    if pointer.kind == "saying":
        return f"{asked.text[: token.start]}{_embedded(before)}{asked.text[token.end :]}"
    if pointer.kind == "named":
        return _named(before, asked, token)
    if pointer.kind == "place":
        words = _place(before, answer, to=bool(w.MOVING & {t.lower for t in asked.tokens}))
    elif pointer.kind == "time":
        words = _moment(before)
    elif pointer.kind == "one":
        words = _one(before)
    else:
        words = _topic(before, answer, pointer)
    if not words:
        return None
    return f"{asked.text[: token.start]}{words}{asked.text[token.end :]}"


def _pointer(asked: Sentence) -> _Pointer | None:
    """The first word that points out of the question."""
    for number, token in enumerate(asked.tokens):
        pointer = _read(asked, number, token)
        if pointer and _has_antecedent(asked, pointer):
            return None
        if pointer:
            return pointer
    return None


def _read(asked: Sentence, number: int, token: Token) -> _Pointer | None:
    word = token.lower
    before = asked.tokens[number - 1].lower if number else ""
    after = asked.tokens[number + 1].lower if number + 1 < len(asked.tokens) else ""
    if word in _PERSON:
        possessive = word == "his" or (word == "her" and _is_noun(after))
        return _Pointer(token, possessive, "person")
    if word in _PLURAL:
        return _Pointer(token, _PLURAL[word], "plural")
    if word in _THING:
        return None if _EXPLETIVE.search(asked.text) else _Pointer(token, _THING[word], "thing")
    if word in _POINTING:
        return _pointing(asked, token, before, after)
    if word == "one" and not after and before in _TAKES_ONE:
        return _Pointer(token, False, "one")
    if word == "there" and not {before, after} & (w.AUXILIARIES | {"out", "over"}):
        return _Pointer(token, False, "place") if number else None
    if word == "then" and not after and number > 1:
        return _Pointer(token, False, "time")
    return None


def _is_noun(word: str) -> bool:
    return bool(word) and bool(Sentence(f"the {word}").phrases)


def _pointing(asked: Sentence, token: Token, before: str, after: str) -> _Pointer | None:
    """ "that" by itself, or with a noun that the question before has too."""
    kind = "plural" if token.lower in {"these", "those"} else "thing"
    if not after and before in w.SAYING:
        return _Pointer(token, False, "saying")
    if not after or after in w.PREPOSITIONS:
        return _Pointer(token, False, kind) if before not in {"", "than", "like"} else None
    if before in w.AUXILIARIES and (after in w.ARTICLES | w.ADVERBS or w.is_verb(after)):
        return _Pointer(token, False, kind)
    if _is_noun(after) and asked.word_before(token.start) not in w.SAYING:
        return _Pointer(token, False, "named")
    return None


def _has_antecedent(asked: Sentence, pointer: _Pointer) -> bool:
    """Whether something before the word, in the same question, may be what it points to."""
    start = pointer.token.start
    before = asked.word_before(start)
    if before in w.SUBORDINATORS and before not in w.PREPOSITIONS:
        return True
    governed = before in w.PREPOSITIONS
    if governed and before in w.SUBORDINATORS and asked.word_after(pointer.token.end):
        return pointer.kind != "named"  # "before it expires"
    earlier = [phrase for phrase in asked.phrases if phrase.end <= start]
    if governed and earlier and asked.word_after(earlier[-1].end) == before:
        earlier.pop()  # "a limit to that"
    if pointer.kind in {"place", "time", "named"}:
        return False
    for phrase in earlier:
        if phrase.asked and not (pointer.possessive and pointer.kind == "plural"):
            continue
        if pointer.kind != "person" or phrase.is_person or phrase.is_name:
            return True
    return False


def _named(before: Sentence, asked: Sentence, token: Token) -> str | None:
    """ "that form" as the phrase of the question before with the same noun."""
    run = next((phrase for phrase in asked.phrases if phrase.start == token.start), None)
    if run is None:
        return None
    for phrase in before.phrases:
        if phrase.head == run.head and len(phrase.bare) > len(run.bare):
            words = _text(before, phrase, phrase.end)
            return f"{asked.text[: run.start]}{words}{asked.text[run.end :]}"
    return None


def _topic(before: Sentence, answer: str | None, pointer: _Pointer) -> str | None:
    if answer and _is_entity(answer) and _asks_for_entity(before, pointer):
        words = " ".join(answer.split()).rstrip(".,;")
        words = words[0].lower() + words[1:] if words.startswith("The ") else words
    else:
        phrase = _best(before, pointer)
        if phrase is None:
            return None
        end = phrase.end if pointer.possessive else _joined_end(before, phrase)
        words = _text(before, phrase, end)
    if pointer.possessive:
        words += "'" if words.endswith("s") else "'s"
    return words


def _is_entity(answer: str) -> bool:
    """Whether an answer is a name, such as "Dario Finch" or "the Beacon Building"."""
    words = " ".join(answer.split()).rstrip(".,;")
    if len(words.split()) > _LONGEST_NAME or not any(c.isupper() for c in words):
        return False
    return "".join(m.group() for m in _ENTITY.finditer(words)) == words


def _asks_for_entity(before: Sentence, pointer: _Pointer) -> bool:
    if before.question_word is None:
        return False
    word = before.tokens[before.question_word].lower
    if word in {"who", "whom"}:
        return pointer.kind in {"person", "plural"}
    if pointer.kind == "person":
        return word == "what" and "name" in before.text.lower()
    return word in {"which", "what"} and bool(before.phrases) and before.phrases[0].asked


def _best(before: Sentence, pointer: _Pointer) -> Phrase | None:
    """What the question before is about."""
    phrases = [p for p in before.phrases if not p.is_time and p.head not in _VAGUE]
    fitting = [phrase for phrase in phrases if _fits(phrase, pointer)]
    if not fitting and pointer.kind == "plural":
        fitting = phrases
    return min(fitting, key=lambda p: (p.asked, _remoteness(p), p.start), default=None)


def _fits(phrase: Phrase, pointer: _Pointer) -> bool:
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


def _text(before: Sentence, phrase: Phrase, end: int) -> str:
    if phrase.determiner in {"a", "an", "any", "some", "the", "that", "this"}:
        return f"the {before.text[phrase.bare[0].start : end]}"
    if phrase.asked and not phrase.determiner:
        return f"the {before.text[phrase.start : end]}"
    words = before.text[phrase.start : end]
    return words[0].lower() + words[1:] if phrase.determiner else words


def _place(before: Sentence, answer: str | None, *, to: bool) -> str | None:
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
    return f"{'to' if to else preposition} {_text(before, phrase, phrase.end)}"


def _one(before: Sentence) -> str | None:
    """What one of is wanted: "a permit"."""
    phrase = next((p for p in before.phrases if p.determiner in {"a", "an"}), None)
    return before.text[phrase.start : _joined_end(before, phrase)] if phrase else None


def _moment(before: Sentence) -> str | None:
    moments = [phrase for phrase in before.phrases if phrase.is_time and phrase.lead]
    if not moments:
        return None
    return before.text[moments[-1].lead_start : moments[-1].end]


def _embedded(before: Sentence) -> str:
    """A question inside another: "Who said how many came?"."""
    text = before.text.rstrip(" ?!.")
    text = text[:1].lower() + text[1:]
    return f"whether {text}" if before.is_yes_no else text
