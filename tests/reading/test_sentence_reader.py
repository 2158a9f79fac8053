"""The weight-free reader: which sentence, which words in it, and when it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.reading.base import Reader
from rag.reading.sentence_reader import SentenceReader
from rag.types import Candidate, Hit, Span

READER: Reader = SentenceReader()
LEAVE = (
    "All staff have a right to paid leave. Full-time staff receive 30 days of leave each year. "
    "The policy was written by Maria Lopez in March 2021.\n\n"
    "Requests go to the personnel office in Leeds. They are answered within a week."
)
TRAVEL = (
    "All trips need a permit. The travel desk is led by Omar Haddad.\n\n"
    "Hotels may cost up to 140 euros a night. Trains come first because they pollute less."
)
MakeHit = Callable[..., Hit]


def words(candidate: Candidate, span: Span) -> str:
    passage = candidate.hit.passage
    return span.shifted(-passage.span.start).of(passage.text)


ANSWERS = [
    ("How many days of leave do full-time staff receive?", "30 days", "Full-time staff"),
    ("Who wrote the leave policy?", "Maria Lopez", "The policy"),
    ("When was the policy written?", "March 2021", "The policy"),
    ("Where do leave requests go?", "Leeds", "Requests go"),
    ("Who leads the travel desk?", "Omar Haddad", "The travel desk"),
    ("How much may hotels cost a night?", "up to 140 euros", "Hotels may"),
]


@pytest.mark.parametrize(("question", "answer", "sentence"), ANSWERS)
def test_the_words_asked_for(hit: MakeHit, question: str, answer: str, sentence: str) -> None:
    best = READER.read(question, [hit(LEAVE), hit(TRAVEL, title="Travel")])[0]
    assert words(best, best.span) == answer
    assert words(best, best.sentence).startswith(sentence)
    assert best.supported
    assert best.confidence is None


@pytest.mark.parametrize("question", ["Why do trains come first?", "Do trains come first?"])
def test_a_reason_or_a_yes_takes_the_whole_sentence(hit: MakeHit, question: str) -> None:
    best = READER.read(question, [hit(LEAVE), hit(TRAVEL)])[0]
    assert best.span == best.sentence
    assert words(best, best.sentence) == "Trains come first because they pollute less."


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Australia?",
        "Who won the football championship in 1998?",
        "How many parking spaces does the building have?",
    ],
)
def test_what_the_passages_do_not_say_is_refused(hit: MakeHit, question: str) -> None:
    hits = [hit(LEAVE, score=0.1), hit(TRAVEL, score=0.05)]
    assert not any(candidate.supported for candidate in READER.read(question, hits))


@pytest.mark.parametrize("question", ["", " ", "Who is it?", "¿?", "\x00", "\ufeff", "🇩🇪"])
def test_a_question_without_subject_matter_finds_nothing(hit: MakeHit, question: str) -> None:
    assert READER.read(question, [hit(LEAVE)]) == []


def test_no_hits_no_candidates() -> None:
    assert READER.read("Who leads the travel desk?", []) == []


def test_a_question_in_the_text_is_no_answer(hit: MakeHit) -> None:
    text = "Who leads the travel desk? Omar Haddad leads the travel desk."
    best = READER.read("Who leads the travel desk?", [hit(text)])[0]
    assert words(best, best.sentence) == "Omar Haddad leads the travel desk."


def test_the_same_words_count_more_in_a_nearer_passage(hit: MakeHit) -> None:
    near, far = hit(LEAVE, score=0.8, title="A"), hit(LEAVE, score=0.4, title="B")
    best = READER.read("Who wrote the policy?", [near, far])
    assert [candidate.hit.origin.title for candidate in best[:2]] == ["A", "B"]
    assert best[0].score > best[1].score


def test_a_name_with_a_combining_accent_is_not_cut(hit: MakeHit) -> None:
    text = "The desk is led by Jose\u0301."
    best = READER.read("Who leads the desk?", [hit(text)])[0]
    assert words(best, best.span) in (text, "Jose\u0301")


PIECES = [
    *["Who", "leave", "Omar Haddad", "30 days", "1999", "in Rome", "“leave”", "Zoë", "Jose\u0301"],
    *[
        " ",
        ". ",
        "? ",
        "\n",
        "\r\n",
        "\n\n",
        "\r\r",
        "\u2028",
        "\t",
        "\u0301",
        "👩\u200d👧",
        "שלום",
        "中文。",
    ],
]
hostile = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=30).map("".join)


@given(question=hostile, texts=st.lists(hostile.filter(str.strip), max_size=4))
def test_candidates_keep_the_protocol(hit: MakeHit, question: str, texts: list[str]) -> None:
    hits = [hit(text, title=str(order)) for order, text in enumerate(texts)]
    found = READER.read(question, hits)
    assert found == READER.read(question, hits)
    assert len(found) <= 10
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    assert len({(c.hit.passage.document_id, c.sentence) for c in found}) == len(found)
    for candidate in found:
        passage = candidate.hit.passage
        assert candidate.sentence.contains(candidate.span)
        assert any(paragraph.contains(candidate.sentence) for paragraph in passage.paragraphs)
        assert words(candidate, candidate.span).strip()


def test_a_pronoun_points_back_to_the_sentence_before(hit: MakeHit) -> None:
    text = "The long convoy of trucks has stopped. {} 20 miles from the capital."
    question = "How far from the capital is the convoy of trucks?"
    said, unsaid = (
        hit(text.format("It stands"), title="A"),
        hit(text.format("Rain fell"), title="B"),
    )
    best = READER.read(question, [unsaid, said])
    titles = [c.hit.origin.title for c in best if "20 miles" in words(c, c.sentence)]
    assert titles == ["A", "B"]


def test_what_is_far_less_likely_is_no_second_answer(hit: MakeHit) -> None:
    question = "How many days of annual leave do staff have a right to?"
    alone = READER.read(question, [hit(LEAVE, score=0.45, title="Far")])
    beside = READER.read(
        question, [hit(LEAVE, score=0.9, title="Near"), hit(LEAVE, score=0.45, title="Far")]
    )
    assert alone[0].supported
    assert {c.hit.origin.title for c in beside if c.supported} == {"Near"}
