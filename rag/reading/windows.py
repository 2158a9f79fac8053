"""A question and a passage as the token windows that a reader's model takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from embeddings.text import encodable
from rag.types import Span

LONGEST_QUESTION = 64  # tokens; what lies beyond is not read
_PASSAGE = 1  # the second sequence of a pair


@dataclass(frozen=True, slots=True)
class Window:
    """One input row. `spans[i]` are the characters of the passage that token `first + i` covers,
    `words[i]` is the number of the word that it belongs to.
    """

    ids: Sequence[int]
    types: Sequence[int]
    first: int
    spans: Sequence[Span]
    words: Sequence[int]


class Windows:
    """Cuts pairs of question and passage into windows of at most `longest` tokens.

    A passage that is too long for one window is covered by several that share `stride` tokens, so
    that an answer which one of them cuts is whole in the next.
    """

    def __init__(self, tokenizer: Tokenizer, longest: int, stride: int) -> None:
        self._question = Tokenizer.from_str(tokenizer.to_str())
        self._question.no_padding()
        self._question.enable_truncation(LONGEST_QUESTION)
        self._pair = Tokenizer.from_str(tokenizer.to_str())
        self._pair.no_padding()
        self._pair.enable_truncation(longest, stride=stride, strategy="only_second")

    def of(self, question: str, passages: Sequence[tuple[str, str]]) -> list[list[Window]]:
        """For each passage, given as (context, text), its windows.

        The context stands before the text and is read, but no token of it belongs to a window's
        `spans`.
        """
        asked = self._shortened(question)
        before = [f"{context}\n" if context else "" for context, _ in passages]
        texts = encodable([h + text for h, (_, text) in zip(before, passages, strict=True)])
        pairs = [(asked, text) for text in texts]
        return [
            [_window(part, len(head)) for part in (encoding, *encoding.overflowing)]
            for encoding, head in zip(self._pair.encode_batch(pairs), before, strict=True)
        ]

    def _shortened(self, question: str) -> str:
        (whole,) = encodable([question])
        offsets = self._question.encode(whole).offsets
        return whole[: max((end for _, end in offsets), default=0)]


def _window(encoding: Encoding, skipped: int) -> Window:
    """`skipped` characters of the second sequence are context."""
    places = [
        place
        for place, (sequence, (start, end)) in enumerate(
            zip(encoding.sequence_ids, encoding.offsets, strict=True)
        )
        if sequence == _PASSAGE and start >= skipped and end > start
    ]
    first = places[0] if places else len(encoding.ids)
    readable = slice(first, first + len(places))
    spans = [Span(start - skipped, end - skipped) for start, end in encoding.offsets[readable]]
    words = [-1 if word is None else word for word in encoding.word_ids[readable]]
    return Window(encoding.ids, encoding.type_ids, first, spans, words)
