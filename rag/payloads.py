"""Replies, reports and listings as JSON: the formats that users rely on.

HTTP and `--json` share them; the classes double as the schemas of the OpenAPI description.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from typing_extensions import TypedDict

from rag.access import Token
from rag.backup import Backup
from rag.diagnosing.findings import Diagnosis, Finding
from rag.foreseeing import Forecast
from rag.rebuilding import Rebuilt
from rag.store.base import CollectionRecord, Overview
from rag.types import (
    Answer,
    Citation,
    Considered,
    DocumentRecord,
    IngestReport,
    Outcome,
    RankedPassage,
    Reply,
    Status,
)
from rag.verifying import Verification


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
    """The state of the index that a reply speaks of; `calibrated` is the day of the collection's
    own calibration.
    """

    generation: int
    embedder: str
    reader: str | None
    calibrated: str | None


class ConsideredPayload(TypedDict):
    """A passage that was found, how it got there, and why its words won or lost.

    `rank` is after reading, `fused_rank` before; `dense_rank` by meaning, `word_rank` by words,
    null where that search did not list it. `terms` are the question's that stand in it. `span` is
    what the reader would answer from it, `span_score` and `null_score` the reader's for these words
    and for "no answer here".
    """

    rank: int
    fused_rank: int
    score: float
    dense_rank: int | None
    cosine: float
    word_rank: int | None
    words: float
    terms: list[str]
    citation: CitationPayload
    span: CitationPayload | None
    reader_score: float | None
    span_score: float | None
    null_score: float | None
    confidence: float | None
    fate: str


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
    """The answers, best first, or the reason why there is none; and an `explanation` if asked.

    `rewritten` is the question that was really searched for, where it is not the one asked.
    """

    rewritten: str | None
    answered: bool
    answer: AnswerPayload | None
    answers: list[AnswerPayload]
    reason: str | None
    explanation: list[ConsideredPayload] | None


class VerificationPayload(TypedDict):
    """How a citation stands: `exact`, `moved`, `stale` or `missing`; `detail` says why. `status` is
    null where that can't be told, because the stored document is damaged.

    `start`, `end` and `paragraph` are where its quote stands now, null where it does not. `file` is
    whether the file on the server's disk is the one that was ingested: `same`, `changed`, `gone` or
    `unreachable`; null for an upload.
    """

    status: str | None
    document_id: str | None
    source: str | None
    start: int | None
    end: int | None
    paragraph: int | None
    file: str | None
    detail: str


class DocumentPayload(TypedDict):
    """A document as a listing shows it; `bytes` is its file's size, null where an older version
    has not noted it.
    """

    document_id: str
    source: str
    title: str
    collection: str
    paragraphs: int
    passages: int
    characters: int
    bytes: int | None
    sha256: str
    text_sha256: str
    loader: str
    date: str | None
    language: str | None
    ingested_at: str


class OutcomePayload(TypedDict):
    """What became of one file; a `note` says what was not read of one that was taken."""

    source: str
    status: Status
    document_id: str | None
    reason: str | None
    note: str | None


class CountsPayload(TypedDict):
    """How many files had each outcome."""

    added: int
    replaced: int
    moved: int
    unchanged: int
    removed: int
    refused: int


class ReportPayload(CountsPayload):
    """What an ingest did."""

    results: list[OutcomePayload]
    passages_encoded: int
    passages_reused: int


class ForeseenPayload(OutcomePayload):
    """What would become of one file; its size is null where it is not known."""

    bytes: int | None


class ForecastPayload(CountsPayload):
    """What an ingest would do: sizes by outcome, and how long it would take at the pace of a
    former one, null where none was measured.
    """

    results: list[ForeseenPayload]
    bytes: dict[Status, int]
    seconds: float | None


class CollectionPayload(TypedDict):
    """A collection as a listing shows it."""

    name: str
    documents: int
    passages: int
    generation: int
    embedder: str | None


class FolderPayload(TypedDict):
    """A folder, and how many documents lie in it, however deep."""

    folder: str
    documents: int


class TypePayload(TypedDict):
    """A file extension, and how many documents have it."""

    type: str
    documents: int


class OverviewPayload(CollectionPayload):
    """A collection with what `filters` can name in it: at most 1,000 folders, the shallowest
    first; types; and the earliest and the latest date, null where no document has one.
    """

    folders: list[FolderPayload]
    types: list[TypePayload]
    date_from: str | None
    date_to: str | None


class RebuildingPayload(TypedDict):
    """How far a collection is encoded anew; until then it is asked as it was."""

    collection: str
    documents: int
    total_documents: int


class StatusPayload(TypedDict):
    """What the index holds, and which model made each collection. `writable` is whether whoever
    asks may change it; `rebuilding` is null while this process encodes nothing anew.
    """

    version: str
    reader: str
    documents: int
    passages: int
    collections: list[CollectionPayload]
    writable: bool
    rebuilding: RebuildingPayload | None


class TokenPayload(TypedDict):
    """A named token as a listing shows it; `collections` null means all."""

    name: str
    write: bool
    collections: list[str] | None
    created_at: str


class BackedUpPayload(TypedDict):
    """A collection in a backup."""

    name: str
    documents: int
    passages: int
    embedder: str | None


class BackupPayload(TypedDict):
    """A backup, as its manifest has it; `files` are SHA-256 by name."""

    folder: str
    version: str
    schema: int
    date: str
    collections: list[BackedUpPayload]
    files: dict[str, str]


class FindingPayload(TypedDict):
    """One thing that is or was wrong; `repaired` where it was mended."""

    fault: str
    what: str
    cost: str
    repair: str
    collection: str | None
    source: str | None
    document_id: str | None
    repaired: bool


class DiagnosisPayload(TypedDict):
    """What a doctor read and found; `behind` are rows that the caches will replay, no fault."""

    sound: bool
    findings: list[FindingPayload]
    documents: int
    passages: int
    passages_reencoded: int
    behind: dict[str, int]


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
            "calibrated": reply.calibrated,
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
        "rewritten": reply.rewritten,
        "answered": bool(answers),
        "answer": answers[0] if answers else None,
        "answers": answers,
        "reason": reply.reason,
        "explanation": [_considered_payload(one) for one in reply.considered] or None,
    }


def _considered_payload(one: Considered) -> ConsideredPayload:
    legs, best = one.legs, one.best
    return {
        "rank": one.rank,
        "fused_rank": one.fused_rank,
        "score": round(one.score, 6),
        "dense_rank": legs.dense_rank,
        "cosine": round(legs.cosine, 6),
        "word_rank": legs.word_rank,
        "words": round(legs.words, 6),
        "terms": list(one.terms),
        "citation": citation_payload(one.citation),
        "span": citation_payload(one.quoted) if one.quoted else None,
        "reader_score": best.score if best else None,
        "span_score": best.span_score if best else None,
        "null_score": best.null_score if best else None,
        "confidence": best.confidence if best else None,
        "fate": one.fate,
    }


def verification_payload(one: Verification) -> VerificationPayload:
    return {
        "status": one.status,
        "document_id": one.document_id,
        "source": one.source,
        "start": one.span.start if one.span else None,
        "end": one.span.end if one.span else None,
        "paragraph": one.paragraph,
        "file": one.file,
        "detail": one.detail,
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
        "bytes": origin.size,
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
        "note": outcome.note,
    }


def report_payload(report: IngestReport) -> ReportPayload:
    return {
        "results": [outcome_payload(outcome) for outcome in report.outcomes],
        **_counts_payload(report),
        "passages_encoded": report.encoded,
        "passages_reused": report.reused,
    }


def forecast_payload(forecast: Forecast) -> ForecastPayload:
    report = forecast.report
    return {
        "results": [{**outcome_payload(one), "bytes": one.size} for one in report.outcomes],
        **_counts_payload(report),
        "bytes": {status: report.bytes(status) for status in Status},
        "seconds": forecast.seconds,
    }


def _counts_payload(report: IngestReport) -> CountsPayload:
    return {
        "added": report.count(Status.ADDED),
        "replaced": report.count(Status.REPLACED),
        "moved": report.count(Status.MOVED),
        "unchanged": report.count(Status.UNCHANGED),
        "removed": report.count(Status.REMOVED),
        "refused": report.count(Status.REFUSED),
    }


def collection_payload(record: CollectionRecord) -> CollectionPayload:
    return {
        "name": record.name,
        "documents": record.documents,
        "passages": record.passages,
        "generation": record.generation,
        "embedder": record.embedder,
    }


def overview_payload(overview: Overview) -> OverviewPayload:
    return {
        **collection_payload(overview.record),
        "folders": [{"folder": name, "documents": n} for name, n in overview.folders],
        "types": [{"type": name, "documents": n} for name, n in overview.types],
        "date_from": overview.date_from,
        "date_to": overview.date_to,
    }


def status_payload(
    reader: str,
    records: Sequence[CollectionRecord],
    rebuilding: Rebuilt | None = None,
    *,
    writable: bool = True,
) -> StatusPayload:
    return {
        "version": version("rag-verbatim"),
        "reader": reader,
        "documents": sum(record.documents for record in records),
        "passages": sum(record.passages for record in records),
        "collections": [collection_payload(record) for record in records],
        "writable": writable,
        "rebuilding": {
            "collection": rebuilding.collection,
            "documents": rebuilding.documents,
            "total_documents": rebuilding.total_documents,
        }
        if rebuilding
        else None,
    }


def token_payload(token: Token) -> TokenPayload:
    return {
        "name": token.name,
        "write": token.writes,
        "collections": token.collections,
        "created_at": token.created_at,
    }


def backup_payload(backup: Backup) -> BackupPayload:
    return {
        "folder": str(backup.folder),
        "version": backup.version,
        "schema": backup.schema,
        "date": backup.date,
        "collections": [
            {
                "name": one.name,
                "documents": one.documents,
                "passages": one.passages,
                "embedder": one.embedder,
            }
            for one in backup.collections
        ],
        "files": dict(backup.files),
    }


def diagnosis_payload(diagnosis: Diagnosis) -> DiagnosisPayload:
    checkup = diagnosis.after or diagnosis.before
    repaired = [_finding_payload(finding, repaired=True) for finding in diagnosis.repaired]
    left = [_finding_payload(finding, repaired=False) for finding in diagnosis.left]
    return {
        "sound": not left,
        "findings": [*repaired, *left],
        "documents": checkup.documents,
        "passages": checkup.passages,
        "passages_reencoded": checkup.reencoded,
        "behind": checkup.behind,
    }


def _finding_payload(finding: Finding, *, repaired: bool) -> FindingPayload:
    return {
        "fault": finding.fault,
        "what": finding.what,
        "cost": finding.fault.cost,
        "repair": finding.fault.cure,
        "collection": finding.collection,
        "source": finding.source,
        "document_id": finding.document_id,
        "repaired": repaired,
    }
