"""The routes of the API: validate, call the service, show its answer."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.access import NOBODY
from api.examples import ALWAYS, problems
from api.schemas import (
    DOCUMENT_ID,
    LONGEST_NOTE,
    AskRequest,
    Cited,
    CollectionName,
    Collections,
    DocumentsPage,
    FeedbackRequest,
    FeedbackTaken,
    Health,
    Kept,
    Readiness,
    SearchRequest,
    Text,
    Verifications,
    VerifyRequest,
)
from api.state import ORDINARY, Shared
from rag.errors import NotFound
from rag.payloads import (
    DocumentPayload,
    OverviewPayload,
    ReplyPayload,
    SearchPayload,
    StatusPayload,
    collection_payload,
    document_payload,
    overview_payload,
    reply_payload,
    search_payload,
    status_payload,
    verification_payload,
)
from rag.service import COLLECTION_NAME
from rag.types import Span, Turn
from rag.verifying import Claim


def _document_id(document_id: str) -> str:
    if not re.fullmatch(DOCUMENT_ID, document_id):
        raise NotFound("no document has such an id: GET /v1/documents lists them")
    return document_id


def _known_name(name: str) -> str:
    if not re.fullmatch(COLLECTION_NAME, name):
        raise NotFound("no collection has such a name: GET /v1/collections lists them")
    return name


DocumentId = Annotated[str, Depends(_document_id)]
api = APIRouter(prefix="/v1", responses=problems(*ALWAYS))
operations = APIRouter(responses=problems(413))


@api.post("/ask", responses=problems(404, 429))
async def ask(shared: Shared, body: AskRequest) -> ReplyPayload:
    """The answers that the documents support, word for word, or an honest "not found"."""
    reply = await shared.read(
        shared.service.within(body.collection).ask,
        body.question,
        body.top_k,
        body.collection,
        body.min_confidence,
        explain=body.explain,
        filters=body.filtering(),
        history=[Turn(turn.question, turn.answer) for turn in body.history],
    )
    shared.observer.asked(reply)
    return reply_payload(reply)


@api.post("/search", responses=problems(404, 429))
async def search(shared: Shared, body: SearchRequest) -> SearchPayload:
    """The nearest passages alone."""
    reply = await shared.read(
        shared.service.within(body.collection).search,
        body.question,
        body.top_k,
        body.collection,
        filters=body.filtering(),
    )
    shared.observer.timed(reply, "retrieve")
    return search_payload(reply)


@api.post("/feedback", status_code=201, responses=problems(404, 429, 507))
async def feedback(shared: Shared, body: FeedbackRequest) -> FeedbackTaken:
    """Keeps what somebody says of a reply as a line of a question set, to be evaluated later."""
    cited = body.citation
    taken = await shared.write(
        shared.service.within(body.collection).give_feedback,
        body.question,
        body.collection,
        body.verdict,
        document_id=cited.document_id if cited else None,
        span=Span(cited.start, cited.end) if cited else None,
        sentence=_sentence(cited) if cited else None,
        expected=body.expected,
        note=body.note,
    )
    return {"id": taken}


def _sentence(cited: Cited | Kept) -> Span | None:
    if cited.sentence_start is None or cited.sentence_end is None:
        return None
    return Span(cited.sentence_start, cited.sentence_end)


@api.post("/verify", responses=problems(429))
async def verify(shared: Shared, body: VerifyRequest) -> Verifications:
    """Whether citations still hold: `exact`, `moved`, `stale` or `missing`."""
    claims = [_claim(kept) for kept in body.citations]
    found = await shared.read(shared.service.verify, claims)
    return {"results": [verification_payload(one) for one in found]}


def _claim(kept: Kept) -> Claim:
    return Claim(
        span=Span(kept.start, kept.end),
        quote=kept.quote,
        text_sha256=kept.text_sha256,
        document_id=kept.document_id,
        source=kept.source,
        sha256=kept.sha256,
        sentence=_sentence(kept),
        prefix=kept.prefix or "",
        suffix=kept.suffix or "",
    )


@api.get("/documents", responses=problems(404))
async def documents(
    shared: Shared,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[Text | None, Query(max_length=8_000)] = None,
    collection: Annotated[CollectionName | None, Query()] = None,
    q: Annotated[Text, Query(max_length=LONGEST_NOTE)] = "",
) -> DocumentsPage:
    """A page of documents by source; `next` is the cursor of the next page.

    With `q`, only those that hold all its words, in any case, in source or title.
    """
    records, after = await shared.read(shared.service.documents, collection, limit, cursor, q)
    return {"documents": [document_payload(record) for record in records], "next": after}


@api.get("/documents/{document_id}", responses=problems(404))
async def document(shared: Shared, document_id: DocumentId) -> DocumentPayload:
    """One document's facts."""
    _, record = await shared.read(shared.service.document, document_id)
    return document_payload(record)


