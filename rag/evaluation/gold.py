"""Where the evidence for a question stands in the index."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import PurePosixPath

from rag.evaluation.questions import Evidence, Question
from rag.service import Service
from rag.text import paragraphs
from rag.types import Citation, Span

_MOST_PLACES = 50  # of one quote in one document
_HELD = 0.5  # share of a quote that a passage must hold: a quote may run over a cut
_TEXTS = 200  # documents whose text is kept


@dataclass(frozen=True, slots=True)
class Stand:
    """A place where a piece of evidence stands, and the number of its paragraph."""

    document_id: str
    span: Span
    paragraph: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of evidence and every place where it stands; `missing` says why there is none.

    `source` is the file's path in the index, or its name in the set where that is none of them.
    """

    source: str
    quote: str | None
    stands: tuple[Stand, ...]
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Gold:
    """All evidence for one question, as it stands in the index."""

    pieces: tuple[Piece, ...]

    def held_by(self, places: Iterable[Citation]) -> frozenset[int]:
        """The pieces, by number, that passages cited so hold at least half of."""
        cited = list(places)
        return frozenset(
            number
            for number, piece in enumerate(self.pieces)
            if any(_holds(place, stand) for place in cited for stand in piece.stands)
        )

    def same_paragraph(self, citation: Citation) -> bool:
        """Whether evidence begins in a paragraph that the citation touches."""
        return any(
            citation.paragraph <= stand.paragraph <= citation.paragraph_end
            for stand in self._in(citation)
        )

    def quoted_by(self, citation: Citation) -> bool:
        """Whether the cited sentence holds the evidence, or the evidence the sentence."""
        quote = citation.sentence or citation.span
        return any(
            quote.contains(stand.span) or stand.span.contains(quote) for stand in self._in(citation)
        )

    def _in(self, citation: Citation) -> Iterator[Stand]:
        for piece in self.pieces:
            for stand in piece.stands:
                if stand.document_id == citation.origin.document_id:
                    yield stand


def _holds(citation: Citation, stand: Stand) -> bool:
    if citation.origin.document_id != stand.document_id:
        return False
    shared = min(citation.span.end, stand.span.end) - max(citation.span.start, stand.span.start)
    return shared >= _HELD * (stand.span.end - stand.span.start)


class Locator:
    """Finds evidence in the documents of one collection."""

    def __init__(self, service: Service, collection: str) -> None:
        self._service = service
        self._by_source: dict[str, list[str]] = {}
        self._by_name: dict[str, set[str]] = {}
        for record in service.all_documents(collection):
            source = record.origin.source
            self._by_source.setdefault(source, []).append(record.origin.document_id)
            path = PurePosixPath(source)
            for name in (source, path.name, path.stem, str(path.with_suffix(""))):
                self._by_name.setdefault(name, set()).add(source)
        self._read = lru_cache(_TEXTS)(self._document)

    def text(self, document_id: str) -> str:
        """A document's text. Raises `NotFound` where it was removed meanwhile."""
        return self._read(document_id)[0]

    def source_of(self, name: str) -> str | None:
        """The one source that a question set calls `name`: by its path, or by its file's name or
        stem where no other file has the same.
        """
        if name in self._by_source:
            return name
        found = self._by_name.get(name, set())
        return next(iter(found)) if len(found) == 1 else None

    def gold(self, question: Question) -> Gold:
        """Where each piece of the question's evidence stands."""
        return Gold(tuple(self._piece(piece, question.answers) for piece in question.evidence))

    def _piece(self, evidence: Evidence, answers: Sequence[str]) -> Piece:
        source = self.source_of(evidence.source)
        if source is None:
            return Piece(evidence.source, evidence.quote, (), f"{evidence.source} is not indexed")
        patterns = [_quoted(evidence.quote)] if evidence.quote else map(whole_words, answers)
        stands = tuple(
            stand
            for pattern in patterns
            for document_id in self._by_source[source]
            for stand in self._found(document_id, pattern)
        )
        words = evidence.quote or " / ".join(answers)
        missing = None if stands else f"{source} does not say {words!r}"
        return Piece(source, evidence.quote, stands, missing)

    def _found(self, document_id: str, pattern: re.Pattern[str]) -> Iterator[Stand]:
        text, starts = self._read(document_id)
        for match in islice(pattern.finditer(text), _MOST_PLACES):
            yield Stand(document_id, Span(*match.span()), bisect_right(starts, match.start()))

    def _document(self, document_id: str) -> tuple[str, list[int]]:
        """A document's text, and where its paragraphs begin."""
        document, _ = self._service.document(document_id)
        return document.text, [paragraph.start for paragraph in paragraphs(document.text)]


def _quoted(quote: str) -> re.Pattern[str]:
    """Its words in whatever case and whatever white space parts them."""
    return re.compile(_words(quote), re.IGNORECASE)


def whole_words(answer: str) -> re.Pattern[str]:
    """The same, but "art" does not stand in "party"."""
    return re.compile(rf"(?<!\w){_words(answer)}(?!\w)", re.IGNORECASE)


def _words(text: str) -> str:
    return r"\s+".join(map(re.escape, text.split()))
