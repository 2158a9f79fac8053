"""The weight-free embedder: stable everywhere, and near where words are shared."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embeddings.hashing import HashingEmbedder

EMBEDDER = HashingEmbedder()


def test_one_letter_is_its_word_and_its_one_trigram() -> None:
    expected = np.zeros(256)
    for feature in (b"a", b"<a>"):
        place = int.from_bytes(blake2b(feature, digest_size=8).digest(), "little") % 512
        expected[place % 256] += 1 if place < 256 else -1
    vector = EMBEDDER.embed_question("a")
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), rtol=1e-6)


def test_letter_case_punctuation_and_repetition_change_nothing() -> None:
    once = EMBEDDER.embed_question("paid leave")
    assert once.tobytes() == EMBEDDER.embed_question("Leave, paid: PAID leave!").tobytes()


def test_an_inflected_word_is_near() -> None:
    word = EMBEDDER.embed_question("employee")
    assert word @ EMBEDDER.embed_question("employees") > 0.6
    assert abs(word @ EMBEDDER.embed_question("submarine")) < 0.3


def test_a_text_without_words_is_the_first_axis() -> None:
    for text in ("", "...", "\U0001f600"):
        assert EMBEDDER.embed_question(text).tolist() == [1, *[0] * 255]


@given(st.text())
def test_any_text_gives_a_unit_vector(text: str) -> None:
    assert np.isclose(np.linalg.norm(EMBEDDER.embed_question(text)), 1, atol=1e-5)
    assert EMBEDDER.count_tokens([text])[0] >= 2
