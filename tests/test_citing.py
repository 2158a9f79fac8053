"""Citations are made from the passage alone and agree with the document."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embeddings.hashing import HashingEmbedder
from rag.citing import cite, cite_passage
from rag.splitting import Splitter
from rag.text import paragraphs
from rag.types import Document, Origin, Place, Span

SPLITTER = Splitter(HashingEmbedder().count_tokens, 64)
ORIGIN = Origin("d", "c", "r", "s.txt", "Title", None, None, "0", "0", "text/1")


@given(st.text("ab .\n\r\u2028é👩‍👧", min_size=1, max_size=400), st.data())
def test_every_span_of_every_passage(text: str, data: st.DataObject) -> None:
    document = Document(ORIGIN, text)
    for passage in SPLITTER.split(document):
        start = data.draw(st.integers(passage.span.start, passage.span.end - 1))
        end = data.draw(st.integers(start + 1, passage.span.end))
        citation = cite(Place(passage, ORIGIN), Span(start, end))
        assert citation.quote == text[start:end]
        assert citation.prefix == text[max(0, start - 32) : start]
        assert citation.suffix == text[end : end + 32]
        numbers = [
            number
            for number, paragraph in enumerate(paragraphs(text), start=1)
            if paragraph.start < end and start < paragraph.end
        ]
        if numbers and text[start:end].strip() and text[start].strip() and text[end - 1].strip():
            assert (citation.paragraph, citation.paragraph_end) == (numbers[0], numbers[-1])


def test_a_passage_s_citation_quotes_the_passage() -> None:
    text = "One.\n\nTwo."
    (passage,) = SPLITTER.split(Document(ORIGIN, text))
    citation = cite_passage(Place(passage, ORIGIN))
    assert (citation.quote, citation.paragraph, citation.paragraph_end) == (text, 1, 2)
    assert citation.sentence is None
