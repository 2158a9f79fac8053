"""What is known of a running server: a line for each request, and figures for Prometheus.

The names of the figures are promised (`deploy/README.md`). Labels take few values: routes, never
paths; at most `MOST_COLLECTIONS` collections, the rest under `_other`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.tracing import Tracing
from rag.errors import RagError
from rag.logs import tell
from rag.settings import Settings
from rag.store.base import CollectionRecord
from rag.types import IngestReport, Reply, Status

MOST_COLLECTIONS = 100
_OTHER = "_other"  # no collection can have this name
_ANSWERED = "answered"
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_FAILURE = 400
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that has been answered; `status` 0 where the client went away before.

    `client` is the name of the token that it came with, `sent` the bytes of the answer's body.
    """

    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    client: str | None
    sent: int


class Observer:
    """Counts and logs what the server does; one for each application."""

    def __init__(self, registry: CollectorRegistry, settings: Settings, tracing: Tracing) -> None:
        self.tracing = tracing
        self._requests = Counter(
            "rag_http_requests",
            "Requests by route and status.",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "rag_http_request_seconds", "Time to answer, by route.", ["route"], registry=registry
        )
        self._questions = Counter(
            "rag_questions", "Questions by outcome.", ["outcome"], registry=registry
        )
        self._stages = Histogram(
            "rag_stage_seconds", "Time of a question's stages.", ["stage"], registry=registry
        )
        self._ingested = Counter(
            "rag_ingested_documents",
            "Files by what an ingest of this process made of them.",
            ["outcome"],
            registry=registry,
        )
        build = Gauge("rag_build_info", "1.", ["version", "embedder", "reader"], registry=registry)
        build.labels(
            version("rag-verbatim"), Path(settings.embedder).name, Path(settings.reader).name
        ).set(1)
        ProcessCollector(registry=registry)

    def answered(self, one: Answered) -> None:
        """Counts a request and logs it; probes that succeed are counted alone."""
        self._requests.labels(one.route, str(one.status)).inc()
        self._seconds.labels(one.route).observe(one.seconds)
        quiet = one.route in _PROBES and one.status < _FAILURE
        milliseconds = round(one.seconds * 1000, 1)
        tell(
            _log,
            "request",
            f"{one.method} {one.route} {one.status} in {milliseconds} ms, {one.sent} bytes, "
            f"client {one.client or '-'}, request {one.request_id}",
            logging.DEBUG if quiet else logging.INFO,
            request_id=one.request_id,
            method=one.method,
            route=one.route,
            status=one.status,
            milliseconds=milliseconds,
            client=one.client,
            bytes=one.sent,
        )

    def asked(self, reply: Reply) -> None:
        """Counts a question that was answered or refused."""
        self._questions.labels(reply.reason or _ANSWERED).inc()
        self.timed(reply, "retrieve", "read")

    def timed(self, reply: Reply, *stages: str) -> None:
        """Notes how long these stages of a reply took."""
        for stage in stages:
            self._stages.labels(stage).observe(reply.took_ms[stage] / 1000)
        self.tracing.stages([(stage, reply.took_ms[stage] / 1000) for stage in stages])

    def ingested(self, report: IngestReport) -> None:
        """Counts what became of files, and says so."""
        counts = {status.value: report.count(status) for status in Status}
        for outcome, count in counts.items():
            self._ingested.labels(outcome).inc(count)
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        tell(_log, "ingested", told, encoded=report.encoded, reused=report.reused, **counts)


class IndexFigures(Collector):
    """What the index holds, read when Prometheus asks; missing while it can't be read."""

    def __init__(self, home: Path, collections: Callable[[], Sequence[CollectionRecord]]) -> None:
        self._home = home
        self._collections = collections

    def describe(self) -> list[Metric]:
        """Nothing: a registry would otherwise read the index to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures as they are now."""
        try:
            yield from _sizes(self._collections())
        except RagError as error:
            _log.warning("no figures of the index: %s", error)
        size = GaugeMetricFamily("rag_disk_bytes", "Bytes on disk by part.", labels=["part"])
        size.add_metric(["database"], _bytes(self._home.glob("index.sqlite*")))
        size.add_metric(["caches"], _bytes(_files(self._home / "caches")))
        yield size


def _sizes(records: Sequence[CollectionRecord]) -> Iterator[Metric]:
    shown, rest = records[:MOST_COLLECTIONS], records[MOST_COLLECTIONS:]
    documents = GaugeMetricFamily("rag_documents", "Documents indexed.", labels=["collection"])
    passages = GaugeMetricFamily("rag_passages", "Passages indexed.", labels=["collection"])
    generation = GaugeMetricFamily(
        "rag_index_generation", "Changes since the collection was made.", labels=["collection"]
    )
    for record in shown:
        documents.add_metric([record.name], record.documents)
        passages.add_metric([record.name], record.passages)
        generation.add_metric([record.name], record.generation)
    if rest:
        documents.add_metric([_OTHER], sum(record.documents for record in rest))
        passages.add_metric([_OTHER], sum(record.passages for record in rest))
    yield from (documents, passages, generation)


def _files(folder: Path) -> Iterator[Path]:
    """Every file below; a folder that goes meanwhile is passed over, which `Path.rglob` is not."""
    for path, _, names in os.walk(folder):
        yield from (Path(path, name) for name in names)


def _bytes(paths: Iterator[Path]) -> int:
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size
        except OSError:  # a base that was just replaced
            continue
    return total


def watch(registry: CollectorRegistry, name: str, what: str, now: Callable[[], Any]) -> None:
    """A figure that is asked for when Prometheus asks."""
    Gauge(name, what, registry=registry).set_function(now)
