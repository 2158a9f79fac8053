"""What the routes share: the service, its bounded threads, and how far the start is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request

from api.schemas import Readiness
from embeddings.runtime import cores
from rag.errors import RagError, StoreBusy
from rag.ingestion import Progress
from rag.rebuilding import Rebuilt
from rag.service import Service
from rag.types import IngestReport, Status

T = TypeVar("T")
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


class State:
    """One for each application.

    Work runs in as many threads as there are cores: more only makes each question slower.
    Uploads have threads of their own, so that questions never wait for them.
    """

    def __init__(self, service: Service, start: Start) -> None:
        self.service = service
        self.start = start
        self._asking = CapacityLimiter(cores())
        self._writing = CapacityLimiter(1)

    async def read(self, work: Callable[..., T], *arguments: object, **named: object) -> T:
        """Runs a question or a look-up in a thread."""
        return await to_thread.run_sync(partial(work, *arguments, **named), limiter=self._asking)

    async def write(self, work: Callable[..., T], *arguments: object, **named: object) -> T:
        """Runs a change in a thread; it runs to its end even if the client goes away."""
        return await to_thread.run_sync(partial(work, *arguments, **named), limiter=self._writing)


def state_of(request: Request) -> State:
    return cast(State, request.app.state.shared)


Shared = Annotated[State, Depends(state_of)]
