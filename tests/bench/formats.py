"""Facts planted in files of every format, and found: `python -m tests.bench.formats [--each 20]`.

Every file is new, with a fact at a known place among sentences that many files share; each fact is
asked for in words of its own, with the real models at their default threshold. Found is a fact
whose answer holds the right words and cites the right file, page and paragraph.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rag.assembly import build
from rag.service import Service
from rag.settings import Settings
from rag.text import paragraphs
from tests.loading.planted import Planted, planted


def formats_table(each: int, settings: Settings) -> Iterator[str]:
    """A line for each kind of file; what was not found is told below."""
    files = list(planted(each))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "files")
        folder.mkdir()
        for file in files:
            (folder / file.name).write_bytes(file.data)
        with closing(build(replace(settings, home=Path(made, "home")))) as service:
            service.ingest([folder])
            missed = [(file, fault) for file in files if (fault := fault_of(service, file))]
    yield from _lines(files, missed)


def fault_of(service: Service, file: Planted) -> str | None:
    """What is wrong with the answer to a planted fact's question, if anything is."""
    reply = service.ask(file.question)
    if not reply.answers:
        return f"no answer: {reply.reason}"
    answer = reply.answers[0]
    citation = answer.citation
    if citation.origin.source != file.source:
        return f"from {citation.origin.source}"
    if file.answer not in answer.text:
        return f"answered {answer.text!r}"
    document, _ = service.document(citation.origin.document_id)
    paragraph = paragraphs(document.text)[citation.paragraph - 1].of(document.text)
    if paragraph != file.paragraph:
        return f"cites {paragraph!r}"
    return None if citation.page == file.page else f"on page {citation.page}"


def _lines(files: Sequence[Planted], missed: Sequence[tuple[Planted, str]]) -> Iterator[str]:
    asked = Counter(file.kind for file in files)
    lost = Counter(file.kind for file, _ in missed)
    yield f"### {len(files)} files with a fact in each\n"
    yield "| | facts | found, with file, page and paragraph |"
    yield "|---|---|---|"
    for kind, count in asked.items():
        yield f"| {kind} | {count} | {count - lost[kind]} |"
    yield f"| **all** | {len(files)} | {len(files) - len(missed)} |"
    yield ""
    for file, fault in missed:
        yield f"{file.name}: {file.question} {fault}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=20, help="files of each kind")
    for line in formats_table(parser.parse_args().each, Settings.from_environment()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
