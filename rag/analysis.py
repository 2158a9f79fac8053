"""Text to terms, the same way for the word index, for questions and for the reader."""

from __future__ import annotations

from functools import cache

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

ANALYZER = "english"
_LONGEST_TERM = 40  # bytes; longer runs are hashes and encoded data, not words


@cache
def analyzer() -> TextAnalyzer:
    """What the word index registers under the name ANALYZER."""
    return (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(_LONGEST_TERM))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.stopword("english"))
        .filter(Filter.stemmer("english"))
        .build()
    )


def terms(text: str) -> list[str]:
    """Lower-cased, accent-folded, stemmed English terms in text order, stop words left out."""
    return analyzer().analyze(text)
