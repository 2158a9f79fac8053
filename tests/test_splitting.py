"""Passages: exact spans, limits kept, prose covered, headings never quoted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.hashing import HashingEmbedder
from rag.errors import FileRefused
from rag.splitting import LONGEST_PASSAGE, SHORT_PASSAGE, Splitter
from rag.text import paragraphs
from rag.types import Document, Heading, Origin, Passage, Span, with_context

EMBEDDER = HashingEmbedder()
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
HOSTILE = [
    "\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\r\r", "\ufeff", "e\u0301", FAMILY, "\U0001f1fa\U0001f1e6", # noqa: E501
    "\u05d0\u05d1\u200f", "\u2028", "\u0085", "\t", "\u00a0", " ", ". ", "! ", "…", "x" * 300,
    "A sentence of words. ", "word " * 120, "# ", "- ", "。", "\u202e",
]  # fmt: skip


def document(
    text: str,
    headings: Sequence[Heading] = (),
    skipped: Sequence[Span] = (),
    pages: Sequence[int] = (),
    title: str = "Title",
) -> Document:
    origin = Origin("d", "c", "r", "s.txt", title, None, None, "0", "0", "text/1")
    return Document(origin, text, tuple(headings), tuple(pages), (), tuple(skipped))


def split(made: Document, max_tokens: int = EMBEDDER.max_tokens) -> list[Passage]:
    return Splitter(EMBEDDER.count_tokens, max_tokens).split(made)


def check_invariants(made: Document, passages: Sequence[Passage], max_tokens: int) -> None:
    text = made.text
    numbered = paragraphs(text)
    for passage in passages:
        assert passage.span.of(text) == passage.text == passage.text.strip() != ""
        assert passage.before == text[max(0, passage.span.start - 32) : passage.span.start]
        assert passage.after == text[passage.span.end : passage.span.end + 32]
        for offset, part in enumerate(passage.paragraphs):
            assert passage.span.contains(part)
            assert numbered[passage.paragraph - 1 + offset].contains(part)
        assert passage.paragraph_end == passage.paragraph + len(passage.paragraphs) - 1
        encoded = with_context(made.origin.title, passage.heading, passage.text)
        assert EMBEDDER.count_tokens([encoded])[0] <= max_tokens
    for one, other in pairwise(passages):
        assert one.span.end <= other.span.start
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))


def uncovered(made: Document, passages: Sequence[Passage]) -> str:
    """The text that no passage holds."""
    rest, start = "", 0
    for passage in passages:
        rest += made.text[start : passage.span.start]
        start = passage.span.end
    return rest + made.text[start:]


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=20), max_size=60).map("".join))
def test_spans_are_exact_and_nothing_is_lost(text: str) -> None:
    made = document(text)
    passages = split(made, 48)
    check_invariants(made, passages, 48)
    assert not uncovered(made, passages).strip()


def test_a_paragraph_of_a_megabyte() -> None:
    made = document("Lorem ipsum dolor sit amet " * 40_000)
    passages = split(made)
    check_invariants(made, passages, EMBEDDER.max_tokens)
    assert not uncovered(made, passages).strip()
    assert all(len(passage.text) <= LONGEST_PASSAGE for passage in passages)
    assert {passage.paragraph for passage in passages} == {1}


def test_a_word_of_a_megabyte_is_cut_between_graphemes() -> None:
    made = document(FAMILY * 20_000)
    passages = split(made)
    check_invariants(made, passages, EMBEDDER.max_tokens)
    assert all(passage.text.startswith("\U0001f469") for passage in passages)
    assert all(len(passage.text) % len(FAMILY) == 0 for passage in passages)


def test_long_paragraphs_are_cut_between_sentences() -> None:
    sentences = [f"Sentence number {n} says something of its own." for n in range(60)]
    passages = split(document(" ".join(sentences)))
    assert len(passages) > 1
    assert all(passage.text.startswith("Sentence number") for passage in passages)
    assert all(passage.text.endswith("of its own.") for passage in passages)


def test_short_paragraphs_join_and_long_ones_stand_alone() -> None:
    long = "A long paragraph stands alone. " * 12
    made = document(f"One.\n\nTwo.\n\n{long}\n\nThree.")
    passages = split(made)
    assert [p.text.split()[0] for p in passages] == ["One.", "Three."]
    first = passages[0]
    assert (first.paragraph, first.paragraph_end) == (1, 3)
    assert [part.of(made.text) for part in first.paragraphs] == ["One.", "Two.", long.strip()]
    assert len(first.text) > SHORT_PASSAGE


def test_headings_are_context_and_never_text() -> None:
    text = "# Leave\n\nIntroduction.\n\n## Annual\n\nTwenty-eight days.\n\n## Sick\nCall first.\n"
    made = document(
        text,
        [
            Heading(Span(0, 7), 1, "Leave"),
            Heading(Span(24, 33), 2, "Annual"),
            Heading(Span(55, 62), 2, "Sick"),
        ],
    )
    passages = split(made)
    assert [(p.heading, p.text, p.paragraph) for p in passages] == [
        (("Leave",), "Introduction.", 2),
        (("Leave", "Annual"), "Twenty-eight days.", 4),
        (("Leave", "Sick"), "Call first.", 5),
    ]
    assert uncovered(made, passages).split() == ["#", "Leave", "##", "Annual", "##", "Sick"]


def test_a_heading_with_nothing_under_it_is_prose() -> None:
    text = "# Closed on Fridays\n\n# Open on Mondays\n\nFrom nine."
    made = document(
        text, [Heading(Span(0, 19), 1, "Closed on Fridays"), Heading(Span(21, 38), 1, "Open")]
    )
    assert [p.text for p in split(made)] == ["# Closed on Fridays", "From nine."]


def test_skipped_stretches_are_no_passages() -> None:
    text = "---\ntitle: x\n---\nReal words."
    assert [p.text for p in split(document(text, skipped=[Span(0, 17)]))] == ["Real words."]
    assert split(document(text, skipped=[Span(0, len(text))])) == []


def test_passages_do_not_cross_pages() -> None:
    made = document("One.\n\nTwo.", pages=[0, 6])
    assert [(p.text, p.page) for p in split(made)] == [("One.", 1), ("Two.", 2)]


def test_a_title_that_leaves_no_room_is_refused_with_the_cure() -> None:
    with pytest.raises(FileRefused, match="shorten its title"):
        split(document("Some words.", title="many words in a title " * 4), max_tokens=8)


def test_the_name_tells_the_rules_and_the_limit() -> None:
    names = {Splitter(EMBEDDER.count_tokens, limit).name for limit in (128, 256)}
    assert len(names) == 2
