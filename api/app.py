"""The application: a service, its routes and what surrounds them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from api import errors, examples
from api.access import Gate
from api.assets import assets
from api.limits import Limits
from api.middleware import Surroundings
from api.observing import IndexFigures, Observer, watch
from api.routes import api, operations
from api.state import Start, State
from api.tracing import Tracing
from api.uploading import uploads
from rag.access import Tokens
from rag.ingestion import Progress, ignore_progress
from rag.service import Service
from rag.settings import Settings
from rag.types import IngestReport

_DESCRIPTION = (
    "Ask in your own words, get the exact words of your own files, and see where they stand. "
    "Offsets are 0-based, end-exclusive Unicode code points in the text of "
    "`GET /v1/documents/{document_id}/text`. Errors are RFC 9457 problem details."
)


def create_app(
    service: Service,
    settings: Settings,
    progress: Callable[[Progress], None] = ignore_progress,
    started: Callable[[IngestReport], None] = lambda _: None,
    tracing: Tracing | None = None,
) -> FastAPI:
    """The application over a service, which it closes in the end.

    The paths of `settings` are ingested once it runs: `progress` sees how, `started` gets the
    report.
    """
    registry = CollectorRegistry()
    observer = Observer(registry, settings, tracing or Tracing())
    start = Start(service, settings.paths, progress)
    shared = State.over(service, start, observer, settings.max_waiting)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        def ingested(report: IngestReport) -> None:
            started(report)
            observer.ingested(report)

        start.begin(ingested)
        yield
        has_ended = await shared.jobs.stop()
        if start.stop() and has_ended:
            service.close()
        observer.tracing.close()

    app = FastAPI(
        title="rag-verbatim",
        version=version("rag-verbatim"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.shared = shared
    app.state.registry = registry
    _watch(registry, service, shared, settings)
    errors.install(app)
    app.include_router(api)
    app.include_router(uploads)
    app.include_router(operations)
    app.include_router(assets)
    describe = app.openapi
    app.openapi = lambda: examples.add_replies(describe())  # type: ignore[method-assign]
    app.add_middleware(
        Surroundings,
        gate=Gate(settings.token, Tokens(settings.home), read_only=settings.read_only),
        limits=Limits(settings),
        observer=observer,
    )
    return app


def _watch(
    registry: CollectorRegistry, service: Service, shared: State, settings: Settings
) -> None:
    """Adds the figures that are read when Prometheus asks."""
    registry.register(IndexFigures(settings.home, service.collections))
    watch(registry, "rag_ready", "1 where /readyz said 200 last.", lambda: shared.start.is_ready)
    watch(registry, "rag_questions_in_progress", "At work.", lambda: shared.in_progress)
    watch(registry, "rag_questions_waiting", "Waiting for a thread.", lambda: shared.waiting)
