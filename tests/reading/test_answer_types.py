"""The kind of words asked for, and where such words stand."""

from __future__ import annotations

import pytest

from rag.reading.answer_types import AnswerType, Wanted

KINDS = {
    "When did the war begin?": AnswerType.DATE,
    "In what year was it built?": AnswerType.DATE,
    "What is her date of birth?": AnswerType.DATE,
    "How many people came?": AnswerType.QUANTITY,
    "How far is it?": AnswerType.QUANTITY,
    "What share of the staff left?": AnswerType.QUANTITY,
    "Who wrote it?": AnswerType.PERSON,
    "Which city did they take when they came?": AnswerType.PLACE,
    "Where was it held?": AnswerType.WHEREABOUTS,
    "Which symbol did those who came wear?": AnswerType.NAME,
    "What is the name of the ship?": AnswerType.NAME,
    "What could it leave without heat?": AnswerType.CLAUSE,
    "Why did they leave?": AnswerType.CLAUSE,
    "Is leave paid?": AnswerType.CLAUSE,
    "": AnswerType.CLAUSE,
}


@pytest.mark.parametrize("question", KINDS)
def test_the_question_word_tells_the_kind(question: str) -> None:
    assert Wanted.of(question).kind is KINDS[question]


SPANS = [
    (
        "When?",
        "On Saturday 26th, 5 May 1974, March 1st, in the fall of 2023 and the 19th century.",
        ["Saturday 26th", "5 May 1974", "March 1st", "the fall of 2023", "the 19th century"],
    ),
    ("When?", "It rose from 1,684 to 4.1999 in 1999.", ["1999"]),
    (
        "How much?",
        "At least twelve cost $3.5 billion, or 45% more [3], for 20 miles and the one.",
        ["At least twelve", "$3.5 billion", "45%", "20 miles"],
    ),
    ("How many people came?", "In 1999 some 300 people walked 20 miles.", ["some 300"]),
    ("How many days of leave?", "Staff get 30 days.", ["30 days"]),
    ("How far is it from Rome?", "It is 3 km long and 20 miles from Rome.", ["20 miles"]),
    (
        "Who?",
        "The Ministry of Defence met J. K. Rowling and Putin’s envoy. In June it ended.",
        ["Ministry of Defence", "J. K. Rowling", "Putin"],
    ),
    ("Where?", "Ann Lee met Bob in the Hague, near Rome.", ["Hague", "Rome"]),
    ("Which book?", "Ann wrote “On the sea”.", ["Ann", "On the sea"]),
    ("Why?", "Ann left in 1999.", []),
]


@pytest.mark.parametrize(("question", "sentence", "expected"), SPANS)
def test_words_of_that_kind(question: str, sentence: str, expected: list[str]) -> None:
    assert [span.of(sentence) for span in Wanted.of(question).spans(sentence)] == expected
