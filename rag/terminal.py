"""Replies, reports and listings as text for a terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rag.access import Token
from rag.backup import Backup
from rag.diagnosing.findings import Diagnosis, Finding
from rag.store.base import CollectionRecord
from rag.types import Answer, Citation, DocumentRecord, Fate, Reply, Span
from rag.verifying import Claim, FileState, Standing, Verification

_WIDTH = 96
_LONGEST_QUOTE = 60
_REASONS = {
    "empty_index": "Nothing is indexed yet: `rag ingest FOLDER` first.",
    "no_passage": "Not found in your files: no passage is near the question.",
    "low_confidence": "Not found in your files: no sentence answers this. The nearest passages:",
}


def reply_lines(reply: Reply, *, colour: bool) -> Iterator[str]:
    """The answers with the span marked and where each stands, then the passages."""
    yield from _searched_lines(reply)
    for answer in reply.answers:
        yield from _answer_lines(answer, colour)
        yield ""
    if reply.reason:
        yield _REASONS[reply.reason]
        yield ""
    for passage in reply.passages:
        yield f"{passage.rank}. {_where(passage.citation)}  (score {passage.score:.3f})"
        yield from _wrapped(passage.text)
        yield from _also(passage.also_in)


def _searched_lines(reply: Reply) -> Iterator[str]:
    if reply.rewritten:
        yield plain(f"Searched for: {reply.rewritten}")
        yield ""


def _answer_lines(answer: Answer, colour: bool) -> Iterator[str]:
    citation = answer.citation
    start = citation.sentence.start if citation.sentence else citation.span.start
    marked = _marked(plain(answer.sentence), citation.span.shifted(-start), colour)
    yield from textwrap.wrap(" ".join(marked.split()), _WIDTH)
    sure = "" if answer.confidence is None else f"  (confidence {answer.confidence:.2f})"
    yield f"    {_where(citation)}{sure}"
    yield from _also(answer.also_in)


def _marked(sentence: str, span: Span, colour: bool) -> str:
    before, after = ("\033[1;32m", "\033[0m") if colour else ("[", "]")
    return f"{sentence[: span.start]}{before}{span.of(sentence)}{after}{sentence[span.end :]}"


_FATES = {  # what `rag why` says of a passage
    Fate.ANSWER: "the answer",
    Fate.FURTHER_ANSWER: "a further answer",
    Fate.SAME_ANSWER: "says the same as an answer above it",
    Fate.CROWDED_OUT: "stands, but enough answers stand above it",
    Fate.LOW_CONFIDENCE: "not sure enough to be given",
    Fate.NO_WORDS: "read, and nothing in it could answer",
    Fate.NOT_READ: "not read: only the nearest passages are",
}


def why_lines(reply: Reply) -> Iterator[str]:
    """Each passage that was considered: its ranks, what the reader made of it, and its fate."""
    yield from _searched_lines(reply)
    for one in reply.considered:
        yield f"{one.rank}. {_where(one.citation)}: {_FATES[one.fate]}"
        legs = one.legs
        yield (
            f"    found {_ordinal(one.fused_rank)} (score {one.score:.3f}): "
            f"{_ordinal(legs.dense_rank)} by meaning ({legs.cosine:.3f}), "
            f"{_ordinal(legs.word_rank)} by words ({legs.words:.3f}"
            f"{': ' if one.terms else ''}{plain(' '.join(one.terms))})"
        )
        if one.best and one.quoted:
            sure = one.best.confidence
            yield (
                f"    read as [{plain(one.quoted.quote)}]: score {_number(one.best.span_score)}, "
                f'"no answer here" {_number(one.best.null_score)}'
                f"{'' if sure is None else f', confidence {sure:.2f}'}"
            )


def _ordinal(rank: int | None) -> str:
    return "not listed" if rank is None else f"no. {rank}"


def _number(score: float | None) -> str:
    return "-" if score is None else f"{score:.2f}"


def _where(citation: Citation) -> str:
    last = citation.paragraph_end
    paragraph = f"paragraph {citation.paragraph}"
    if last != citation.paragraph:
        paragraph = f"paragraphs {citation.paragraph}-{last}"
    page = f", page {citation.page_label or citation.page}" if citation.page else ""
    return plain(f"{citation.origin.source}, {paragraph}{page}")


def _also(citations: Iterable[Citation]) -> Iterator[str]:
    for citation in citations:
        yield f"    also in {_where(citation)}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        plain(" ".join(text.split())), _WIDTH, initial_indent="    ", subsequent_indent="    "
    )


def plain(text: str) -> str:
    """The same length without control characters: a document must not drive the terminal."""
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"


_FILES = {  # what `rag verify` says of the file behind a citation
    FileState.CHANGED: "; the file on disk has changed since it was ingested",
    FileState.GONE: "; the file on disk is gone",
    FileState.UNREACHABLE: "; the file on disk can't be read",
}


_DAMAGED = "damaged"  # of the stored document, so that its citations can't be judged


def verification_lines(results: Sequence[tuple[Claim, Verification]]) -> Iterator[str]:
    """A line for each citation, then the sums."""
    for claim, found in results:
        where = found.source or found.document_id
        if found.paragraph:
            where = f"{where}, paragraph {found.paragraph}"
        quote = textwrap.shorten(claim.quote, _LONGEST_QUOTE, placeholder=" …")
        why = "" if found.status is Standing.EXACT else f": {found.detail}"
        file = _FILES.get(found.file, "") if found.file else ""
        yield plain(f'{found.status or _DAMAGED:8} {where} "{quote}"{why}{file}')
    statuses = [found.status or _DAMAGED for _, found in results]
    kinds = [*Standing, *([_DAMAGED] if _DAMAGED in statuses else [])]
    yield ", ".join(f"{statuses.count(kind)} {kind}" for kind in kinds)


def document_lines(records: Iterable[DocumentRecord]) -> Iterator[str]:
    for record in records:
        origin = record.origin
        size = f"{record.paragraphs:6} paragraphs {record.passages:6} passages"
        yield plain(f"{origin.document_id}  {size}  {origin.source}  ({origin.title})")


def collection_lines(records: Iterable[CollectionRecord]) -> Iterator[str]:
    for record in records:
        size = f"{record.documents:8} documents {record.passages:9} passages"
        yield f"{size}  {record.name}  ({record.embedder or 'empty'})"


def backup_lines(what: str, folder: Path, backup: Backup) -> Iterator[str]:
    """What a backup holds, and where it or what was made of it is."""
    yield plain(f"{what} {folder}: version {backup.version}, {backup.date}")
    for one in backup.collections:
        yield f"{one.documents:8} documents {one.passages:9} passages  {one.name}"


def token_lines(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        may = "reads and writes" if token.writes else "reads"
        where = "everything" if token.collections is None else ", ".join(token.collections)
        yield f"{token.name:20} {may:16}  {where}  (made {token.created_at})"


def diagnosis_lines(diagnosis: Diagnosis) -> Iterator[str]:
    """What is mended; what is wrong, what that costs and what a repair does; then the sums."""
    for finding in diagnosis.repaired:
        yield plain(f"repaired  {_subject(finding)}{finding.what}")
    for finding in diagnosis.left:
        yield plain(f"wrong     {_subject(finding)}{finding.what}")
        yield f"          costs: {finding.fault.cost}"
        yield f"          repair: {finding.fault.cure}"
    checkup = diagnosis.after or diagnosis.before
    yield (
        f"{checkup.documents} documents and {checkup.passages} passages read, "
        f"{checkup.reencoded} encoded again: "
        f"{len(diagnosis.left) or 'nothing'} wrong, {len(diagnosis.repaired)} repaired"
    )


def _subject(finding: Finding) -> str:
    if finding.document_id:
        return f"{finding.source} ({finding.document_id} in {finding.collection}): "
    return f"collection {finding.collection}: " if finding.collection else ""


def wants_colour() -> bool:
    return sys.stdout.isatty()
