"""What the routes share: the service, its bounded threads, and whether questions work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar, cast

from anyio import CapacityLimiter, move_on_after, to_thread
from fastapi import Depends, Request

from api.access import NOBODY
from api.jobs import Jobs
from api.lines import Line
from api.observing import Observer
from api.schemas import Readiness
from embeddings.runtime import cores
from rag.access import Access
from rag.errors import RagError, StoreBusy
from rag.ingestion import Progress
from rag.logs import tell
from rag.rebuilding import Rebuilt
from rag.scoped import ScopedService
from rag.service import Service
from rag.types import IngestReport, Status

T = TypeVar("T")
ORDINARY = frozenset({"starting", "ingesting", "ready"})
"""What `/readyz` says while nothing is wrong."""
_STOPPING_SECONDS = 2.0
_PATIENCE_SECONDS = 2.0  # between two tries to encode anew while another process is at it
_PROBED_EVERY_SECONDS = 1.0
_PROBE_SECONDS = 5.0
_log = logging.getLogger(__name__)


class _Stopped(Exception):
    """Leaves an ingest between two files; what was committed stays."""


class Start:
    """Loads the models and ingests the paths given at start, while questions already get through;
    then says whether they still do.

    Collections that another model made are encoded anew: first those that nothing can be found in
    without that, and the others, which answer by their former model, once all is ready.
    """

    def __init__(
        self, service: Service, paths: tuple[Path, ...], watch: Callable[[Progress], None]
    ) -> None:
        self._service = service
        self._paths = paths
        self._watch = watch
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._probing = CapacityLimiter(1)
        self._probed: float | None = None  # when questions worked or not; None before the start
        self._readiness: Readiness = {
            "ready": False,
            "detail": "starting",
            "files": 0,
            "total_files": 0,
        }

    @property
    def is_ready(self) -> bool:
        return self._readiness["ready"]

    async def readiness(self) -> Readiness:
        """How it stands. After the start a question is asked, at most one a second; one that takes
        long changes nothing, for slow is not broken.
        """
        if self._probed is not None and not self._is_fresh():
            with move_on_after(_PROBE_SECONDS):
                await to_thread.run_sync(self._probe, abandon_on_cancel=True, limiter=self._probing)
        return self._readiness

    def begin(self, finished: Callable[[IngestReport], None]) -> None:
        """Starts in the background; `finished` gets the report of the paths, if there are any."""
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

    def _run(self, finished: Callable[[IngestReport], None]) -> None:
        try:
            if self._service.writable:
                self._rebuild(self._service.rebuilds.unanswerable, self._saw_rebuilt)
            if self._paths:
                report = self._service.ingest(self._paths, progress=self._saw)
                finished(report)
                if left_out := _left_out(report):
                    return self._note(left_out)
            self._probe()
        except _Stopped:
            return None
        except RagError as error:
            self._note(str(error))
            if not self._paths:  # nothing is left undone, so questions may work later
                self._probed = time.monotonic()
        except Exception:
            _log.exception("a bug ended the start")
            self._note("an error in this program ended the start; its log says more")
        else:
            self._renew()
        return None

    def _renew(self) -> None:
        """Encodes anew what is outdated, if that can be done; its former passages answer on."""
        if not self._service.writable:
            return
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
            told = f"encoding anew with the configured model: {', '.join(collections)}"
            tell(_log, "encoding", told, collections=collections)
            try:
                self._service.rebuilds.run(collections, show)
            except StoreBusy as error:
                _log.warning("%s", error)
                if self._stopping.wait(_PATIENCE_SECONDS):
                    raise _Stopped from error

    def _check_stop(self, *_: Rebuilt) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _saw_rebuilt(self, progress: Rebuilt) -> None:
        doing = "encoding anew with the configured model"
        self._is_at(doing, progress.documents, progress.total_documents)

    def _is_fresh(self) -> bool:
        return self._probed is not None and time.monotonic() - self._probed < _PROBED_EVERY_SECONDS

    def _probe(self) -> None:
        """Asks a question: opens the caches the first time, and finds what has broken since."""
        if self._is_fresh():
            return
        try:
            self._service.search("ready?", top_k=1)
        except StoreBusy:
            pass  # a moment's matter
        except RagError as error:
            self._note(str(error))
        else:
            self._note("ready", ready=True)
        self._probed = time.monotonic()

    def _note(self, detail: str, *, ready: bool = False) -> None:
        if detail == self._readiness["detail"]:
            return
        self._readiness = {**self._readiness, "ready": ready, "detail": detail}
        if ready:
            tell(_log, "ready", "ready")
        else:
            tell(_log, "not_ready", f"not ready: {detail}", logging.ERROR, reason=detail)

    def _saw(self, progress: Progress) -> None:
        self._is_at("ingesting", progress.files, progress.total_files)
        self._watch(progress)

    def _is_at(self, doing: str, files: int, total: int) -> None:
        self._check_stop()
        self._readiness = {"ready": False, "detail": doing, "files": files, "total_files": total}


def _left_out(report: IngestReport) -> str:
    """Why paths given at start were refused as a whole: they are absolute, sources are not."""
    refused = (o for o in report.outcomes if o.status is Status.REFUSED)
    whole = [f"{o.source}: {o.reason}" for o in refused if Path(o.source).is_absolute()]
    return "; ".join(whole)


@dataclass(frozen=True)
class State:
    """What one request sees of the application.

    Work runs in as many threads as there are cores: more only makes each question slower.
    Uploads have a line of their own, so that questions never wait for them.
    """

    service: ScopedService
    start: Start
    observer: Observer
    jobs: Jobs
    _whole: Service
    _asking: Line
    _writing: Line

    @classmethod
    def over(cls, service: Service, start: Start, observer: Observer, waiting: int) -> State:
        """The state that all requests share, seen by nobody in particular."""
        asking, writing = Line(cores(), waiting), Line(1, waiting)
        jobs = Jobs(writing, observer.ingested)
        nobodys = ScopedService(service, NOBODY)
        return cls(nobodys, start, observer, jobs, service, asking, writing)

    def seen_by(self, access: Access) -> State:
        return replace(self, service=ScopedService(self._whole, access))

    @property
    def in_progress(self) -> int:
        """Questions and look-ups at work."""
        return self._asking.at_work

    @property
    def waiting(self) -> int:
        """Questions and look-ups that wait for a thread."""
        return self._asking.waiting

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
