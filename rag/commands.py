"""What each command does: a service call, then JSON or lines on stdout; returns the exit status."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Literal

from rag import serving
from rag.access import Tokens
from rag.assembly import doctor
from rag.backup import back_up, restore
from rag.console import busy_seconds, opened, settings_of, show
from rag.errors import InvalidInput
from rag.filters import Filters
from rag.payloads import (
    backup_payload,
    collection_payload,
    diagnosis_payload,
    document_payload,
    reply_payload,
    search_payload,
    status_payload,
    token_payload,
    verification_payload,
)
from rag.progress import CountBar
from rag.saved import read_claims
from rag.service import Service, check_collection
from rag.terminal import (
    backup_lines,
    collection_lines,
    diagnosis_lines,
    document_lines,
    reply_lines,
    token_lines,
    verification_lines,
    wants_colour,
    why_lines,
)
from rag.types import Reply, Turn

_GATE = "gate.toml"  # beside a question set


def _asked(service: Service, options: argparse.Namespace, *, explain: bool = False) -> Reply:
    return service.ask(
        options.question,
        options.top_k,
        options.collection,
        explain=explain,
        filters=_filters(options),
        history=[Turn(question) for question in options.after],
    )


def _filters(options: argparse.Namespace) -> Filters:
    folders, types = tuple(options.folder or ()), tuple(options.type or ())
    return Filters(folders, types, options.since, options.until)


def run_ask(options: argparse.Namespace) -> int:
    with opened(options) as service:
        reply = _asked(service, options)
    show(options, reply_payload(reply), reply_lines(reply, colour=wants_colour()))
    return 0 if reply.answers else 1


def run_why(options: argparse.Namespace) -> int:
    with opened(options) as service:
        reply = _asked(service, options, explain=True)
    show(options, reply_payload(reply), why_lines(reply))
    return 0 if reply.answers else 1


def run_search(options: argparse.Namespace) -> int:
    with opened(options) as service:
        reply = service.search(
            options.question, options.top_k, options.collection, filters=_filters(options)
        )
    show(options, search_payload(reply), reply_lines(reply, colour=wants_colour()))
    return 0 if reply.passages else 1


def run_documents(options: argparse.Namespace) -> int:
    with opened(options) as service:
        records = list(service.all_documents(options.collection))
    payload = {"documents": [document_payload(record) for record in records]}
    show(options, payload, document_lines(records))
    return 0


def run_remove(options: argparse.Namespace) -> int:
    with opened(options) as service:
        document_id = service.find(options.source, options.collection)
        service.remove(document_id)
    show(
        options,
        {"source": options.source, "document_id": document_id, "status": "removed"},
        [f"removed   {options.source}"],
    )
    return 0


def run_verify(options: argparse.Namespace) -> int:
    claims = read_claims(options.file)
    with opened(options) as service:
        results = list(zip(claims, service.verify(claims), strict=True))
    payload = [{"quote": claim.quote, **verification_payload(one)} for claim, one in results]
    show(options, {"results": payload}, verification_lines(results))
    return 0 if all(one.holds for _, one in results) else 1


def run_collections(options: argparse.Namespace) -> int:
    with opened(options) as service:
        records = service.collections()
    payload = {"collections": [collection_payload(record) for record in records]}
    show(options, payload, collection_lines(records))
    return 0


def run_status(options: argparse.Namespace) -> int:
    home = settings_of(options).home
    with opened(options) as service:
        records = service.collections()
        status = status_payload(service.reader.name, records, writable=service.writable)
    payload = {"home": str(home), **status}
    show(options, payload, [f"index in {home}", *collection_lines(records)])
    return 0


def run_doctor(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    with closing(doctor(settings, busy_seconds(options))) as found, closing(CountBar()) as bar:
        diagnosis = found.repair(bar.show) if options.repair else found.check(bar.show)
    show(options, diagnosis_payload(diagnosis), diagnosis_lines(diagnosis))
    return 1 if diagnosis.left else 0


def run_backup(options: argparse.Namespace) -> int:
    made = back_up(settings_of(options).home, options.to, busy_seconds(options))
    show(options, backup_payload(made), backup_lines("backed up to", made.folder, made))
    return 0


def run_restore(options: argparse.Namespace) -> int:
    home = settings_of(options).home
    made = restore(options.source, home, busy_seconds(options), replace=options.replace)
    show(options, backup_payload(made), backup_lines("restored to", home, made))
    return 0


def run_token_add(options: argparse.Namespace) -> int:
    tokens, within = Tokens(settings_of(options).home), options.collection
    for collection in within or ():
        check_collection(collection)
    secret = tokens.add(options.name, writes=options.write, collections=within)
    (made,) = (token for token in tokens.all() if token.name == options.name)
    print("rag: this is the only time that the token is shown", file=sys.stderr)
    show(options, {"token": secret, **token_payload(made)}, [secret])
    return 0


def run_token_list(options: argparse.Namespace) -> int:
    tokens = Tokens(settings_of(options).home).all()
    show(options, {"tokens": [token_payload(one) for one in tokens]}, token_lines(tokens))
    return 0


def run_token_remove(options: argparse.Namespace) -> int:
    Tokens(settings_of(options).home).remove(options.name)
    show(options, {"name": options.name, "status": "removed"}, [f"removed   {options.name}"])
    return 0


def run_rebuild(options: argparse.Namespace) -> int:
    with opened(options) as service:
        encoded = service.rebuilds.run()
    show(options, {"passages_encoded": encoded}, [f"{encoded} passages encoded"])
    return 0


def run_eval(options: argparse.Namespace) -> int:
    # Plots and statistics take a second to load, and only this command needs them.
    from rag.assessing import Asked, assessed  # noqa: PLC0415
    from rag.evaluating import Wanted, predictions_of, trec_of  # noqa: PLC0415

    wanted = Wanted(
        questions=options.questions,
        collection=options.collection,
        mode=options.mode,
        corpus=options.corpus or (),
        qrels=options.qrels,
        partial=options.partial,
        tuned=not options.calibrate,
    )
    asked = Asked(
        baseline=options.baseline,
        compare_anyway=options.compare_anyway,
        gate=_gate(options),
        max_wrong=options.max_wrong if options.calibrate else None,
    )
    _check_outputs(options)
    assessment = assessed(wanted, asked, settings_of(options))
    if options.out:
        assessment.write(options.out)
    if options.trec:
        options.trec.write_text(trec_of(assessment.run, wanted), "utf-8")
    if options.predictions:
        options.predictions.write_text(predictions_of(assessment.run), "utf-8")
    show(options, assessment.payload(), assessment.lines())
    return 0 if assessment.passed else 1


def _check_outputs(options: argparse.Namespace) -> None:
    """Raises `InvalidInput` now for what could not be written after an hour of questions."""
    try:
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--out {options.out} can't be made: {error.strerror}") from error
    for file in (options.trec, options.predictions):
        if file and (file.is_dir() or not file.absolute().parent.is_dir()):
            raise InvalidInput(f"{file} can't be written: name a file in a folder that exists")


def _gate(options: argparse.Namespace) -> Path | None:
    """The file that was named, else the one beside the questions; None where none is wanted."""
    file: Path | Literal[True] | None = options.gate
    if file is not True:
        return file
    questions: Path = options.questions
    return (questions if questions.is_dir() else questions.parent) / _GATE


def run_serve(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    settings = replace(
        settings,
        paths=tuple(p.absolute() for p in options.paths),
        read_only=settings.read_only or options.read_only,
    )
    return serving.serve(settings, options.host, options.port)
