"""What the reader learns from: every gold token stands for the accepted words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from rag.evaluation.squad import SquadParagraph, SquadQuestion
from rag.reading.models import WEIGHTS
from rag.training.examples import LONGEST, Example, Negative, batches, epoch
from rag.types import Span

TEXT = "Rollo was baptised in 911. He took the name Robert and ruled from Rouen."
LONG = "The ferry crosses the fjord twice a day. " * 60 + TEXT


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(Path(WEIGHTS) / "tokenizer.json"))


def _question(number: int, text: str, words: str | None) -> SquadQuestion:
    start = text.index(words) if words else 0
    answers = (Span(start, start + len(words)),) if words else ()
    return SquadQuestion(f"q{number}", f"What is asked as number {number}?", answers)


def _paragraph(text: str = TEXT) -> SquadParagraph:
    questions = (_question(1, text, "911"), _question(2, text, "Robert"), _question(3, text, None))
    return SquadParagraph("Normandy", text, questions)


@pytest.mark.parametrize("text", [TEXT, LONG])
def test_gold_tokens_are_the_answers(tokenizer: Tokenizer, text: str) -> None:
    start = text.index("Robert and ruled")
    examples = [
        Example("Whose name did he take?", "Normandy", text, Span(start, start + len("Robert"))),
        Example("Who sank?", "Normandy", text, None),
    ]
    rows = [
        (batch.ids[row], batch.readable[row], batch.starts[row], batch.ends[row])
        for batch in batches(examples, tokenizer, 600, seed=1)
        for row in range(len(batch.ids))
    ]
    assert len(rows) == 2
    assert all(len(ids) <= LONGEST for ids, *_ in rows)
    said = [tokenizer.decode(list(ids[first : last + 1])) for ids, _, first, last in rows if first]
    assert said == ["robert"]
    for ids, readable, first, last in rows:
        assert readable[0]
        assert readable[first : last + 1].all()
        assert "normandy" not in tokenizer.decode(list(ids[readable]))


def test_an_epoch_asks_everything_and_the_impossible_twice() -> None:
    paragraphs = [_paragraph()] * 100
    mined = {"q1": [Negative("Rivers", "The Seine is a river.")]}
    examples = epoch(paragraphs, mined, 0)
    asked = [example.question for example in examples if example.text == TEXT]
    assert asked.count("What is asked as number 1?") == 100
    assert asked.count("What is asked as number 3?") == 200
    wrong = [example for example in examples if example.text != TEXT]
    assert 20 <= len(wrong) <= 50  # 35 of a hundred are expected
    assert {(e.question, e.answer) for e in wrong} == {("What is asked as number 1?", None)}
    assert examples == epoch(paragraphs, mined, 0)
    assert examples != epoch(paragraphs, mined, 1)
