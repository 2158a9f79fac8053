"""Each question as the report shows it: gold beside answer, the answer marked in its passage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rag.evaluation.report.labels import CAUSES, milliseconds, percent
from rag.text import grapheme_ceiling, grapheme_floor

_AROUND = 400  # characters of the passage shown before and after the sentence
_JUDGED = {True: "yes", False: "no", None: "unjudged"}


class Marked(NamedTuple):
    """A passage in pieces: the sentence is `lead`, `words` and `tail`; `words` are the answer.

    Where the offsets don't give exactly the answer's words, all is in `before`.
    """

    before: str
    lead: str = ""
    words: str = ""
    tail: str = ""
    after: str = ""
    cut_before: bool = False
    cut_after: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """An answer, or what the reader would have said."""

    text: str
    passage: Marked
    source: str
    place: str
    heading: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Row:
    """One question. The outcomes and numbers are for the script that filters and sorts."""

    number: int
    id: str
    question: str
    rewritten: str
    kind: str
    state: str
    change: str
    outcomes: str
    answerable: str
    tags: Sequence[str]
    tag_numbers: str
    accepted: Sequence[str]
    rejected: Sequence[str]
    gold: Sequence[Mapping[str, Any]]
    given: Given | None
    held_back: Given | None
    held_back_right: bool | None
    reason: str
    detail: str
    passages: Sequence[Mapping[str, Any]]
    sure: float | str
    milliseconds: float | str
    facts: Sequence[str]


def views(run: Mapping[str, Any], changed: Mapping[str, str], tags: Mapping[str, int]) -> list[Row]:
    """All rows in their order; `changed` says which are fixed or broken, `tags` numbers tags."""
    confident = any(_confidence(row) is not None for row in run["rows"])
    return [
        _view(number, row, changed.get(row["id"], ""), tags, confident)
        for number, row in enumerate(run["rows"], start=1)
    ]


def marked(answer: Mapping[str, Any]) -> Marked:
    """The answer's passage, with the sentence and the answer told apart; offsets are code points.

    A long passage is cut some way before and after the sentence.
    """
    text, origin = answer["context"], answer["context_start"]
    start, end = answer["start"] - origin, answer["end"] - origin
    if not 0 <= start < end <= len(text) or text[start:end] != answer["text"]:
        last = _closing(text, 0)
        return Marked(text[:last], cut_after=last < len(text))
    opens = max(0, min(start, answer["sentence_start"] - origin))
    closes = min(len(text), max(end, answer["sentence_end"] - origin))
    first, last = _opening(text, opens), _closing(text, closes)
    return Marked(
        text[first:opens],
        text[opens:start],
        text[start:end],
        text[end:closes],
        text[closes:last],
        first > 0,
        last < len(text),
    )


def _opening(text: str, sentence: int) -> int:
    first = sentence - _AROUND
    if first <= 0:
        return 0
    space = text.find(" ", first, sentence)
    return grapheme_floor(text, first) if space < 0 else space + 1


def _closing(text: str, sentence: int) -> int:
    last = sentence + _AROUND
    if last >= len(text):
        return len(text)
    space = text.rfind(" ", sentence, last)
    return grapheme_ceiling(text, last) if space < 0 else space


def _view(
    number: int, row: Mapping[str, Any], change: str, tags: Mapping[str, int], confident: bool
) -> Row:
    kind, state = _state(row)
    sure = _confidence(row) if confident else row["strength"]
    return Row(
        number=number,
        id=row["id"],
        question=row["question"],
        rewritten=row.get("rewritten") or "",
        kind=kind,
        state=state,
        change=change,
        outcomes=" ".join(_outcomes(row, kind, change)),
        answerable=_JUDGED[row["answerable"]],
        tags=row["tags"],
        tag_numbers=" ".join(str(tags[tag]) for tag in row["tags"]),
        accepted=row["answers"],
        rejected=row["rejected"],
        gold=row["gold"],
        given=_given(row["answer"]),
        held_back=_given(row["guess"]),
        held_back_right=row["guess_right"],
        reason=(row["reason"] or "").replace("_", " "),
        detail=row["detail"] or "",
        # What was read matters where something went wrong.
        passages=() if kind == "right" else row["passages"],
        sure="" if sure is None else round(sure, 4),
        milliseconds="" if row["milliseconds"] is None else round(row["milliseconds"], 1),
        facts=list(_facts(row)),
    )


def _state(row: Mapping[str, Any]) -> tuple[str, str]:
    if row["right"] is None:
        return "unjudged", "Not judged"
    if row["right"]:
        return "right", "Right" if row["answered"] else "Rightly refused"
    cause = CAUSES.get(row["cause"] or "")
    return "wrong", cause.title if cause else "Wrong"


def _outcomes(row: Mapping[str, Any], kind: str, change: str) -> list[str]:
    found = [kind]
    if row["cause"] in CAUSES:
        found.append(row["cause"])
    if not row["answered"]:
        found.append("refused")
    if change:
        found += ["changed", change]
    return found


def _confidence(row: Mapping[str, Any]) -> float | None:
    said = row["answer"] or row["guess"]
    value: float | None = said["confidence"] if said else None
    return value


def _facts(row: Mapping[str, Any]) -> list[str]:
    confidence = _confidence(row)
    told = [] if confidence is None else [f"{percent(confidence)} sure"]
    if row["milliseconds"] is not None:
        told.append(milliseconds(row["milliseconds"]))
    return told


def _given(answer: Mapping[str, Any] | None) -> Given | None:
    if answer is None:
        return None
    confidence = answer["confidence"]
    return Given(
        text=answer["text"],
        passage=marked(answer),
        source=answer["source"],
        place=_place(answer),
        heading=" › ".join(answer["heading"]),
        confidence="" if confidence is None else f"{percent(confidence)} sure",
    )


def _place(answer: Mapping[str, Any]) -> str:
    first, last = answer["paragraph"], answer["paragraph_end"]
    where = f"paragraph {first}" if first == last else f"paragraphs {first}–{last}"
    return where if answer["page"] is None else f"page {answer['page']}, {where}"
