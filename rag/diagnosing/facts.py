"""What a passage must say, told from its document and its span alone.

Independent of how passages are cut: this also holds for those that older rules have cut.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from rag.splitting import CONTEXT, heading_paths
from rag.text import paragraphs, trimmed
from rag.types import Document, Passage, Span


class Facts:
    """The truth about any stretch of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._paragraphs = paragraphs(document.text)
        self._ends = [paragraph.end for paragraph in self._paragraphs]
        self._starts = [paragraph.start for paragraph in self._paragraphs]
        self._headings = [heading.span.start for heading in document.headings]
        self._paths = heading_paths(document.headings)

    @property
    def paragraphs(self) -> int:
        return len(self._paragraphs)

    def passage(self, ordinal: int, span: Span) -> Passage:
        """The passage that stands there."""
        text = self._document.text
        first = bisect_right(self._ends, span.start)
        last = bisect_left(self._starts, span.end)
        page = self._document.page_at(span.start)
        return Passage(
            document_id=self._document.origin.document_id,
            ordinal=ordinal,
            span=span,
            text=span.of(text),
            before=text[max(0, span.start - CONTEXT) : span.start],
            after=text[span.end : span.end + CONTEXT],
            paragraphs=tuple(
                trimmed(text, Span(max(p.start, span.start), min(p.end, span.end)))
                for p in self._paragraphs[first:last]
            ),
            paragraph=first + 1,
            page=page,
            page_label=self._document.page_label(page),
            heading=self._paths[bisect_right(self._headings, span.start)],
        )
