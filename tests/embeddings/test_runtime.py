"""How rows are shared out among the streams of a graph."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embeddings.runtime import batches


def test_equal_rows_are_shared_evenly() -> None:
    # Ten rows of 190 tokens would fill batches of 1,024 as 5 and 5; of 210 as 4, 4 and 2.
    for length in (190, 210):
        assert [len(batch) for batch in batches([length] * 10, streams=2)] == [5, 5]
    assert [len(batch) for batch in batches([100] * 40, streams=2)] == [10, 10, 10, 10]
    assert list(batches([7], streams=2)) == [[0]]
    assert list(batches([], streams=2)) == []


@given(st.lists(st.integers(1, 512)), st.integers(1, 4))
def test_every_row_once_and_long_with_long(lengths: list[int], streams: int) -> None:
    made = list(batches(lengths, streams))
    assert sorted(place for batch in made for place in batch) == list(range(len(lengths)))
    ordered = [lengths[place] for batch in made for place in batch]
    assert ordered == sorted(lengths, reverse=True)
    assert all(sum(lengths[p] for p in batch) <= 1536 + 512 for batch in made)
