"""Replies, reports and listings as JSON: the formats that users rely on.

HTTP and `--json` share them; the classes double as the schemas of the OpenAPI description.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from typing_extensions import TypedDict

from rag.store.base import CollectionRecord
from rag.types import (
    Answer,
    Citation,
    DocumentRecord,
    IngestReport,
    Outcome,
    RankedPassage,
    Reply,
    Status,
)


class CitationPayload(TypedDict):
    """Where a quote stands: `text[start:end] == quote` in code points of the document's text."""

    document_id: str
    source: str
    title: str
    date: str | None
    sha256: str
    text_sha256: str
    loader: str
    page: int | None
    page_label: str | None
    heading: list[str]
    paragraph: int
    paragraph_end: int
    start: int
    end: int
    quote: str
    sentence_start: int | None
    sentence_end: int | None
    prefix: str
    suffix: str


class AnswerPayload(TypedDict):
    """Verbatim words, the sentence around them, and where they stand."""

    text: str
    sentence: str
    confidence: float | None
    citation: CitationPayload
    also_in: list[CitationPayload]


class PassagePayload(TypedDict):
    """A passage near the question; `score` orders passages and means nothing else."""

    rank: int
    score: float
    text: str
    citation: CitationPayload
    also_in: list[CitationPayload]


class IndexPayload(TypedDict):
    """The state of the index that a reply speaks of."""

    generation: int
    embedder: str
    reader: str | None


class TimesPayload(TypedDict):
    """Milliseconds."""

    total: float
    retrieve: float
    read: float


class SearchPayload(TypedDict):
    """The nearest passages."""

    question: str
    collection: str
    passages: list[PassagePayload]
    index: IndexPayload
    took_ms: TimesPayload


class ReplyPayload(SearchPayload):
    """The answers, best first, or the reason why there is none."""

    answered: bool
    answer: AnswerPayload | None
    answers: list[AnswerPayload]
    reason: str | None


class DocumentPayload(TypedDict):
    """A document as a listing shows it."""

    document_id: str
    source: str
    title: str
    collection: str
    paragraphs: int
    passages: int
    characters: int
    sha256: str
    text_sha256: str
    loader: str
    date: str | None
    language: str | None
    ingested_at: str


class OutcomePayload(TypedDict):
    """What became of one file."""

    source: str
    status: Status
    document_id: str | None
    reason: str | None


class ReportPayload(TypedDict):
    """What an ingest did."""

    results: list[OutcomePayload]
    added: int
    replaced: int
    unchanged: int
    removed: int
    refused: int
    passages_encoded: int
    passages_reused: int


class CollectionPayload(TypedDict):
    """A collection as a listing shows it."""

    name: str
    documents: int
    passages: int
    generation: int
    embedder: str | None


class StatusPayload(TypedDict):
    """What the index holds, and which model made each collection."""

    version: str
    reader: str
    documents: int
    passages: int
    collections: list[CollectionPayload]


def citation_payload(citation: Citation) -> CitationPayload:
    origin, sentence = citation.origin, citation.sentence
    return {
        "document_id": origin.document_id,
        "source": origin.source,
        "title": origin.title,
        "date": origin.date,
        "sha256": origin.sha256,
        "text_sha256": origin.text_sha256,
        "loader": origin.loader,
        "page": citation.page,
        "page_label": citation.page_label,
        "heading": list(citation.heading),
        "paragraph": citation.paragraph,
        "paragraph_end": citation.paragraph_end,
        "start": citation.span.start,
        "end": citation.span.end,
        "quote": citation.quote,
        "sentence_start": sentence.start if sentence else None,
        "sentence_end": sentence.end if sentence else None,
        "prefix": citation.prefix,
        "suffix": citation.suffix,
    }


def _answer_payload(answer: Answer) -> AnswerPayload:
    return {
        "text": answer.text,
        "sentence": answer.sentence,
        "confidence": answer.confidence,
        "citation": citation_payload(answer.citation),
        "also_in": [citation_payload(citation) for citation in answer.also_in],
    }


def _passage_payload(passage: RankedPassage) -> PassagePayload:
    return {
        "rank": passage.rank,
        "score": round(passage.score, 6),
        "text": passage.text,
        "citation": citation_payload(passage.citation),
        "also_in": [citation_payload(citation) for citation in passage.also_in],
    }


def search_payload(reply: Reply) -> SearchPayload:
    return {
        "question": reply.question,
        "collection": reply.collection,
        "passages": [_passage_payload(passage) for passage in reply.passages],
        "index": {
            "generation": reply.generation,
            "embedder": reply.embedder,
            "reader": reply.reader,
        },
        "took_ms": {
            "total": reply.took_ms["total"],
            "retrieve": reply.took_ms["retrieve"],
            "read": reply.took_ms["read"],
        },
    }


def reply_payload(reply: Reply) -> ReplyPayload:
    answers = [_answer_payload(answer) for answer in reply.answers]
    return {
        **search_payload(reply),
        "answered": bool(answers),
        "answer": answers[0] if answers else None,
        "answers": answers,
        "reason": reply.reason,
    }


def document_payload(record: DocumentRecord) -> DocumentPayload:
    origin = record.origin
    return {
        "document_id": origin.document_id,
        "source": origin.source,
        "title": origin.title,
        "collection": origin.collection,
        "paragraphs": record.paragraphs,
        "passages": record.passages,
        "characters": record.characters,
        "sha256": origin.sha256,
        "text_sha256": origin.text_sha256,
        "loader": origin.loader,
        "date": origin.date,
        "language": origin.language,
        "ingested_at": record.ingested_at,
    }


def outcome_payload(outcome: Outcome) -> OutcomePayload:
    return {
        "source": outcome.source,
        "status": outcome.status,
        "document_id": outcome.document_id,
        "reason": outcome.reason,
    }


def report_payload(report: IngestReport) -> ReportPayload:
    return {
        "results": [outcome_payload(outcome) for outcome in report.outcomes],
        "added": report.count(Status.ADDED),
        "replaced": report.count(Status.REPLACED),
        "unchanged": report.count(Status.UNCHANGED),
        "removed": report.count(Status.REMOVED),
        "refused": report.count(Status.REFUSED),
        "passages_encoded": report.encoded,
        "passages_reused": report.reused,
    }


def collection_payload(record: CollectionRecord) -> CollectionPayload:
    return {
        "name": record.name,
        "documents": record.documents,
        "passages": record.passages,
        "generation": record.generation,
        "embedder": record.embedder,
    }


def status_payload(reader: str, records: Sequence[CollectionRecord]) -> StatusPayload:
    return {
        "version": version("rag-verbatim"),
        "reader": reader,
        "documents": sum(record.documents for record in records),
        "passages": sum(record.passages for record in records),
        "collections": [collection_payload(record) for record in records],
    }
