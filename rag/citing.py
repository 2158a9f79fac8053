"""Spans in passages to citations in documents: pure functions.

Everything is computed from the passage alone, which carries the characters around it.
"""

from __future__ import annotations

from bisect import bisect_right

from rag.types import Citation, Hit, Passage, Place, Span

_AROUND = 32  # characters of the document quoted on either side


def cite(place: Place, span: Span, sentence: Span | None = None) -> Citation:
    """The citation of a span, given in document offsets, that lies inside the place's passage."""
    passage = place.passage
    around = passage.before + passage.text + passage.after
    local = span.shifted(len(passage.before) - passage.span.start)
    return Citation(
        origin=place.origin,
        span=span,
        quote=local.of(around),
        paragraph=_paragraph(passage, span.start),
        paragraph_end=_paragraph(passage, span.end - 1),
        page=passage.page,
        page_label=passage.page_label,
        heading=passage.heading,
        sentence=sentence,
        prefix=around[max(0, local.start - _AROUND) : local.start],
        suffix=around[local.end : local.end + _AROUND],
    )


def cite_passage(place: Place) -> Citation:
    """The citation of the whole passage."""
    return cite(place, place.passage.span)


def place_of(hit: Hit) -> Place:
    """Where the hit's own passage stands."""
    return Place(hit.passage, hit.origin)


def _paragraph(passage: Passage, offset: int) -> int:
    starts = [paragraph.start for paragraph in passage.paragraphs]
    return passage.paragraph + max(0, bisect_right(starts, offset) - 1)