@api.get(
    "/documents/{document_id}/text",
    response_class=PlainTextResponse,
    responses=problems(404),
)
async def text(shared: Shared, document_id: DocumentId) -> PlainTextResponse:
    """The text that every offset of this document counts in."""
    found, _ = await shared.read(shared.service.document, document_id)
    return PlainTextResponse(found.text, headers={"ETag": f'"{found.origin.text_sha256}"'})


class _File(Response):
    """Bytes that a browser saves and never shows."""

    media_type = "application/octet-stream"


@api.get("/documents/{document_id}/original", response_class=_File, responses=problems(404, 409))
async def original(shared: Shared, document_id: DocumentId) -> _File:
    """The file as it was ingested; 409 where it has changed on the disk since."""
    file = await shared.read(shared.service.original, document_id)
    headers = {"Content-Disposition": _attachment(file.name), "ETag": f'"{file.sha256}"'}
    return _File(file.data, headers=headers)


def _attachment(name: str) -> str:
    """The header that names a file to be saved: in ASCII, and in full as RFC 5987 has it."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


@api.delete("/documents/{document_id}", status_code=204, responses=problems(404, 429, 507))
async def remove(shared: Shared, document_id: DocumentId) -> Response:
    """Forgets a document with what is attached to it: its words are not found again."""
    await shared.write(shared.service.remove, document_id)
    return Response(status_code=204)


@api.get("/collections")
async def collections(shared: Shared) -> Collections:
    """The collections and their sizes."""
    records = await shared.read(shared.service.collections)
    return {"collections": [collection_payload(record) for record in records]}


@api.get("/collections/{name}", responses=problems(404))
async def overview(shared: Shared, name: Annotated[str, Depends(_known_name)]) -> OverviewPayload:
    """A collection with its folders, types and dates: what `filters` can name."""
    return overview_payload(await shared.read(shared.service.within(name).overview, name))


@api.get("/status")
async def status(shared: Shared) -> StatusPayload:
    """What the index holds, which models made it, and whether it is being encoded anew."""
    records = await shared.read(shared.service.collections)
    service = shared.service
    return status_payload(
        service.reader_name, records, service.rebuilding, writable=service.writable
    )


@operations.get("/healthz")
async def healthz() -> Health:
    """200 while the process lives."""
    return {"status": "ok"}


@operations.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(shared: Shared, response: Response) -> Readiness:
    """200 when the paths given at start are ingested and questions work; 503 and why before, and
    where they no longer do.
    """
    readiness = await shared.start.readiness()
    if shared.service.access == NOBODY and readiness["detail"] not in ORDINARY:
        # What went wrong names a path of the server, which is not for everybody.
        readiness = {**readiness, "detail": "not ready: the server's log says why"}
    if not readiness["ready"]:
        response.status_code = 503
        response.headers["Retry-After"] = "1"
    return readiness


@operations.get("/metrics", response_class=PlainTextResponse, responses=problems(401, 403))
async def metrics(request: Request) -> Response:
    """Counts and times for Prometheus."""
    registry: CollectorRegistry = request.app.state.registry
    figures = await to_thread.run_sync(generate_latest, registry)
    return Response(figures, media_type=CONTENT_TYPE_LATEST)
