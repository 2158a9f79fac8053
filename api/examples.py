"""What the OpenAPI description shows as replies; a test holds each against its schema."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from api.schemas import JobPayload, JobState, Problem, UploadResults
from rag.loading.formats import why_unsupported
from rag.payloads import (
    CitationPayload,
    CollectionPayload,
    DocumentPayload,
    OverviewPayload,
    PassagePayload,
    ReplyPayload,
    SearchPayload,
    StatusPayload,
    VerificationPayload,
)
from rag.types import Status

_ID = "7d32a0b875de035dda1fb79243f5924c"
_SHA256 = "368458a2f4700755bb6db5bce4f018bdb6e07aa45a3e6d0259304e5e415cab10"
_QUESTION = "How much annual leave do I get?"
_SENTENCE = "Every full-time member of staff has 28 days of leave."

_CITATION: CitationPayload = {
    "document_id": _ID,
    "source": "handbook/leave.md",
    "title": "Annual leave",
    "date": "2025-03-01",
    "sha256": _SHA256,
    "text_sha256": _SHA256,
    "loader": "markdown/1",
    "page": None,
    "page_label": None,
    "heading": ["Annual leave"],
    "paragraph": 2,
    "paragraph_end": 2,
    "start": 52,
    "end": 59,
    "quote": "28 days",
    "sentence_start": 16,
    "sentence_end": 69,
    "prefix": "y full-time member of staff has ",
    "suffix": " of leave.",
}
_PASSAGE: PassagePayload = {
    "rank": 1,
    "score": 0.81,
    "text": _SENTENCE,
    "citation": {
        **_CITATION,
        "start": 16,
        "end": 69,
        "quote": _SENTENCE,
        "sentence_start": None,
        "sentence_end": None,
        "prefix": "# Annual leave\n\n",
        "suffix": "",
    },
    "also_in": [],
}
SEARCH: SearchPayload = {
    "question": _QUESTION,
    "collection": "default",
    "passages": [_PASSAGE],
    "index": {"generation": 12, "embedder": "c4a57a7f", "reader": None, "calibrated": None},
    "took_ms": {"total": 9.4, "retrieve": 9.4, "read": 0.0},
}
REPLY: ReplyPayload = {
    **SEARCH,
    "rewritten": None,
    "answered": True,
    "answer": None,
    "answers": [
        {
            "text": "28 days",
            "sentence": _SENTENCE,
            "confidence": 0.94,
            "citation": _CITATION,
            "also_in": [],
        }
    ],
    "reason": None,
    "explanation": None,
    "index": {
        "generation": 12,
        "embedder": "c4a57a7f",
        "reader": "minilm-squad@5d1e",
        "calibrated": None,
    },
    "took_ms": {"total": 14.1, "retrieve": 9.4, "read": 4.7},
}
REPLY["answer"] = REPLY["answers"][0]
UPLOADED: UploadResults = {
    "results": [
        {"source": "leave.md", "status": Status.ADDED, "document_id": _ID, "reason": None},
        {
            "source": "photo.jpg",
            "status": Status.REFUSED,
            "document_id": None,
            "reason": why_unsupported("photo.jpg"),
        },
    ]
}
DOCUMENT: DocumentPayload = {
    "document_id": _ID,
    "source": "handbook/leave.md",
    "title": "Annual leave",
    "collection": "default",
    "paragraphs": 2,
    "passages": 1,
    "characters": 69,
    "bytes": 69,
    "sha256": _SHA256,
    "text_sha256": _SHA256,
    "loader": "markdown/1",
    "date": "2025-03-01",
    "language": None,
    "ingested_at": "2026-01-31T09:30:00+00:00",
}
DOCUMENTS = {"documents": [DOCUMENT], "next": None}
VERIFIED: VerificationPayload = {
    "status": "moved",
    "document_id": _ID,
    "source": "handbook/leave.md",
    "start": 47,
    "end": 54,
    "paragraph": 2,
    "file": "same",
    "detail": "the text has changed, and the quote stands at another place",
}
COLLECTION: CollectionPayload = {
    "name": "default",
    "documents": 1,
    "passages": 1,
    "generation": 12,
    "embedder": "c4a57a7f",
}
OVERVIEW: OverviewPayload = {
    **COLLECTION,
    "folders": [{"folder": "handbook", "documents": 1}],
    "types": [{"type": "md", "documents": 1}],
    "date_from": "2025-03-01",
    "date_to": "2025-03-01",
}
STATUS: StatusPayload = {
    "version": "0.1.0",
    "reader": "sentence",
    "documents": 1,
    "passages": 1,
    "collections": [COLLECTION],
    "rebuilding": None,
    "writable": True,
}
JOB: JobPayload = {
    "id": "5b0c3f4e8d9a4c0db1f1b0a7a3c2d1e0",
    "collection": "default",
    "state": JobState.RUNNING,
    "files": 120,
    "finished": 2,
    "passages_encoded": 31,
    "results": UPLOADED["results"],
    "detail": None,
}
_REPLIES: dict[tuple[str, str, str], Any] = {
    ("/v1/ask", "post", "200"): REPLY,
    ("/v1/search", "post", "200"): SEARCH,
    ("/v1/verify", "post", "200"): {"results": [VERIFIED]},
    ("/v1/feedback", "post", "201"): {"id": "feedback-1c0e6f3a9b52"},
    ("/v1/documents", "post", "201"): UPLOADED,
    ("/v1/documents", "post", "202"): JOB,
    ("/v1/documents", "get", "200"): DOCUMENTS,
    ("/v1/jobs/{job_id}", "get", "200"): JOB,
    ("/v1/jobs/{job_id}", "delete", "200"): JOB,
    ("/v1/documents/{document_id}", "get", "200"): DOCUMENT,
    ("/v1/collections", "get", "200"): {"collections": [COLLECTION]},
    ("/v1/collections/{name}", "get", "200"): OVERVIEW,
    ("/v1/status", "get", "200"): STATUS,
}
ALWAYS = (400, 401, 403, 408, 413, 422, 503)
"""Problems that any route can end in."""
_DETAILS = {
    400: "There was an error parsing the body",
    403: "a page of another site sent this: it is not obeyed",
    401: "this server wants a token: send Authorization: Bearer TOKEN",
    404: "there is no collection 'reports': `rag collections` lists them",
    408: "the request came too slowly: send it again",
    409: "collection 'default' was made with another model: run `rag rebuild` to re-encode it",
    413: "the request is larger than 100 MB: send fewer files at once, or raise RAG_MAX_UPLOAD_MB",
    415: "none of 1 files was accepted; the first: unsupported format .jpg",
    422: "question: is blank",
    429: "more than 120/minute: wait 7 s and send it again",
    503: "another process is writing to this index: try again",
    507: "no room left on the server's disk: free some, then send it again",
}


def add_replies(description: dict[str, Any]) -> dict[str, Any]:
    """Puts the examples into an OpenAPI description. FastAPI would leave out what is null."""
    for (path, method, status), example in _REPLIES.items():
        reply = description["paths"][path][method]["responses"][status]
        reply["content"]["application/json"]["example"] = example
    return description


def problem(status: int) -> dict[str, Any]:
    """A problem of this status."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _DETAILS[status],
        "request_id": "0f8fad5bd9cb469fa16570867728950e",
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's description says of the problems that it can end in."""
    schema = TypeAdapter(Problem).json_schema()
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": schema, "example": problem(status)}},
        }
        for status in statuses
    }
