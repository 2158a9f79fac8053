"""`rag ingest`: once, as a dry run, or whenever a folder has changed."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from dataclasses import replace

from rag.assembly import forecast
from rag.console import opened, settings_of, show
from rag.errors import InvalidInput
from rag.loading.choosing import Globs
from rag.payloads import forecast_payload, report_payload
from rag.progress import ProgressBar
from rag.reporting import forecast_lines, report_lines
from rag.service import Service
from rag.types import IngestReport, Outcome, Status
from rag.watching import Watch


def run_ingest(options: argparse.Namespace) -> int:
    """Returns 1 where something was refused."""
    globs = Globs(tuple(options.include), tuple(options.exclude))
    if options.watch:
        return _run_watch(options, globs)
    if options.dry_run:
        return _run_forecast(options, globs)
    with opened(options) as service:
        report = _ingested(service, options, globs)
    show(options, report_payload(report), report_lines(report))
    return 1 if report.count(Status.REFUSED) else 0


def _ingested(service: Service, options: argparse.Namespace, globs: Globs) -> IngestReport:
    with closing(ProgressBar()) as progress:
        return service.ingest(
            options.paths,
            options.collection,
            prune=options.prune,
            globs=globs,
            progress=progress.show,
        )


def _run_watch(options: argparse.Namespace, globs: Globs) -> int:
    """Runs until it is interrupted; of each sync after the first it prints what is new."""
    if options.prune or options.dry_run:
        raise InvalidInput(
            "--watch forgets no folder for being gone and only does what it says: leave --prune "
            "and --dry-run out"
        )
    for path in options.paths:
        if not path.is_dir():
            raise InvalidInput(f"{path} is no folder: --watch follows folders")
    folders = [path.expanduser().resolve() for path in options.paths]
    watch = Watch(folders, settings_of(options).home.resolve(), globs, _say)
    told: set[Outcome] | None = None
    with opened(options) as service:
        for _ in watch.due():
            report = _ingested(service, options, globs)
            outcomes = tuple(one for one in report.outcomes if one not in (told or ()))
            news = replace(report, outcomes=outcomes)
            if told is None or news.changed or news.count(Status.REFUSED):
                _print_at_once(options, news)
            told = {one for one in report.outcomes if one.status is Status.REFUSED}
    return 0


def _say(words: str) -> None:
    print(f"rag: {words}", file=sys.stderr, flush=True)


def _print_at_once(options: argparse.Namespace, report: IngestReport) -> None:
    """As lines, also of JSON: each report is one."""
    if options.json:
        print(json.dumps(report_payload(report)))
    else:
        print(*report_lines(report), sep="\n")
    sys.stdout.flush()


def _run_forecast(options: argparse.Namespace, globs: Globs) -> int:
    found = forecast(
        settings_of(options), options.paths, options.collection, prune=options.prune, globs=globs
    )
    show(options, forecast_payload(found), forecast_lines(found))
    return 1 if found.report.count(Status.REFUSED) else 0
