"""Follow-ups that point back: "How long does it last?", "Who works there?"."""

from __future__ import annotations

import re

from rag.rewriting import words as w
from rag.rewriting.antecedents import Pointer, embedded, moment, one_of, place, text_of, topic
from rag.rewriting.phrases import Sentence, Token

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


def resolved(before: Sentence, answer: str | None, question: str) -> str | None:
    """The question with what its pronoun points to; None where it points to nothing before."""
    asked = Sentence(question)
    pointer = _pointer(asked)
    if pointer is None or not before.tokens:
        return None
    token = pointer.token
    if pointer.kind == "saying":
        return f"{asked.text[: token.start]}{embedded(before)}{asked.text[token.end :]}"
    if pointer.kind == "named":
        return _named(before, asked, token)
    if pointer.kind == "place":
        words = place(before, answer, to=bool(w.MOVING & {t.lower for t in asked.tokens}))
    elif pointer.kind == "time":
        words = moment(before)
    elif pointer.kind == "one":
        words = one_of(before)
    else:
        words = topic(before, answer, pointer)
    if not words:
        return None
    return f"{asked.text[: token.start]}{words}{asked.text[token.end :]}"


def _pointer(asked: Sentence) -> Pointer | None:
    """The first word that points out of the question."""
    for number, token in enumerate(asked.tokens):
        pointer = _read(asked, number, token)
        if pointer and _has_antecedent(asked, pointer):
            return None
        if pointer:
            return pointer
    return None


def _read(asked: Sentence, number: int, token: Token) -> Pointer | None:
    word = token.lower
    before = asked.tokens[number - 1].lower if number else ""
    after = asked.tokens[number + 1].lower if number + 1 < len(asked.tokens) else ""
    if word in _PERSON:
        possessive = word == "his" or (word == "her" and _is_noun(after))
        return Pointer(token, possessive, "person")
    if word in _PLURAL:
        return Pointer(token, _PLURAL[word], "plural")
    if word in _THING:
        return None if _EXPLETIVE.search(asked.text) else Pointer(token, _THING[word], "thing")
    if word in _POINTING:
        return _pointing(asked, token, before, after)
    if word == "one" and not after and before in _TAKES_ONE:
        return Pointer(token, False, "one")
    if word == "there" and not {before, after} & (w.AUXILIARIES | {"out", "over"}):
        return Pointer(token, False, "place") if number else None
    if word == "then" and not after and number > 1:
        return Pointer(token, False, "time")
    return None


def _is_noun(word: str) -> bool:
    return bool(word) and bool(Sentence(f"the {word}").phrases)


def _pointing(asked: Sentence, token: Token, before: str, after: str) -> Pointer | None:
    """ "that" by itself, or with a noun that the question before has too."""
    kind = "plural" if token.lower in {"these", "those"} else "thing"
    if not after and before in w.SAYING:
        return Pointer(token, False, "saying")
    if not after or after in w.PREPOSITIONS:
        return Pointer(token, False, kind) if before not in {"", "than", "like"} else None
    if before in w.AUXILIARIES and (after in w.ARTICLES | w.ADVERBS or w.is_verb(after)):
        return Pointer(token, False, kind)
    if _is_noun(after) and asked.word_before(token.start) not in w.SAYING:
        return Pointer(token, False, "named")
    return None


def _has_antecedent(asked: Sentence, pointer: Pointer) -> bool:
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
            words = text_of(before, phrase, phrase.end)
            return f"{asked.text[: run.start]}{words}{asked.text[run.end :]}"
    return None
