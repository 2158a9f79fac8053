"""Windows and spans by hand, and the shipped weights on a passage that can be read at a glance."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from embeddings.errors import ModelUnavailable
from rag.reading import models
from rag.reading.confidence import Calibration, Evidence, Ranking, rivals
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
    calibration = Calibration(-1.0, 0.5, 0.0, 2.0, 0.25, 0.5)
    evidence = Evidence(margin=3.0, selection=1.0, found=0.5)
    score = Ranking(margin=1.0, found=2.0).score(evidence)
    assert score == 4.0
    # -1 + 0.5 * 4 + 0.25 * (4 - 2) + 2 * 0.5 = 2.5
    expected = 1 / (1 + math.exp(-2.5))
    assert calibration.confidence(score, 2.0, evidence) == pytest.approx(expected)
    assert rivals([1.0, 5.0, 3.0]) == [5.0, 3.0, 5.0]
    assert rivals([1.0]) == [-math.inf]


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
