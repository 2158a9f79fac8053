"""Uploads that take a while: taken at once, worked off in steps, watched and stopped by their id.

They live in this process: what a step has added is durable, what waits when the process ends is
not there, and its client has to send it again.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from starlette.exceptions import HTTPException

from api.errors import shown
from api.lines import Line
from api.schemas import JobState
from rag.errors import NotFound, RagError, StoreBusy
from rag.ingestion import Progress
from rag.service import Service
from rag.types import IngestReport, Outcome

LARGE_FILES, LARGE_BYTES = 50, 10_000_000
"""More than either in one request is worked off as a job."""
_STEP_FILES, _STEP_BYTES = 16, 500_000  # between two steps others' uploads get their turn
_MOST_WAITING_BYTES = 500_000_000
_KEPT = 100  # jobs that have ended
_PATIENCE_SECONDS = 1.0  # before a step that found no room is tried again
_STOPPING_SECONDS = 5.0
_log = logging.getLogger(__name__)

Upload = tuple[str, bytes]


class _Cancelled(Exception):
    """Leaves a step before it has changed anything."""


@dataclass(slots=True)
class Job:
    """Files on their way into a collection. `outcomes` are of those that are `finished`; `encoded`
    counts passages, those of the file under way included.
    """

    id: str
    collection: str
    files: int
    waiting: deque[Upload]
    state: JobState = JobState.WAITING
    finished: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    encoded: int = 0
    detail: str | None = None
    is_cancelled: bool = False

    @property
    def has_ended(self) -> bool:
        return self.state not in (JobState.WAITING, JobState.RUNNING)

    def cancel(self) -> None:
        """Ends it after the step that it is at, and a single large file before it is added."""
        self.is_cancelled = True

    def step(self) -> list[Upload]:
        """The files that come next: a few small ones, or a large one alone."""
        taken: list[Upload] = []
        size = 0
        for name, data in self.waiting:
            size += len(data)
            if taken and (size > _STEP_BYTES or len(taken) == _STEP_FILES):
                break
            taken.append((name, data))
        return taken


class Jobs:
    """The jobs of this process, run one after the other in the line that all changes wait in."""

    def __init__(self, line: Line, ingested: Callable[[IngestReport], None]) -> None:
        self._line = line
        self._ingested = ingested
        self._jobs: dict[str, Job] = {}
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, service: Service, collection: str, files: Sequence[Upload]) -> Job:
        """Takes files. Raises `HTTPException` where too much waits already."""
        if self._waiting_bytes() > _MOST_WAITING_BYTES:
            raise HTTPException(503, "too many uploads are waiting: send it again in a while")
        job = Job(uuid.uuid4().hex, collection, len(files), deque(files))
        self._forget()
        self._jobs[job.id] = job
        task = asyncio.create_task(self._run(service, job))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return job

    def find(self, job_id: str, sees: Callable[[str], bool]) -> Job:
        """A job of a collection that the client sees. Raises `NotFound`."""
        job = self._jobs.get(job_id)
        if job is None or not sees(job.collection):
            raise NotFound("there is no such job: it is long over, or the server has started anew")
        return job

    async def stop(self) -> bool:
        """Cancels what is left; whether all has ended in time."""
        for job in self._jobs.values():
            job.cancel()
        if not self._running:
            return True
        _, late = await asyncio.wait(self._running, timeout=_STOPPING_SECONDS)
        return not late

    def _waiting_bytes(self) -> int:
        return sum(len(data) for job in self._jobs.values() for _, data in job.waiting)

    def _forget(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.has_ended]
        for job_id in ended[: max(0, len(ended) - _KEPT)]:
            del self._jobs[job_id]

    async def _run(self, service: Service, job: Job) -> None:
        try:
            while job.waiting and not job.is_cancelled:
                await self._one_step(service, job)
            job.state = JobState.CANCELLED if job.waiting else JobState.DONE
        except _Cancelled:
            job.state = JobState.CANCELLED
        except RagError as error:
            _log.error("job %s: %s", job.id, error)
            job.state, job.detail = JobState.FAILED, shown(error)
        except Exception:
            _log.exception("a bug ended job %s", job.id)
            job.state, job.detail = JobState.FAILED, "an error in this program; its log says more"
        finally:
            job.waiting.clear()

    async def _one_step(self, service: Service, job: Job) -> None:
        files = job.step()
        watch = partial(self._saw, job, job.encoded, len(files))
        try:
            work = partial(service.ingest_uploads, files, job.collection, progress=watch)
            report = await self._line.run(work)
        except (HTTPException, StoreBusy):
            await asyncio.sleep(_PATIENCE_SECONDS)
            return
        for _ in files:
            job.waiting.popleft()
        job.finished += len(files)
        job.outcomes += report.outcomes
        self._ingested(report)

    @staticmethod
    def _saw(job: Job, before: int, files: int, progress: Progress) -> None:
        """Runs in the step's thread. Several files may be half added, so they are finished."""
        job.state = JobState.RUNNING
        job.encoded = before + progress.encoded
        if job.is_cancelled and files == 1:
            raise _Cancelled
