"""Which cells of rows may answer a question; expectations worked out by hand."""

from __future__ import annotations

from itertools import accumulate

import pytest

from rag.reading.rows import answerable
from rag.types import Hit, Origin, Passage, Span

ORIGIN = Origin("0" * 32, "default", "/", "a.csv", "a", None, None, "0", "0", "csv/1")


def hit(*paragraphs: str) -> Hit:
    """A passage of paragraphs, which begins somewhere in its document."""
    starts = [0, *accumulate(len(paragraph) + 2 for paragraph in paragraphs)]
    spans = tuple(
        Span(start, start + len(paragraph)).shifted(100)
        for start, paragraph in zip(starts, paragraphs, strict=False)
    )
    text = "\n\n".join(paragraphs)
    passage = Passage("0" * 32, 0, Span(100, 100 + len(text)), text, "", "", spans, paragraph=1)
    return Hit(passage, ORIGIN, score=1.0, among=1)


def places(question: str, *hits: Hit) -> list[list[str]]:
    return [
        [span.of(one.passage.text) for span in found.spans]
        for one, found in zip(hits, answerable(question, hits), strict=True)
    ]


TERN = "Model: Azure Tern; Weight: 129 grams; Price: 43 euros"
TERN_VALUES = ("Azure Tern", "129 grams", "43 euros")
LYNX = "Model: Azure Lynx; Weight: 90 grams; Price: 21 euros"


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What is the price of the Azure Tern?", ["43 euros"]),
        ("How much does the Azure Tern weigh?", ["129 grams", "43 euros"]),
        ("Which model costs 21 euros?", ["Azure Lynx"]),
        ("What weight has the model Azure Lynx?", ["90 grams"]),
        # No row is nearer than the other.
        ("What is the price?", ["43 euros", "21 euros"]),
        (
            "Who sails?",
            ["Azure Tern", "129 grams", "43 euros", "Azure Lynx", "90 grams", "21 euros"],
        ),
        # A row that holds the question answers nothing.
        ("Azure Tern, 129 grams, 43 euros?", []),
    ],
)
def test_the_row_and_the_column_that_the_question_names(question: str, wanted: list[str]) -> None:
    assert places(question, hit(TERN, LYNX)) == [wanted]


def test_rows_of_all_passages_are_weighed_together() -> None:
    prose = "The Azure Tern is sold out."
    found = places("What is the price of the Azure Tern?", hit(LYNX), hit(prose, TERN))
    assert found == [[], [prose, "43 euros"]]


@pytest.mark.parametrize(
    "paragraph",
    [
        "Note: the Azure Tern is sold out.",
        "Two kinds: one; the other",
        "It is so: Model: Azure Tern",
        "Model: Azure Tern;\nPrice: 43 euros; Weight: 1",
        "",
    ],
)
def test_what_is_no_row_is_left_alone(paragraph: str) -> None:
    assert places("What is the price of the Azure Tern?", hit(paragraph, "x")) == [[paragraph, "x"]]


def test_a_bare_number_becomes_its_value() -> None:
    row = f"{TERN}; Note: {'very ' * 20}light"
    (found,) = answerable("What is known of the Azure Tern?", [hit("Prose.", row)])
    text = f"Prose.\n\n{row}"

    def whole(words: str) -> str:
        start = text.index(words)
        return found.whole(Span(start, start + len(words)), text).of(text)

    assert whole("43") == "43 euros"
    assert whole("129") == "129 grams"
    assert whole("43 euros") == "43 euros"
    assert whole("Azure") == "Azure"
    assert whole(".") == "."
