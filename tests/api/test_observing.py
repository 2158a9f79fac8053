"""Logs, figures and spans: what they say, and what they never say."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as families
from starlette.testclient import TestClient

from api.app import create_app
from api.observing import MOST_COLLECTIONS, IndexFigures, _sizes
from api.tracing import Tracing, from_environment
from rag.assembly import build
from rag.errors import InvalidInput
from rag.logs import _JsonLines, _Lines
from rag.settings import Settings
from rag.store.base import CollectionRecord

Serve = Callable[..., AbstractContextManager[TestClient]]
TREE = Path(__file__).parents[2]
PROMISED = {
    "rag_build_info": {"version", "embedder", "reader"},
    "rag_http_requests_total": {"route", "status"},
    "rag_http_request_seconds": {"route"},
    "rag_questions_total": {"outcome"},
    "rag_stage_seconds": {"stage"},
    "rag_ingested_documents_total": {"outcome"},
    "rag_documents": {"collection"},
    "rag_passages": {"collection"},
    "rag_index_generation": {"collection"},
    "rag_disk_bytes": {"part"},
    "rag_ready": set(),
    "rag_questions_in_progress": set(),
    "rag_questions_waiting": set(),
    "process_cpu_seconds_total": set(),
    "process_max_fds": set(),
    "process_open_fds": set(),
    "process_resident_memory_bytes": set(),
    "process_start_time_seconds": set(),
    "process_virtual_memory_bytes": set(),
}


def _used(client: TestClient) -> None:
    """One of each thing that is counted."""
    client.post("/v1/ask", json={"question": "When does the car park close on weekdays?"})
    client.post("/v1/ask", json={"question": "When?", "min_confidence": 1.0})
    client.post("/v1/search", json={"question": "The dishwasher?"})
    client.post("/v1/documents", files=[("files", ("owls.txt", b"The owl hoots at dusk.\n"))])
    client.post("/v1/documents", files=[("files", ("owls.jpg", b"x"))])


def _figures(client: TestClient) -> dict[str, float]:
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in families(client.get("/metrics").text)
        for sample in family.samples
    }


def test_the_names_and_labels_of_figures_are_as_promised(
    handbook: Path, tmp_path: Path, serve: Serve
) -> None:
    with serve(tmp_path / "home", paths=(handbook,)) as client:
        _used(client)
        seen: dict[str, set[str]] = {}
        for family in families(client.get("/metrics").text):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            for sample in family.samples:
                if not sample.name.endswith("_created"):
                    seen.setdefault(name, set()).update(sample.labels.keys() - {"le"})
    created = {name for name in seen if name.endswith("_created")}
    assert {name: seen[name] for name in seen.keys() - created} == PROMISED


def test_the_table_names_every_figure() -> None:
    table = (TREE / "deploy" / "README.md").read_text("utf-8")
    named = set(re.findall(r"^\| `((?:rag|process)_\w+)`", table, re.MULTILINE))
    assert named == set(PROMISED)


def test_the_dashboard_asks_for_figures_that_exist() -> None:
    dashboard = json.loads((TREE / "deploy" / "grafana.json").read_text("utf-8"))
    asked = [t["expr"] for panel in dashboard["panels"] for t in panel.get("targets", ())]
    assert asked
    for expression in asked:
        bare = re.sub(r"\{[^}]*\}|by ?\([^)]*\)", "", expression)
        names = set(re.findall(r"\b(?:rag|process)_\w+", bare))
        assert names
        assert {re.sub("_(bucket|sum|count)$", "", name) for name in names} <= PROMISED.keys()
        labels = set(re.findall(r"(\w+)=~?\"|by ?\((\w+)", expression))
        assert {one or two for one, two in labels} <= set().union(*PROMISED.values()) | {
            "le",
            "job",
        }


def test_what_is_counted(handbook: Path, tmp_path: Path, serve: Serve) -> None:
    with serve(tmp_path / "home", paths=(handbook,)) as client:
        _used(client)
        figures = _figures(client)
        status = client.get("/v1/status").json()
    assert figures["rag_questions_total[('outcome', 'answered')]"] == 1
    assert figures["rag_questions_total[('outcome', 'low_confidence')]"] == 1
    assert figures["rag_stage_seconds_count[('stage', 'retrieve')]"] == 3
    assert figures["rag_stage_seconds_count[('stage', 'read')]"] == 2
    assert figures["rag_ingested_documents_total[('outcome', 'added')]"] == 7  # six at start
    assert figures["rag_ingested_documents_total[('outcome', 'refused')]"] == 1
    assert figures["rag_http_requests_total[('route', '/v1/ask'), ('status', '200')]"] == 2
    assert figures["rag_documents[('collection', 'default')]"] == status["documents"] == 7
    assert figures["rag_passages[('collection', 'default')]"] == status["passages"]
    assert figures["rag_index_generation[('collection', 'default')]"] == 2
    assert figures["rag_disk_bytes[('part', 'database')]"] > 4096
    assert figures["rag_ready[]"] == 1
    assert figures["rag_questions_waiting[]"] == figures["rag_questions_in_progress[]"] == 0


def test_collections_beyond_the_bound_share_a_label() -> None:
    records = [CollectionRecord(f"c{n:03}", 1, 2, 3, None) for n in range(MOST_COLLECTIONS + 5)]
    documents, passages, generation = _sizes(records)
    assert len(documents.samples) == len(passages.samples) == MOST_COLLECTIONS + 1
    assert len(generation.samples) == MOST_COLLECTIONS
    assert documents.samples[-1].labels == {"collection": "_other"}
    assert (documents.samples[-1].value, passages.samples[-1].value) == (5, 10)


def test_a_request_has_a_line_with_its_facts(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "api.observing")
    document_id = client.get("/v1/documents").json()["documents"][0]["document_id"]
    reply = client.get(f"/v1/documents/{document_id}", headers={"X-Request-ID": "mine-1"})
    (record,) = (r for r in caplog.records if getattr(r, "facts", {}).get("request_id") == "mine-1")
    assert reply.headers["X-Request-ID"] == "mine-1"
    line = json.loads(_JsonLines().format(record))
    assert line.pop("milliseconds") >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": "mine-1",
        "method": "GET",
        "route": "/v1/documents/{document_id}",
        "status": 200,
        "client": None,
        "bytes": len(reply.content),
    }
    assert document_id not in _Lines().format(record)


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "caf\u00e9", "<b>", "a\tb"])
def test_a_harmful_request_id_is_replaced(client: TestClient, given: str) -> None:
    used = client.get("/healthz", headers={b"X-Request-ID": given.encode()}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", used)


def test_probes_that_succeed_have_no_line(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "api.observing")
    for route in ("/healthz", "/readyz", "/metrics"):
        assert client.get(route).status_code == 200
    assert not caplog.records


def test_a_traceback_quotes_nothing() -> None:
    try:
        try:
            raise KeyError("the secret of the first document")
        except KeyError as error:
            raise ValueError("the secret of the second document") from error
    except ValueError as error:
        raised = (type(error), error, error.__traceback__)
    record = logging.LogRecord("api", logging.ERROR, "", 0, "a bug", (), raised)
    for line in (_JsonLines().format(record), _Lines().format(record)):
        assert "KeyError" in line
        assert "ValueError" in line
        assert "test_observing.py" in line
    assert "\n" not in _JsonLines().format(record)


def test_spans_of_a_request_and_its_stages(handbook: Path, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="needs the extra otel")
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: PLC0415
        InMemorySpanExporter,
    )

    kept, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    settings = Settings(home=tmp_path / "home", embedder="hashing", reader="sentence")
    service = build(settings)
    service.ingest([handbook])
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with TestClient(create_app(service, settings, tracing=Tracing(provider))) as client:
        question = {"question": "When does the car park close on weekdays?"}
        client.post("/v1/ask", json=question, headers={"traceparent": caller})
        spans: dict[str, Any] = {span.name: span for span in kept.get_finished_spans()}
    request = spans["POST /v1/ask"]
    assert dict(request.attributes) == {
        "http.request.method": "POST",
        "http.route": "/v1/ask",
        "http.response.status_code": 200,
    }
    assert f"{request.context.trace_id:032x}" == caller.split("-")[1]
    for stage in ("retrieve", "read"):
        assert spans[stage].parent.span_id == request.context.span_id
        assert spans[stage].start_time <= spans[stage].end_time
    assert spans["retrieve"].end_time == spans["read"].start_time
    assert "car park" not in "".join(span.to_json() for span in spans.values())


def test_no_tracing_unless_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with from_environment({}).request("GET", {}) as span:
        assert span is None
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(InvalidInput, match=r"rag-verbatim\[otel\]"):
        from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})


def test_a_folder_that_goes_while_it_is_measured_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / "caches" / name).mkdir(parents=True)
        (tmp_path / "caches" / name / "base").write_bytes(b"12345")
    measured = Path.stat

    def going(path: Path, **more: Any) -> os.stat_result:
        found = measured(path, **more)
        if path.name == "base":
            other = path.parent.with_name("b" if path.parent.name == "a" else "a")
            shutil.rmtree(other, ignore_errors=True)
        return found

    monkeypatch.setattr(Path, "stat", going)
    (size,) = [
        metric
        for metric in IndexFigures(tmp_path, list).collect()
        if metric.name == "rag_disk_bytes"
    ]
    assert {s.labels["part"]: s.value for s in size.samples}["caches"] == 5
