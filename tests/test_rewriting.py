"""Follow-up questions: completed where they lean on the conversation, left alone where not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.analysis import terms
from rag.rewriting import rewrite
from rag.settings import LONGEST_QUESTION
from rag.types import Turn

DATA = Path(__file__).parents[1] / "data"
FOLLOW_UPS: list[dict[str, Any]] = [
    json.loads(line) for line in (DATA / "followups.jsonl").read_text("utf-8").splitlines()
]
QUESTIONS = [
    json.loads(line)["question"]
    for line in (DATA / "questions.jsonl").read_text("utf-8").splitlines()
]


def after(question: str, *earlier: str, answer: str | None = None) -> str | None:
    """`question` after earlier ones, the last of which got `answer`."""
    *first, last = earlier
    return rewrite([*(Turn(one) for one in first), Turn(last, answer)], question)


@pytest.mark.parametrize(
    ("before", "question", "whole"),
    [
        (
            "What was the temperature in Kyiv?",
            "And in Kharkiv?",
            "What was the temperature in Kharkiv?",
        ),
        ("What was the rise in 2022?", "What about 2023?", "What was the rise in 2023?"),
        ("What was the rise?", "And in 2023?", "What was the rise in 2023?"),
        (
            "How many days do full-time staff get?",
            "and for part-time staff?",
            "How many days do part-time staff get?",
        ),
        (
            "When does the day train leave?",
            "How about the night train?",
            "When does the night train leave?",
        ),
        ("What is the hotel limit?", "And lunch?", "What is the lunch limit?"),
        ("What is the hotel limit?", "for managers?", "What is the hotel limit for managers?"),
        (
            "When is the library open on Mondays?",
            "on Sundays?",
            "When is the library open on Sundays?",
        ),
        (
            "How many beds does the cabin have?",
            "And chairs?",
            "How many chairs does the cabin have?",
        ),
        ("How long is the list kept?", "And wage records?", "How long are wage records kept?"),
        ("May I bring my dog?", "And if it is small?", "May I bring my dog if it is small?"),
        (
            "How long are books lent?",
            "Is it the same for journals?",
            "How long are books lent for journals?",
        ),
    ],
)
def test_a_fragment_takes_the_place_of_what_is_like_it(
    before: str, question: str, whole: str
) -> None:
    assert after(question, before) == whole


@pytest.mark.parametrize(
    ("before", "answer", "question", "whole"),
    [
        ("Was it renovated in winter?", None, "Why?", "Why was it renovated in winter?"),
        ("Who founded the Institute?", None, "When?", "When was the Institute founded?"),
        ("When does the Board meet?", None, "Where?", "Where does the Board meet?"),
        ("May I bring my dog?", None, "Why not?", "Why may I not bring my dog?"),
        ("Can I get an advance?", None, "How much?", "How much advance can I get?"),
        ("How many claims were upheld?", None, "When?", "When were claims upheld?"),
        ("What is the limit?", "135 euros", "Since when?", "Since when is the limit 135 euros?"),
        ("Who is the cook?", "Matteo Brisk", "Since when?", "Since when is Matteo Brisk the cook?"),
    ],
)
def test_a_question_word_alone_asks_something_else_of_the_same(
    before: str, answer: str | None, question: str, whole: str
) -> None:
    assert after(question, before, answer=answer) == whole


@pytest.mark.parametrize(
    ("before", "answer", "question", "whole"),
    [
        ("What is probation?", None, "How long does it last?", "How long does probation last?"),
        ("Who is head?", "Ada Brook", "When did she resign?", "When did Ada Brook resign?"),
        ("What is the handbook?", None, "Who wrote it?", "Who wrote the handbook?"),
        ("Who are the listeners?", None, "Where is their room?", "Where is the listeners' room?"),
        ("Is there a nursery in Rope Lane?", None, "Who works there?", "Who works in Rope Lane?"),
        ("Is there a nursery?", None, "How do I get there?", "How do I get to the nursery?"),
        ("What was the limit in 2018?", None, "Who was head then?", "Who was head in 2018?"),
        ("What do I need a permit for?", None, "How do I get one?", "How do I get a permit?"),
        ("Who signs the float plan?", None, "Who keeps that plan?", "Who keeps the float plan?"),
        ("What happened in Odesa?", None, "Who said that?", "Who said what happened in Odesa?"),
    ],
)
def test_a_word_that_points_back_is_replaced(
    before: str, answer: str | None, question: str, whole: str
) -> None:
    assert after(question, before, answer=answer) == whole


def test_a_chain_of_follow_ups_is_followed_to_its_beginning() -> None:
    first = "What was the temperature in Kyiv?"
    assert after("in 2022?", first, "And in Kharkiv?", "Thanks.", "And in Lviv?") == (
        "What was the temperature in Lviv in 2022?"
    )


@pytest.mark.parametrize(
    "question",
    [
        "What is the dinner limit?",
        "And what is the dinner limit?",
        "How far is it to Skarn Point?",
        "How many refugees might there be?",
        "Who runs the IT desk?",
        "What should I do if I lose a receipt and it was for lunch?",
        "Is it true that the ship is dry?",
        "How long before it expires does the clerk warn me?",
        "parking permit price",
        "Tell me more",
        "For example?",
        "Thanks!",
        "Hello",
        "And then?",
        "Und in Kiew?",
        "Et à Paris ?",
        "?",
    ],
)
def test_what_stands_alone_or_is_unsure_is_left_alone(question: str) -> None:
    assert after(question, "What is the hotel limit in Kyiv?", answer="135 euros") is None


def test_without_a_history_nothing_is_rewritten() -> None:
    assert rewrite([], "And in Kharkiv?") is None


def _as_expected(row: dict[str, Any]) -> bool:
    history = [
        Turn(one) if isinstance(one, str) else Turn(one["question"], one["answer"])
        for one in row["history"]
    ]
    got, expected = rewrite(history, row["question"]), row["rewritten"]
    if got is None or expected is None:
        return got is expected
    return set(terms(got)) == set(terms(expected))


@pytest.mark.parametrize(("half", "least"), [("dev", 32), ("test", 27)])
def test_so_many_of_the_sample_s_follow_ups_have_the_expected_words(half: str, least: int) -> None:
    rows = [row for row in FOLLOW_UPS if half in row["tags"]]
    assert sum(map(_as_expected, rows)) >= least


def test_no_question_of_the_sample_s_set_is_changed_by_the_one_before_it() -> None:
    changed = [(b, q) for b in QUESTIONS for q in QUESTIONS if b != q and after(q, b)]
    assert changed == []


_WORDS = st.sampled_from(
    re.findall(
        r"\S+",
        "what who when why how is does the a it they their that there then and for in if of about "
        "one Kyiv 2022 limit staff May leave that's ? , ü",
    )
)
_TEXT = st.one_of(st.text(max_size=80), st.lists(_WORDS, max_size=12).map(" ".join))
_TURNS = st.lists(st.builds(Turn, _TEXT, st.none() | _TEXT), max_size=4)


@given(_TURNS, _TEXT)
def test_any_words_get_none_or_a_question_that_can_be_asked(
    history: list[Turn], question: str
) -> None:
    whole = rewrite(history, question)
    assert whole == rewrite(history, question)
    if whole is not None:
        assert history
        assert whole.strip()
        assert len(whole) <= LONGEST_QUESTION
