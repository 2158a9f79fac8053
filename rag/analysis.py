"""Text to terms, the same way for the word index, for questions and for the reader."""

from __future__ import annotations

from functools import cache
from unicodedata import normalize

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

ANALYZER = "english"
_LONGEST_TERM = 40  # bytes; longer runs are hashes and encoded data, not words

_FUNCTION_WORDS = """
    a an and are as at be but by for if in into is it no not of on or such that the their then
    there these they this to was will with
"""  # Lucene's English list, the one behind tantivy's own filter
_QUESTION_WORDS = """
    what which who whom whose when where why how
    do does did has have had were been being am
"""  # rare in passages, so BM25 would take them for telling words: recall@1 .776, without them .786
_AFTER_APOSTROPHES = ["s", "t", "re", "ve", "ll"]  # of city's, don't; in lower case alone


@cache
def analyzer() -> TextAnalyzer:
    """What the word index registers under the name ANALYZER."""
    stop_words = (_FUNCTION_WORDS + _QUESTION_WORDS).split()
    as_written = [*stop_words, *(word.capitalize() for word in stop_words), *_AFTER_APOSTROPHES]
    return (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(_LONGEST_TERM))
        # Before letters are lowered: IT and WHO are names, it and Who are not.
        .filter(Filter.custom_stopword(as_written))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.lowercase())  # folding may bring a capital: a rare letter's fold is S
        .filter(Filter.stemmer("english"))
        .build()
    )


def terms(text: str) -> list[str]:
    """Lower-cased, accent-folded, stemmed English terms in text order, stop words left out."""
    return analyzer().analyze(composed(text).encode(errors="replace").decode())


def composed(text: str) -> str:
    """The form in which text is analysed: one letter with its accent is one character (NFC)."""
    return normalize("NFC", text)
