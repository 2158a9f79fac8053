"""OpenTelemetry spans for requests and their stages: the extra `otel`.

Nothing of it is imported unless the environment names a collector; then the standard OTEL_*
variables hold. No span has a document's text, a question or a path.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.errors import InvalidInput

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NAME = "rag-verbatim"
_NANOSECONDS = 1_000_000_000


class Tracing:
    """Makes spans where there is a provider for them, and nothing otherwise."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(_NAME) if provider else None

    @contextmanager
    def request(self, method: str, headers: Mapping[str, str]) -> Iterator[Span | None]:
        """The span of a request, a child of the caller's where `traceparent` names one."""
        if self._tracer is None:
            yield None
            return
        from opentelemetry.propagate import extract  # noqa: PLC0415 - the extra may be missing
        from opentelemetry.trace import SpanKind  # noqa: PLC0415

        with self._tracer.start_as_current_span(
            method,
            context=extract(headers),
            kind=SpanKind.SERVER,
            record_exception=False,  # its message may quote a document
            set_status_on_exception=False,
        ) as span:
            yield span

    def stages(self, took: Sequence[tuple[str, float]]) -> None:
        """Spans of stages that have just ended, one after the other, as (name, seconds)."""
        if self._tracer is None:
            return
        began = time.time_ns() - round(sum(seconds for _, seconds in took) * _NANOSECONDS)
        for stage, seconds in took:
            ended = began + round(seconds * _NANOSECONDS)
            self._tracer.start_span(stage, start_time=began).end(ended)
            began = ended

    def close(self) -> None:
        """Sends what waits to be sent."""
        if self._provider:
            self._provider.shutdown()


def from_environment(environment: Mapping[str, str] = os.environ) -> Tracing:
    """Tracing to the collector that OTEL_* names. Raises `InvalidInput` without the extra."""
    if not any(environment.get(name) for name in _ENDPOINTS):
        return Tracing()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise InvalidInput(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the extra is missing: "
            "pip install 'rag-verbatim[otel]', or unset it"
        ) from error
    name = environment.get("OTEL_SERVICE_NAME") or _NAME
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)


def finish(span: Span | None, method: str, route: str, status: int) -> None:
    """Names a request's span by its route, once that is known."""
    if span is None:
        return
    span.update_name(f"{method} {route}")
    span.set_attributes(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        }
    )
