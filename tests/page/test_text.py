"""Paragraphs and offsets as the page counts them agree with the program's, on hostile texts."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from rag.text import paragraphs

if TYPE_CHECKING:
    from playwright.sync_api import Page

PIECES = [
    *("a", "b c", "é", "e\u0301", "🧭", "👩‍👩‍👧", "שלום", "\ufeff", "\u200b", "\u180e", "\x00"),
    *(" ", "\t", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u1680"),
    *("\u2000", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"),
    *(("\n", "\r\n", "\r", "\n\n", "\r\r", "\r\n\r\n", "\n \n") * 3),
]
COUNT = """async (texts) => {
  const { paragraphs, unitsAt } = await import("/page/text.js");
  return texts.map((text) => {
    const found = paragraphs(text);
    const points = Array.from(text);
    const units = unitsAt(text, points.map((_, at) => at).concat(points.length));
    return {
      blocks: found.map(({ number, start, end }) => [number, text.slice(start, end)]),
      whole: found.length === 0 || (found[0].start === 0 && found.at(-1).next === text.length
        && found.every(({ end, next }, at) => end <= next
          && (at === 0 || found[at - 1].next === found[at].start))),
      offsets: points.every((point, at) => text.slice(units[at], units[at + 1]) === point),
    };
  });
}"""


@pytest.mark.parametrize("seed", range(2))
def test_paragraphs_and_offsets_agree(page: Page, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    texts = ["".join(chance.choices(PIECES, k=chance.randrange(25))) for _ in range(1000)]
    page.goto("/")
    for text, counted in zip(texts, page.evaluate(COUNT, texts), strict=True):
        spans = paragraphs(text)
        assert [number for number, _ in counted["blocks"]] == list(range(1, len(spans) + 1))
        assert [block.strip() for _, block in counted["blocks"]] == [
            span.of(text) for span in spans
        ], repr(text)
        assert counted["whole"], repr(text)
        assert counted["offsets"], repr(text)
