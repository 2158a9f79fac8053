"""What every embedder promises; one suite over all of them."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.base import Embedder

TEXTS = (
    "Employees get thirty days of paid leave a year.",
    "Laptops are replaced every four years.",
    "Leave",
    "Travel by train is booked by the office, and paid by it. " * 4,
)
HOSTILE = {
    "empty": "",
    "blank": " \t\r\n\u2028",
    "emoji": "\U0001f468‍\U0001f469‍\U0001f467 \U0001f600",
    "nul": "one\0two",
    "control": "\x01\x7f\u202e\ufeff",
    "lone surrogate": "before \ud800 after",
    "combining": "e" + "\u0301" * 500,
    "no spaces": "x" * 5_000,
}


def test_rows_are_float32_of_unit_length(embedder: Embedder) -> None:
    rows = embedder.embed_passages(TEXTS)
    assert rows.shape == (len(TEXTS), embedder.dimension)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_question_is_one_such_row(embedder: Embedder) -> None:
    question = embedder.embed_question(TEXTS[0])
    assert question.shape == (embedder.dimension,)
    assert question.dtype == np.float32
    np.testing.assert_allclose(question, embedder.embed_passages(TEXTS[:1])[0], atol=1e-5)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)
    assert embedder.embed_passages([]).dtype == np.float32
    assert embedder.count_tokens([]) == []


def test_order_is_kept_whatever_the_lengths(embedder: Embedder) -> None:
    texts = [f"leave {number} " * (1 + 7 * number % 30) for number in range(30)]
    alone = np.stack([embedder.embed_question(text) for text in texts])
    same = (embedder.embed_passages(texts) * alone).sum(axis=1)
    assert float(same.min()) >= 0.9999  # bfloat16 included, where there is any


def test_the_same_call_gives_the_same_bits(embedder: Embedder) -> None:
    first, second = embedder.embed_passages(TEXTS), embedder.embed_passages(TEXTS)
    assert first.tobytes() == second.tobytes()


def test_similar_wording_is_nearer(embedder: Embedder) -> None:
    rows = embedder.embed_passages(TEXTS)
    nearest = rows @ embedder.embed_question("How many days of paid leave do employees get?")
    assert int(nearest.argmax()) == 0


def test_tokens_are_counted_beyond_the_limit(embedder: Embedder) -> None:
    one, two, many = embedder.count_tokens(["leave", "leave days", "leave " * 1000])
    assert (one, two, many) == (3, 4, 1002)
    assert embedder.max_tokens == 256


def test_what_lies_beyond_the_limit_is_cut(embedder: Embedder) -> None:
    within = "leave " * (embedder.max_tokens - 2)
    beyond = embedder.embed_passages([within, within + "submarine " * 300])
    np.testing.assert_allclose(beyond[0], beyond[1], atol=1e-5)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_embedded_too(embedder: Embedder, text: str) -> None:
    assert embedder.count_tokens([text])[0] >= 2
    for row in (embedder.embed_question(text), embedder.embed_passages([text])[0]):
        assert float(np.linalg.norm(row)) == pytest.approx(1, abs=1e-5)


def test_a_megabyte_of_text_is_cut(embedder: Embedder) -> None:
    row = embedder.embed_passages(["all work and no play " * 50_000])[0]
    assert float(np.linalg.norm(row)) == pytest.approx(1, abs=1e-5)


def test_it_has_a_name_and_a_fingerprint(embedder: Embedder) -> None:
    assert embedder.name
    assert embedder.fingerprint
    assert "/" not in embedder.name
