"""What the routes share: the service, its bounded threads, and how far the start is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from api.access import NOBODY
from api.schemas import Readiness
from embeddings.runtime import cores
from rag.access import Access
from rag.errors import RagError, StoreBusy
from rag.ingestion import Progress
from rag.rebuilding import Rebuilt
from rag.scoped import ScopedService
from rag.service import Service
from rag.types import IngestReport, Status

T = TypeVar("T")
ORDINARY = frozenset({"starting", "ingesting", "ready"})
"""What `/readyz` says while nothing is wrong."""
_STOPPING_SECONDS = 5.0
_PATIENCE_SECONDS = 2.0  # between two tries to encode anew while another process is at it
_log = logging.getLogger(__name__)


class _Stopped(Exception):
    """Leaves an ingest between two files; what was committed stays."""


class Start:
    """Loads the models and ingests the paths given at start, while questions already get through.

    Collections that another model made are encoded anew: first those that nothing can be found in
    without that, and the others, which answer by their former model, once all is ready. `finished`
    is called with the report, and with what `/readyz` says from then on.
    """

    def __init__(
        self, service: Service, paths: tuple[Path, ...], watch: Callable[[Progress], None]
    ) -> None:
        self._service = service
        self._paths = paths
        self._watch = watch
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._readiness: Readiness = {
            "ready": False,
            "detail": "starting",
            "files": 0,
            "total_files": 0,
        }

    @property
    def readiness(self) -> Readiness:
        return self._readiness

    def begin(self, finished: Callable[[IngestReport, str], None]) -> None:
        """Starts in the background."""
        self._thread = threading.Thread(
            target=self._run, args=(finished,), daemon=True, name="start"
        )
        self._thread.start()

    def stop(self) -> bool:
        """Ends it after the file or batch that it is at; whether it has ended in time."""
        self._stopping.set()
        if self._thread:
            self._thread.join(_STOPPING_SECONDS)
        return not (self._thread and self._thread.is_alive())

    def _run(self, finished: Callable[[IngestReport, str], None]) -> None:
        try:
            self._rebuild(self._service.rebuilds.unanswerable, self._saw_rebuilt)
            report = self._service.ingest(self._paths, progress=self._saw)
            self._service.search("ready?", top_k=1)  # opens the caches, once
        except _Stopped:
            return
        except RagError as error:
            self._not_ready(str(error))
        except Exception:
            _log.exception("a bug ended the start")
            self._not_ready("an error in this program ended the start; its log says more")
        else:
            if left_out := _left_out(report):
                self._not_ready(left_out)
            else:
                self._readiness = {**self._readiness, "ready": True, "detail": "ready"}
            finished(report, self._readiness["detail"])
            self._renew()

    def _renew(self) -> None:
        """Encodes anew what is outdated, if that can be done; its former passages answer on."""
        try:
            self._rebuild(self._service.rebuilds.outdated, self._check_stop)
        except _Stopped:
            return
        except RagError as error:
            _log.error("not encoded anew, and answered as before: %s", error)
        except Exception:
            _log.exception("a bug ended encoding anew; questions are answered as before")

    def _rebuild(self, which: Callable[[], list[str]], show: Callable[[Rebuilt], None]) -> None:
        """Encodes these collections anew, however long another process is at it."""
        while collections := which():
            _log.warning("encoding anew with the configured model: %s", ", ".join(collections))
            try:
                self._service.rebuilds.run(collections, show)
            except StoreBusy as error:
                _log.warning("%s", error)
                if self._stopping.wait(_PATIENCE_SECONDS):
                    raise _Stopped from error

    def _check_stop(self, _: Rebuilt) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _saw_rebuilt(self, progress: Rebuilt) -> None:
        self._check_stop(progress)
        self._readiness = {
            "ready": False,
            "detail": "encoding anew with the configured model",
            "files": progress.documents,
            "total_files": progress.total_documents,
        }

    def _not_ready(self, reason: str) -> None:
        _log.error("not ready: %s", reason)
        self._readiness = {**self._readiness, "detail": reason}

    def _saw(self, progress: Progress) -> None:
        if self._stopping.is_set():
            raise _Stopped
        self._readiness = {
            "ready": False,
            "detail": "ingesting",
            "files": progress.files,
            "total_files": progress.total_files,
        }
        self._watch(progress)


def _left_out(report: IngestReport) -> str:
    """Why paths given at start were refused as a whole: they are absolute, sources are not."""
    refused = (o for o in report.outcomes if o.status is Status.REFUSED)
    whole = [f"{o.source}: {o.reason}" for o in refused if Path(o.source).is_absolute()]
    return "; ".join(whole)


class Line:
    """Work in so many threads; as much again as `waiting` may wait, what comes then is refused."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self._most = threads + waiting
        self._inside = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Runs to its end even if the client goes away. Raises `HTTPException` where too many wait
        already: to say so at once is kinder than to let one more wait.
        """
        if self._inside >= self._most:
            raise HTTPException(503, "too many requests are waiting: send it again in a moment")
        self._inside += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1


@dataclass(frozen=True)
class State:
    """What one request sees of the application.

    Work runs in as many threads as there are cores: more only makes each question slower.
    Uploads have a line of their own, so that questions never wait for them.
    """

    service: ScopedService
    start: Start
    _whole: Service
    _asking: Line
    _writing: Line

    @classmethod
    def over(cls, service: Service, start: Start, waiting: int) -> State:
        """The state that all requests share, seen by nobody in particular."""
        lines = Line(cores(), waiting), Line(1, waiting)
        return cls(ScopedService(service, NOBODY), start, service, *lines)

    def seen_by(self, access: Access) -> State:
        return replace(self, service=ScopedService(self._whole, access))

    async def read(self, work: Callable[..., T], *arguments: object, **named: object) -> T:
        """Runs a question or a look-up in a thread."""
        return await self._asking.run(partial(work, *arguments, **named))

    async def write(self, work: Callable[..., T], *arguments: object, **named: object) -> T:
        """Runs a change in a thread."""
        return await self._writing.run(partial(work, *arguments, **named))


def state_of(request: Request) -> State:
    shared = cast(State, request.app.state.shared)
    return shared.seen_by(request.state.access)


Shared = Annotated[State, Depends(state_of)]
