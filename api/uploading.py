"""Files that come over HTTP: small uploads are added at once, large ones as a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import JSONResponse

from api.errors import problem, status_of
from api.examples import ALWAYS, problems
from api.jobs import LARGE_BYTES, LARGE_FILES, Job
from api.schemas import CollectionName, JobPayload, UploadResults
from api.state import Shared
from rag.payloads import outcome_payload
from rag.service import DEFAULT_COLLECTION
from rag.types import Outcome, Status

uploads = APIRouter(prefix="/v1", responses=problems(*ALWAYS))


@uploads.post(
    "/documents",
    status_code=201,
    responses={
        202: {"model": JobPayload, "description": "Taken; `Location` says how it stands"},
        **problems(404, 409, 415, 429, 507),
    },
)
async def upload(
    request: Request,
    shared: Shared,
    files: Annotated[list[UploadFile], File()],
    collection: Annotated[CollectionName, Form()] = DEFAULT_COLLECTION,
) -> UploadResults:
    """Adds or replaces documents. What is reported as added is on the disk.

    More than 50 files or 10 MB in one request are taken as a job, and so is what comes with
    `Prefer: respond-async`: 202, and what has become of each file is at `/v1/jobs/{job_id}`.
    """
    service = shared.service.within(collection)
    contents = [(file.filename or "", await file.read()) for file in files]
    if _is_large(request.headers, contents):
        return _taken(shared.jobs.begin(service, collection, contents))  # type: ignore[return-value]
    report = await shared.write(service.ingest_uploads, contents, collection)
    shared.observer.ingested(report)
    if report.count(Status.REFUSED) == len(report.outcomes):
        return _all_refused(request, report.outcomes)  # type: ignore[return-value]
    return {"results": [outcome_payload(outcome) for outcome in report.outcomes]}


def _is_large(headers: Mapping[str, str], files: Sequence[tuple[str, bytes]]) -> bool:
    if "respond-async" in headers.get("prefer", ""):  # RFC 7240
        return True
    return len(files) > LARGE_FILES or sum(len(data) for _, data in files) > LARGE_BYTES


def _taken(job: Job) -> JSONResponse:
    # Relative to /v1/documents, for the server may be reached under another root.
    return JSONResponse(_payload(job), 202, {"Location": f"jobs/{job.id}"})


def _all_refused(request: Request, outcomes: tuple[Outcome, ...]) -> JSONResponse:
    first = outcomes[0]
    return problem(
        request.state.request_id,
        status_of(first.refused_as) if first.refused_as else 422,
        f"none of {len(outcomes)} files was accepted; the first: {first.reason}",
        results=[outcome_payload(outcome) for outcome in outcomes],
    )


@uploads.get("/jobs/{job_id}", responses=problems(404))
async def job(shared: Shared, job_id: str) -> JobPayload:
    """How an upload stands, and what has become of the files that are through."""
    return _payload(shared.jobs.find(job_id, shared.service.access.sees))


@uploads.delete("/jobs/{job_id}", responses=problems(404, 429))
async def cancel(shared: Shared, job_id: str) -> JobPayload:
    """Stops an upload; what has been added stays. A job that is over is left as it is."""
    found = shared.jobs.find(job_id, shared.service.access.sees)
    found.cancel()
    return _payload(found)


def _payload(job: Job) -> JobPayload:
    return {
        "id": job.id,
        "collection": job.collection,
        "state": job.state,
        "files": job.files,
        "finished": job.finished,
        "passages_encoded": job.encoded,
        "results": [outcome_payload(outcome) for outcome in job.outcomes],
        "detail": job.detail,
    }
