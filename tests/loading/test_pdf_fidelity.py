"""Generated documents with known paragraphs; `python -m tests.bench.pdf` measures many more."""

from __future__ import annotations

import pytest

from tests.bench.pdf import Fidelity, judged
from tests.bench.pdf_pages import make


@pytest.mark.parametrize(("columns", "floor"), [(1, 0.97), (2, 0.95)])
def test_paragraphs_arrive_as_they_were_written(columns: int, floor: float) -> None:
    total = sum((judged(make(seed, columns)) for seed in range(8)), Fidelity(0, 0, 0))
    assert total.written > 400
    assert total.share >= floor
    assert total.extra <= 0.03 * total.written
