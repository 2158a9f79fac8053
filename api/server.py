"""What uvicorn starts: the application that the environment describes."""

from __future__ import annotations

import sys

from fastapi import FastAPI

from api import tracing
from api.app import create_app
from rag.assembly import build
from rag.progress import ProgressBar
from rag.reporting import report_lines
from rag.settings import Settings
from rag.types import IngestReport


def create() -> FastAPI:
    """The application over the configured store; called once, by uvicorn."""
    settings = Settings.from_environment()
    shown = ProgressBar()

    def started(report: IngestReport) -> None:
        shown.close()
        if sys.stderr.isatty():  # somebody looks on: a log has the sums alone, not files' names
            for line in report_lines(report):
                print(f"rag: {line}", file=sys.stderr)

    spans = tracing.from_environment()
    return create_app(build(settings), settings, shown.show, started, spans)
