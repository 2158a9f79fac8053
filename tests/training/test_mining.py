"""Mined passages: near, wrong, and never one that holds the answer."""

from __future__ import annotations

from embeddings.hashing import HashingEmbedder
from rag.evaluation.squad import SquadParagraph, SquadQuestion
from rag.training.library import Library
from rag.training.mining import mine
from rag.types import Span

TEXTS = {
    "Ferry": "The ferry to Oban sails at nine.",
    "Bus": "The bus to Oban leaves at ten.",
    "Night": "Another ferry to Oban sails at Nine, by night.",
    "Bread": "Bread is baked from flour and water.",
}


def _library() -> list[SquadParagraph]:
    start = TEXTS["Ferry"].index("nine")
    asked = SquadQuestion("q", "When does the ferry to Oban sail?", (Span(start, start + 4),))
    impossible = SquadQuestion("i", "Who sails to Mull?", ())
    return [
        SquadParagraph(title, text, (asked, impossible) if title == "Ferry" else ())
        for title, text in TEXTS.items()
    ]


def test_found_as_the_service_finds_them() -> None:
    library = Library(_library(), HashingEmbedder())
    (hits,) = library.hits(["When does the ferry to Oban sail?"], 3)
    assert [hit.origin.title for hit in hits][:2] in (["Ferry", "Night"], ["Night", "Ferry"])
    assert hits[2].passage.text == TEXTS["Bus"]
    assert hits[0].score > hits[2].score


def test_neither_the_right_passage_nor_another_with_the_answer() -> None:
    mined = mine(_library(), HashingEmbedder())
    assert mined.keys() == {"q"}
    assert [negative.title for negative in mined["q"]] in (["Bus", "Bread"], ["Bus"])
