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
from api.routes import api, operations
from api.state import Start, State
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
    watch: Callable[[Progress], None] = ignore_progress,
    started: Callable[[IngestReport, str], None] = lambda *_: None,
) -> FastAPI:
    """The application over a service, which it closes in the end.

    The paths of `settings` are ingested once it runs: `watch` sees how, `started` gets the report
    and what `/readyz` says.
    """
    start = Start(service, settings.paths, watch)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        start.begin(started)
        yield
        if start.stop():
            service.close()

    app = FastAPI(
        title="rag-verbatim",
        version=version("rag-verbatim"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.shared = State.over(service, start, settings.max_waiting)
    app.state.registry = CollectorRegistry()
    errors.install(app)
    app.include_router(api)
    app.include_router(operations)
    app.include_router(assets)
    describe = app.openapi
    app.openapi = lambda: examples.add_replies(describe())  # type: ignore[method-assign]
    app.add_middleware(
        Surroundings,
        gate=Gate(settings.token, Tokens(settings.home)),
        limits=Limits(settings),
        registry=app.state.registry,
    )
    return app
