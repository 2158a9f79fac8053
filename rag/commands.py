"""What each command does: a service call, then JSON or lines on stdout; returns the exit status."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rag import serving
from rag.assembly import build
from rag.evaluation.harness import Run, evaluate
from rag.evaluation.json_lines import read_json_lines
from rag.evaluation.questions import Question
from rag.payloads import (
    collection_payload,
    document_payload,
    reply_payload,
    report_payload,
    search_payload,
    status_payload,
)
from rag.progress import ProgressBar
from rag.reading.sentence_reader import SentenceReader
from rag.service import Service
from rag.settings import Settings
from rag.terminal import (
    collection_lines,
    document_lines,
    reply_lines,
    report_lines,
    wants_colour,
    why_lines,
)
from rag.types import Status


def settings_of(options: argparse.Namespace) -> Settings:
    settings = Settings.from_environment()
    home = options.home
    return replace(settings, home=home.expanduser().absolute()) if home else settings


def _service(options: argparse.Namespace) -> closing[Service]:
    waits = getattr(options, "wait", False)
    return closing(build(settings_of(options), busy_seconds=1e6 if waits else 1.0))


def _print(options: argparse.Namespace, payload: Any, lines: Iterable[str]) -> None:
    if options.json:
        ascii_only = sys.stdout.encoding.lower() != "utf-8"
        print(json.dumps(payload, ensure_ascii=ascii_only, indent=2))
    else:
        for line in lines:
            print(line)


def run_ingest(options: argparse.Namespace) -> int:
    with _service(options) as service, closing(ProgressBar()) as progress:
        report = service.ingest(
            options.paths,
            options.collection,
            prune=options.prune,
            dry_run=options.dry_run,
            progress=progress.show,
        )
    _print(options, report_payload(report), report_lines(report, dry_run=options.dry_run))
    return 1 if report.count(Status.REFUSED) else 0


def run_ask(options: argparse.Namespace) -> int:
    with _service(options) as service:
        reply = service.ask(options.question, options.top_k, options.collection)
    _print(options, reply_payload(reply), reply_lines(reply, colour=wants_colour()))
    return 0 if reply.answers else 1


def run_why(options: argparse.Namespace) -> int:
    with _service(options) as service:
        reply = service.ask(options.question, options.top_k, options.collection, explain=True)
    _print(options, reply_payload(reply), why_lines(reply))
    return 0 if reply.answers else 1


def run_search(options: argparse.Namespace) -> int:
    with _service(options) as service:
        reply = service.search(options.question, options.top_k, options.collection)
    _print(options, search_payload(reply), reply_lines(reply, colour=wants_colour()))
    return 0 if reply.passages else 1


def run_documents(options: argparse.Namespace) -> int:
    with _service(options) as service:
        records = list(service.all_documents(options.collection))
    payload = {"documents": [document_payload(record) for record in records]}
    _print(options, payload, document_lines(records))
    return 0


def run_remove(options: argparse.Namespace) -> int:
    with _service(options) as service:
        document_id = service.find(options.source, options.collection)
        service.remove(document_id)
    _print(
        options,
        {"source": options.source, "document_id": document_id, "status": "removed"},
        [f"removed   {options.source}"],
    )
    return 0


def run_collections(options: argparse.Namespace) -> int:
    with _service(options) as service:
        records = service.collections()
    payload = {"collections": [collection_payload(record) for record in records]}
    _print(options, payload, collection_lines(records))
    return 0


def run_status(options: argparse.Namespace) -> int:
    home = settings_of(options).home
    with _service(options) as service:
        records = service.collections()
        payload = {"home": str(home), **status_payload(service.reader.name, records)}
    _print(options, payload, [f"index in {home}", *collection_lines(records)])
    return 0


def run_rebuild(options: argparse.Namespace) -> int:
    with _service(options) as service:
        encoded = service.rebuild()
    _print(options, {"passages_encoded": encoded}, [f"{encoded} passages encoded"])
    return 0


def run_eval(options: argparse.Namespace) -> int:
    questions = read_json_lines(options.questions).questions
    settings = settings_of(options)
    if options.corpus:
        settings = replace(settings, home=_throwaway_home(settings, options.corpus))
    if options.corpus:
        with closing(build(settings)) as service:
            service.ingest(options.corpus, options.collection, prune=True)
    run, *baseline = (
        _evaluated(replace(settings, reader=reader), options.collection, questions)
        for reader in dict.fromkeys([settings.reader, SentenceReader.name])
    )
    run = replace(run, baseline=baseline[0] if baseline else None)
    if options.out:
        run.write(options.out)
    _print(options, run.payload(), run.lines())
    return 0


def _evaluated(settings: Settings, collection: str, questions: Sequence[Question]) -> Run:
    with closing(build(settings)) as service, tqdm(total=len(questions), disable=None) as bar:
        return evaluate(service, collection, questions, bar.update)


def _throwaway_home(settings: Settings, corpus: Sequence[Path]) -> Path:
    """An index of its own for each set of paths, kept so that the next run encodes nothing."""
    paths = "\n".join(sorted(str(path.resolve()) for path in corpus))
    return settings.cache / "evaluation" / hashlib.sha256(paths.encode()).hexdigest()[:16]


def run_serve(options: argparse.Namespace) -> int:
    settings = replace(settings_of(options), paths=tuple(p.absolute() for p in options.paths))
    return serving.serve(settings, options.host, options.port)
