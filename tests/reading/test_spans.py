"""Windows and spans by hand, and the shipped weights on a passage that can be read at a glance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from embeddings.errors import ModelUnavailable
from rag.reading import models
from rag.reading.confidence import Calibration, Evidence, Ranking, Rivals
from rag.reading.span_reader import _context
from rag.reading.spans import best_spans
from rag.reading.windows import Window, Windows
from rag.types import Hit, Span

TEXT = "Rollo was baptised in 911. He took the name Robert."


def _windows(longest: int) -> Windows:
    tokenizer = Tokenizer.from_file(str(models.WEIGHTS / "tokenizer.json"))
    return Windows(tokenizer, longest, 4)


def test_windows_cover_every_word_and_never_the_context() -> None:
    for longest in (16, 384):
        (cut,) = _windows(longest).of("Who was baptised?", [("Normandy", TEXT)])
        assert (len(cut) > 1) == (longest == 16)
        seen = {word for window in cut for span in window.spans for word in [span.of(TEXT)]}
        assert {"was", "911", "Robert"} <= seen
        assert "Normandy" not in seen
        assert all(len(window.ids) <= longest for window in cut)


def test_a_title_that_is_the_files_name_is_not_read(hit: Callable[..., Hit]) -> None:
    named = hit(TEXT, title="000_03cec3e63b08c063")
    assert _context(named) == ""
    under = replace(named, passage=replace(named.passage, heading=("Dukes", "Rollo")))
    assert _context(under) == "Dukes / Rollo"
    titled = replace(under, origin=replace(under.origin, title="Normandy"))
    assert _context(titled) == "Normandy / Dukes / Rollo"


def test_best_spans_by_hand() -> None:
    spans = [Span(0, 1), Span(1, 3), Span(4, 6), Span(8, 10)]
    window = Window([101, 5, 6, 7, 8], [0] * 5, 1, spans, [0, 0, 1, 2])
    start = np.array([0, 3, 9, 1, 2], dtype=np.float32)
    end = np.array([0, 9, 2, 4, 5], dtype=np.float32)
    found = best_spans(window, start, end, [Span(0, 6), Span(8, 10)], 10)
    # Token 1 is inside a word: no span begins there. Token 0 ends none. The last is alone in its
    # paragraph.
    assert [(s.span, s.logit) for s in found] == [
        (Span(0, 6), 7.0),
        (Span(8, 10), 7.0),
        (Span(0, 3), 5.0),
        (Span(4, 6), 5.0),
    ]


def test_confidence_by_hand() -> None:
    ranking = Ranking(margin=0.5, found=10.0)
    evidence = Evidence(margin=3.0, found=0.5, among=10_000)
    assert ranking.score(evidence) == 6.5
    calibration = Calibration(1.0, margin=0.25, found=2.0, share=3.0, among=-0.5, threshold=0.5)
    # Alone: 1 + 0.25 * 3 + 2 * 0.5 - 0.5 * 4 = 0.75. With half the odds: 3 log 2 less.
    assert calibration.confidence(evidence, 1.0) == pytest.approx(1 / (1 + math.exp(-0.75)))
    half = 1 / (1 + 8 * math.exp(-0.75))
    assert calibration.confidence(evidence, 0.5) == pytest.approx(half)
    assert calibration.confidence(evidence, 0.0) == pytest.approx(0.0)
    assert calibration.confidence(Evidence(-1e9, 0.5, 1), 1.0) == pytest.approx(0.0)
    # Among a tenth of the passages it is surer, and below 1,000 no more.
    fewer = [calibration.confidence(evidence._replace(among=n), 1.0) for n in (1000, 10)]
    assert fewer == pytest.approx([1 / (1 + math.exp(-1.25))] * 2)


def test_shares_by_hand() -> None:
    best = Evidence(2.0, 0.0, 1)
    spans = [
        ("28 days", Evidence(1.0, 0.0, 1)),
        ("In 28 days", best),
        ("25 days", Evidence(0.0, 0.0, 1)),
    ]
    rivals = Rivals(Ranking(), spans)
    assert rivals.best == best
    total = 1 + math.exp(-1) + math.exp(-2)
    # Who says "28 days" says what "In 28 days" says; "25 days" is another answer.
    assert rivals.share(1, *spans[1]) == pytest.approx((1 + math.exp(-1)) / total)
    assert rivals.share(0, *spans[0]) == pytest.approx((1 + math.exp(-1)) / total)
    assert rivals.share(2, *spans[2]) == pytest.approx(math.exp(-2) / total)
    # A second answer of the same passage has its own part, and no share is above 1.
    assert rivals.share(1, "Rouen", Evidence(1.0, 0.0, 1)) == pytest.approx(math.exp(-1) / total)
    assert Rivals(Ranking(), [("Rouen", best)]).share(0, "Rouen", best) == 1
    # Signs alone agree with nothing.
    assert Rivals(Ranking(), [("?", best), ("!", best)]).share(0, "?", best) == 0.5


@pytest.mark.model
def test_the_shipped_reader(hit: Callable[..., Hit], tmp_path: Path) -> None:
    reader = models.load("minilm-squad", tmp_path)
    other = hit("The canteen serves lunch from noon. Soup costs two euros.", title="Canteen")
    best, *_ = reader.read("When was Rollo baptised?", [other, hit(TEXT, title="Normandy")])
    passage = best.hit.passage
    assert best.span.shifted(-passage.span.start).of(passage.text) == "911"
    assert best.sentence.shifted(-passage.span.start).of(passage.text) == TEXT[:26]
    assert best.supported
    assert not any(c.supported for c in reader.read("Who painted the ceiling?", [other]))


def test_an_unknown_reader_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="minilm-squad, sentence"):
        models.load("no/such-reader", tmp_path)
