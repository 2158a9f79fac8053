"""What the routes share: the service, its bounded threads, and how far the start is."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request

from api.schemas import Readiness
from rag.errors import RagError
from rag.ingestion import Progress
from rag.service import Service
from rag.types import IngestReport

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Start:
    """Loads the models and ingests the paths given at start, while questions already get through.

    `finished` is called with the report once everything is there.
    """

    def __init__(
        self, service: Service, paths: tuple[Path, ...], watch: Callable[[Progress], None]
    ) -> None:
        self._service = service
        self._paths = paths
        self._watch = watch
        self._readiness: Readiness = {
            "ready": False,
            "detail": "starting",
            "files": 0,
            "total_files": 0,
        }

    @property
    def readiness(self) -> Readiness:
        return self._readiness

    def begin(self, finished: Callable[[IngestReport], None]) -> None:
        """Starts in the background."""
        threading.Thread(target=self._run, args=(finished,), daemon=True, name="start").start()

    def _run(self, finished: Callable[[IngestReport], None]) -> None:
        try:
            report = self._service.ingest(self._paths, progress=self._saw)
            self._service.search("ready?", top_k=1)  # opens the caches, once
        except RagError as error:
            _log.error("%s", error)
            self._readiness = {**self._readiness, "detail": str(error)}
        else:
            self._readiness = {**self._readiness, "ready": True, "detail": "ready"}
            finished(report)

    def _saw(self, progress: Progress) -> None:
        self._readiness = {
            "ready": False,
            "detail": "ingesting",
            "files": progress.files,
            "total_files": progress.total_files,
        }
        self._watch(progress)


class State:
    """One for each application.

    Work runs in as many threads as there are cores: more only makes each question slower.
    Uploads have threads of their own, so that questions never wait for them.
    """

    def __init__(self, service: Service, start: Start) -> None:
        self.service = service
        self.start = start
        self._asking = CapacityLimiter(
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
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
