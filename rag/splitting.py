"""Documents to passages, each with its exact span.

Cut points respect, in this order: headings and pages, paragraphs, sentences. A paragraph that is
too long for the encoder is cut between sentences; a sentence that is still too long is cut by
langchain's RecursiveCharacterTextSplitter at line ends, clauses or words, and only as a last resort
between any two graphemes. That splitter only chooses where to cut: the spans are ours, and together
they cover the prose without gap or overlap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby, pairwise, zip_longest
from math import ceil

from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag.errors import FileRefused
from rag.text import grapheme_floor, paragraphs, sentences, trimmed
from rag.types import Document, Heading, Passage, Span, with_context

LONGEST_PASSAGE = 2_000  # characters; the encoder's token limit is usually reached before
SHORT_PASSAGE = 250  # characters; shorter ones take in the paragraph that follows
_RULES = "split/1"
CONTEXT = 32  # characters of the document kept on either side of a passage
_CUTS = ["\n", "; ", ", ", " ", ""]
_SLACKS = (4, 16, 64)  # tokens left free, because counts of parts need not add up to the whole's

CountTokens = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of one paragraph, small enough for a passage of its own."""

    span: Span
    tokens: int
    budget: int
    paragraph: int
    section: int
    page: int | None


class Splitter:
    """Cuts documents for an encoder that reads at most `max_tokens` tokens.

    `count_tokens` counts with special tokens, as `Embedder.count_tokens` does.
    """

    def __init__(self, count_tokens: CountTokens, max_tokens: int) -> None:
        self._count = count_tokens
        self._max_tokens = max_tokens

    @property
    def name(self) -> str:
        """Differs wherever the same document would be cut differently."""
        return f"{_RULES} {self._max_tokens}"

    def split(self, document: Document) -> list[Passage]:
        """The passages in text order; headings are context, never part of a passage's text.

        Raises `FileRefused` where a title or heading leaves no room for the text.
        """
        title = document.origin.title
        for slack in _SLACKS:
            passages = self._passages(document, slack)
            encoded = [with_context(title, p.heading, p.text) for p in passages]
            if max(self._count(encoded), default=0) <= self._max_tokens:
                return passages
        raise FileRefused("its text can't be cut to fit the encoder: shorten its title or headings")

    def _passages(self, document: Document, slack: int) -> list[Passage]:
        sections = heading_paths(document.headings)
        groups = _grouped(document.text, self._pieces(document, sections, slack))
        return [
            _passage(document, group, ordinal, sections[group[0].section])
            for ordinal, group in enumerate(groups)
        ]

    def _pieces(
        self, document: Document, sections: Sequence[tuple[str, ...]], slack: int
    ) -> Iterator[_Piece]:
        @cache
        def budget_of(section: int) -> int:
            context = with_context(document.origin.title, sections[section], "")
            return max(1, self._max_tokens - slack - self._count([context])[0])

        starts = [heading.span.start for heading in document.headings]
        bodies = list(_bodies(document))
        counts = self._count([span.of(document.text) for _, span in bodies])
        for (paragraph, body), tokens in zip(bodies, counts, strict=True):
            section = bisect_right(starts, body.start)
            budget = budget_of(section)
            page = document.page_at(body.start)
            for span, count in self._fitting(document.text, body, tokens, budget):
                yield _Piece(span, count, budget, paragraph, section, page)

    def _fitting(
        self, text: str, span: Span, tokens: int, budget: int
    ) -> Iterable[tuple[Span, int]]:
        if _fits(span, tokens, budget):
            return [(span, tokens)]
        whole = sentences(text, span)
        counts = self._count([sentence.of(text) for sentence in whole])
        parts: list[tuple[Span, int]] = []
        for sentence, count in zip(whole, counts, strict=True):
            parts += self._cut(text, sentence, count, budget)
        return _packed(parts, budget)

    def _cut(self, text: str, span: Span, tokens: int, budget: int) -> list[tuple[Span, int]]:
        if _fits(span, tokens, budget):
            return [(span, tokens)]
        length = span.end - span.start
        size = min(LONGEST_PASSAGE, length * budget // tokens, length // 2)
        spans = _cut_spans(text, span, max(1, size))
        if len(spans) < 2:
            return [(span, tokens)]  # a single grapheme
        counts = self._count([part.of(text) for part in spans])
        return [
            piece
            for part, count in zip(spans, counts, strict=True)
            for piece in self._cut(text, part, count, budget)
        ]


def _fits(span: Span, tokens: int, budget: int) -> bool:
    return tokens <= budget and span.end - span.start <= LONGEST_PASSAGE


def _cut_spans(text: str, span: Span, size: int) -> list[Span]:
    splitter = RecursiveCharacterTextSplitter(
        _CUTS, keep_separator="end", chunk_size=size, chunk_overlap=0, strip_whitespace=False
    )
    chunks = splitter.split_text(span.of(text))
    cuts = accumulate((len(chunk) for chunk in chunks[:-1]), initial=span.start)
    bounds = sorted({grapheme_floor(text, cut) for cut in cuts} | {span.start, span.end})
    parts = (trimmed(text, Span(*ends)) for ends in pairwise(bounds))
    return [part for part in parts if part.start < part.end]


def _packed(parts: Sequence[tuple[Span, int]], budget: int) -> Iterator[tuple[Span, int]]:
    """Neighbours joined into as few pieces as fit, of about the same size."""
    total = sum(tokens for _, tokens in parts)
    aim = total / ceil(total / budget)
    start, size = parts[0][0].start, 0
    end = start
    for span, tokens in parts:
        joined = Span(start, span.end)
        if size and (size >= aim or not _fits(joined, size + tokens, budget)):
            yield Span(start, end), size
            start, size = span.start, 0
        end, size = span.end, size + tokens
    yield Span(start, end), size


def heading_paths(headings: Sequence[Heading]) -> list[tuple[str, ...]]:
    """The path of headings above each stretch between headings, the one before the first too."""
    path: list[Heading] = []
    paths: list[tuple[str, ...]] = [()]
    for heading in headings:
        path = [above for above in path if above.level < heading.level] + [heading]
        paths.append(tuple(above.text for above in path))
    return paths


def _bodies(document: Document) -> Iterator[tuple[int, Span]]:
    """The prose of each paragraph with its number: headings and skipped stretches left out."""
    blanks = sorted([*_titles(document), *document.skipped])
    for number, paragraph in enumerate(paragraphs(document.text), start=1):
        start = paragraph.start
        for blank in _overlapping(blanks, paragraph):
            yield from _prose(document.text, number, start, min(blank.start, paragraph.end))
            start = max(start, blank.end)
        yield from _prose(document.text, number, start, paragraph.end)


def _prose(text: str, number: int, start: int, end: int) -> Iterator[tuple[int, Span]]:
    span = trimmed(text, Span(start, max(start, end)))
    if span.start < span.end:
        yield number, span


def _overlapping(blanks: Sequence[Span], paragraph: Span) -> Iterator[Span]:
    # The blanks are in order and apart, so their ends are in order too.
    first = bisect_right(blanks, paragraph.start, key=lambda blank: blank.end)
    for blank in blanks[first:]:
        if blank.start >= paragraph.end:
            return
        yield blank


def _titles(document: Document) -> Iterator[Span]:
    """Headings that have something under them; one that has nothing is prose like any other."""
    for heading, below in zip_longest(document.headings, document.headings[1:]):
        until = below.span.start if below else len(document.text)
        under = document.text[heading.span.end : until]
        if under.strip() or (below and below.level > heading.level):
            yield heading.span


def _grouped(text: str, pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Pieces that become one passage: a short one takes in its neighbours while they fit."""
    group: list[_Piece] = []
    for piece in pieces:
        if group and not _joins(text, group, piece):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _joins(text: str, group: Sequence[_Piece], piece: _Piece) -> bool:
    first, last = group[0], group[-1]
    return (
        (first.section, first.page) == (piece.section, piece.page)
        and last.span.end - first.span.start < SHORT_PASSAGE
        and not text[last.span.end : piece.span.start].strip()
        and _fits(
            Span(first.span.start, piece.span.end),
            sum(member.tokens for member in group) + piece.tokens,
            piece.budget,
        )
    )


def _passage(
    document: Document, group: Sequence[_Piece], ordinal: int, heading: tuple[str, ...]
) -> Passage:
    text = document.text
    span = Span(group[0].span.start, group[-1].span.end)
    by_paragraph = groupby(group, key=lambda piece: piece.paragraph)
    members = [list(pieces) for _, pieces in by_paragraph]
    page = group[0].page
    return Passage(
        document_id=document.origin.document_id,
        ordinal=ordinal,
        span=span,
        text=span.of(text),
        before=text[max(0, span.start - CONTEXT) : span.start],
        after=text[span.end : span.end + CONTEXT],
        paragraphs=tuple(Span(m[0].span.start, m[-1].span.end) for m in members),
        paragraph=group[0].paragraph,
        page=page,
        page_label=document.page_label(page),
        heading=heading,
    )
