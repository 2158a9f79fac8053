"""The frozen dataclasses that every stage speaks.

Offsets are 0-based, end-exclusive Unicode code points in a document's text.
Two promises hold everywhere and are tested everywhere:
``passage.span.of(document.text) == passage.text`` and
``citation.span.of(document.text) == citation.quote``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rag.errors import FileRefused

_LONGEST_CONTEXT = 80  # characters, for the title and again for the headings


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The characters of `text` that the span covers."""
        return text[self.start : self.end]

    def shifted(self, by: int) -> Span:
        """The same length, `by` code points further on."""
        return Span(self.start + by, self.end + by)

    def contains(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: where it stands (markup included), how deep it is (1 is the top), its words."""

    span: Span
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a file: a name without `/`, distinct among its siblings, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a format's reader found in a file.

    `pages[n]` is the offset at which physical page n + 1 begins; `page_labels[n]` is the label
    the file gives it. Both are empty for formats without pages. `headings` are in text order.
    `skipped` are stretches of the text that are no prose, such as front matter. `attachments`
    become documents of their own, beside this one. `note` is what whoever added the file should
    know although it was read, such as what of it was not.
    """

    text: str
    loader: str
    title: str | None = None
    date: str | None = None
    language: str | None = None
    headings: tuple[Heading, ...] = ()
    pages: tuple[int, ...] = ()
    page_labels: tuple[str, ...] = ()
    skipped: tuple[Span, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Everything a citation says about the document that it points into.

    `size` of its file is in bytes, None where an older version has not noted it.
    """

    document_id: str
    collection: str
    root: str
    source: str
    title: str
    date: str | None
    language: str | None
    sha256: str
    text_sha256: str
    loader: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was read: its text, and the structure found in it."""

    origin: Origin
    text: str
    headings: tuple[Heading, ...] = ()
    pages: tuple[int, ...] = ()
    page_labels: tuple[str, ...] = ()
    skipped: tuple[Span, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """The 1-based physical page on which `offset` stands, if the format has pages."""
        return max(1, bisect_right(self.pages, offset)) if self.pages else None

    def page_label(self, page: int | None) -> str | None:
        """The label that the file gives to a physical page, if it gives any."""
        return self.page_labels[page - 1] if page and self.page_labels else None


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one document that is encoded, found, read and shown as one piece.

    `paragraphs` are the spans of its paragraphs, in document offsets and cut to the passage; the
    first is paragraph number `paragraph` of the document and the others follow it. `before` and
    `after` are up to 32 code points of the document on either side, so that a citation is made
    from the passage alone. `heading` is the path of headings that it stands under: encoded with
    the passage, never quoted.
    """

    document_id: str
    ordinal: int
    span: Span
    text: str
    before: str
    after: str
    paragraphs: tuple[Span, ...]
    paragraph: int
    page: int | None = None
    page_label: str | None = None
    heading: tuple[str, ...] = ()

    @property
    def paragraph_end(self) -> int:
        """The number of its last paragraph."""
        return self.paragraph + len(self.paragraphs) - 1


def with_context(title: str, heading: Sequence[str], text: str) -> str:
    """What is encoded and indexed for a passage: title and headings as context, then its words.

    Long context is shortened to the beginning of the title and the innermost headings.
    """
    path = " / ".join(words for words in heading if words != title)
    parts = (title.replace("_", " ")[:_LONGEST_CONTEXT], path[-_LONGEST_CONTEXT:])
    return f"{' / '.join(filter(None, parts))}\n{text}"


@dataclass(frozen=True, slots=True)
class Place:
    """A passage together with the document it stands in."""

    passage: Passage
    origin: Origin


@dataclass(frozen=True, slots=True)
class Legs:
    """How the two searches saw a passage: its rank from 1 in each, None where it was not among the
    candidates of that search, its cosine, and its BM25 as a share of the question's most.
    """

    dense_rank: int | None = None
    cosine: float = 0.0
    word_rank: int | None = None
    words: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that retrieval found.

    `score` orders hits and is comparable across questions. `among` is how many passages were
    searched. `copies` are other places with the same words in the same order.
    """

    passage: Passage
    origin: Origin
    score: float
    among: int
    copies: tuple[Place, ...] = ()
    legs: Legs = Legs()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer: a span inside a sentence inside a hit's passage, in document offsets.

    `score` compares candidates of all hits of one question. `confidence` is a calibrated
    probability, or None where the reader is not calibrated. `supported` says whether the reader
    stands by it; where no candidate is supported the honest answer is "not found". `span_score`
    and `null_score` are the reader's for these words and for "no answer in this passage"; None
    where it has none.
    """

    hit: Hit
    span: Span
    sentence: Span
    score: float
    supported: bool
    confidence: float | None = None
    span_score: float | None = None
    null_score: float | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote stands, as facts about the file."""

    origin: Origin
    span: Span
    quote: str
    paragraph: int
    paragraph_end: int
    page: int | None
    page_label: str | None
    heading: tuple[str, ...]
    sentence: Span | None
    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Verbatim words of a document, the sentence around them, and where they stand."""

    text: str
    sentence: str
    confidence: float | None
    citation: Citation
    also_in: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage as a reply shows it; ranks start at 1."""

    rank: int
    score: float
    text: str
    citation: Citation
    also_in: tuple[Citation, ...] = ()


class Reason(StrEnum):
    """Why a reply holds no answer."""

    EMPTY_INDEX = "empty_index"
    NO_PASSAGE = "no_passage"
    LOW_CONFIDENCE = "low_confidence"


class Fate(StrEnum):
    """What became of a passage that was considered for an answer."""

    ANSWER = "answer"
    FURTHER_ANSWER = "further_answer"
    SAME_ANSWER = "same_answer"  # as one that stands above it
    CROWDED_OUT = "crowded_out"  # supported, but more answers stand above it than are shown
    LOW_CONFIDENCE = "low_confidence"
    NO_WORDS = "no_words"  # the reader found nothing in it that could answer
    NOT_READ = "not_read"  # the reader reads the nearest passages alone


@dataclass(frozen=True, slots=True)
class Considered:
    """A passage that retrieval found for a question, how it got there, and why it won or lost.

    `terms` are the question's that stand in it, `fused_rank` its rank from 1 by retrieval,
    `rank` its rank from 1 once read. `best` is the reader's best candidate in it, and `quoted`
    cites its words. `also_in` are other places with the same words.
    """

    citation: Citation
    also_in: tuple[Citation, ...]
    legs: Legs
    terms: tuple[str, ...]
    fused_rank: int
    score: float
    rank: int
    best: Candidate | None
    quoted: Citation | None
    fate: Fate


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of a conversation as it was asked, and the words that were answered."""

    question: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a question got. No `answers` is the honest "not found": `reason` says why.

    `rewritten` is the question that was really searched for, where it is not the one asked.
    `calibrated` is the day on which the collection's own calibration was fitted, if it has one.
    `considered` explains it passage by passage, in the order after reading, where that was asked.
    """

    question: str
    collection: str
    answers: tuple[Answer, ...]
    reason: Reason | None
    passages: tuple[RankedPassage, ...]
    generation: int
    embedder: str
    reader: str | None
    took_ms: Mapping[str, float] = field(default_factory=dict)
    calibrated: str | None = None
    considered: tuple[Considered, ...] = ()
    rewritten: str | None = None


class Status(StrEnum):
    """What ingestion did with one file."""

    ADDED = "added"
    REPLACED = "replaced"
    MOVED = "moved"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file's line in an ingest report; a refusal has a reason in words and as a class.

    So has a file that is there and was removed, and one that was moved. `size` is the file's in
    bytes, or its document's where it is gone; None where it is not known.
    `note` is what its reader says of a file that was taken, such as pages without text.
    """

    source: str
    status: Status
    document_id: str | None = None
    reason: str | None = None
    refused_as: type[FileRefused] | None = None
    size: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did: a line per file, and how many passages were encoded or reused."""

    outcomes: tuple[Outcome, ...]
    encoded: int
    reused: int

    @property
    def changed(self) -> bool:
        """Whether the index is another one than before."""
        return any(o.status not in (Status.UNCHANGED, Status.REFUSED) for o in self.outcomes)

    def count(self, status: Status) -> int:
        return sum(outcome.status is status for outcome in self.outcomes)

    def bytes(self, status: Status) -> int:
        """The sizes of files with this outcome, as far as they are known."""
        return sum(one.size or 0 for one in self.outcomes if one.status is status)


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document as a listing shows it."""

    origin: Origin
    paragraphs: int
    passages: int
    characters: int
    ingested_at: str
