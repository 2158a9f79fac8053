"""Follow-ups that ask something else of the same: "When?", "Since when?", "How much?"."""

from __future__ import annotations

import re

from rag.rewriting import words as w
from rag.rewriting.fragments import without_lead
from rag.rewriting.phrases import Phrase, Sentence

_ASKED_ALONE = re.compile(
    r"(?:(?:since|until|till|by|from|for|to|with|at|in|on|of) )?"
    r"(?:when|where|why not|why|what time|whom|who|which(?: \w+)?"
    r"|how (?:long|often|much|many|far|high|big|fast|old|late|early|soon)(?: \w+)?)"
    r"(?: exactly)?",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"how much|how many|which", re.IGNORECASE)
_LONGEST_STATED = 60  # characters


def asked_anew(before: Sentence, answer: str | None, question: str) -> str | None:
    """The question `before` with another question word; None where the follow-up is none."""
    asked, _ = without_lead(question)
    if not _ASKED_ALONE.fullmatch(asked):
        return None
    asked = asked[0].upper() + asked[1:]
    if before.is_yes_no:
        return _of_yes_no(before, asked)
    if before.question_word is None or before.text.lower().startswith(asked.lower()):
        return None
    stated = _stated(before, answer, asked)
    return stated or _of_question(before, asked)


def _of_yes_no(before: Sentence, asked: str) -> str:
    """ "When?" after "Was it renovated?"."""
    text = before.text
    if asked.lower() == "why not":
        return _why_not(before)
    if asked.lower() == "who" and before.tokens[0].lower in w.BE:
        asked = "By whom"
    if _QUANTITY.fullmatch(asked) and (noun := _object(before)):
        words = text[noun.bare[0].start : noun.end]
        text = f"{text[: noun.start].rstrip()}{text[noun.end :]}"
        return f"{asked} {words} {_lowered(text)}"
    return f"{asked} {_lowered(text)}"


def _why_not(before: Sentence) -> str:
    """ "Why not?" after "May I bring a dog?"."""
    first = before.tokens[0]
    subject = before.tokens[1] if len(before.tokens) > 1 else first
    end = subject.end if subject.lower in w.SUBJECTS else first.end
    if (
        subject.lower not in w.SUBJECTS
        and before.phrases
        and before.phrases[0].start <= first.end + 1
    ):
        end = before.phrases[0].end
    return f"Why {_lowered(before.text[:end])} not{before.text[end:]}"


def _object(before: Sentence) -> Phrase | None:
    """What is spoken of in "Can I get an advance?": no determiner, or one that counts nothing."""
    for phrase in before.phrases:
        if phrase.determiner in {"", "a", "an", "any", "some"} and not (
            phrase.lead or phrase.is_name or phrase.start <= before.tokens[0].end + 1
        ):
            return phrase
    return None


def _of_question(before: Sentence, asked: str) -> str:
    """ "Where?" after "When does it open?"; a noun of the old question word goes to the end."""
    number, auxiliary = before.question_word or 0, before.auxiliary
    if auxiliary is None or auxiliary <= number:
        return f"{asked} {_passive(before.text[before.tokens[number].end :].lstrip())}"
    rest = before.text[before.tokens[auxiliary].start :]
    noun = next((phrase for phrase in before.phrases if phrase.asked), None)
    if noun is None or noun.start > before.tokens[auxiliary].start or _asks_count(asked):
        return f"{asked} {rest}"
    words = before.text[noun.start : before.tokens[auxiliary].start].strip()
    verb = before.tokens[auxiliary]
    following = before.tokens[auxiliary + 1 : auxiliary + 2]
    if verb.lower in w.BE and following and following[0].lower not in w.PRONOUNS:
        return f"{asked} {verb.text} {words} {before.text[verb.end :].lstrip()}"
    return f"{asked} {rest.rstrip(' ?!.')} {words}?"


def _asks_count(asked: str) -> bool:
    """Whether the new question word has a noun of its own: "How many charts?"."""
    return len(_QUANTITY.sub("", asked).split()) == 1 and bool(_QUANTITY.match(asked))


def _passive(rest: str) -> str:
    """ "was the Institute founded?" for "founded the Institute?"."""
    verb, _, done = rest.rstrip(" ?!.").partition(" ")
    return f"was {done} {verb}?" if verb.endswith("ed") and done else rest


def _stated(before: Sentence, answer: str | None, asked: str) -> str | None:
    """What was answered, asked about: "Why is the hotel limit 135 euros?"."""
    if not answer or len(answer) > _LONGEST_STATED or len(before.tokens) < 3:
        return None
    word, verb = before.tokens[:2]
    if word.lower not in {"what", "who"} or verb.lower not in w.BE:
        return None
    rest = before.text[verb.end :].strip(" ?!.")
    said = " ".join(answer.split()).rstrip(".")
    first, second = (said, rest) if word.lower == "who" else (rest, said)
    return f"{asked} {verb.text} {first} {second}?"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
