"""What an ingest would do, by names, sizes and hashes: nothing is parsed and nothing written.

That the rules of cutting have changed, so that all is cut anew, isn't foreseen: it takes the model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from rag.attached import by_file
from rag.entries import SourceFile, keeps_its_parse
from rag.errors import FileRefused
from rag.ingestion import refused, unchanged, was_at
from rag.loading.formats import loader_of, why_unsupported
from rag.store.base import Stored
from rag.syncing import Plan
from rag.types import IngestReport, Outcome, Status


@dataclass(frozen=True, slots=True)
class Forecast:
    """What an ingest would report; `work`, the bytes of files that would be encoded; and `pace`,
    the bytes a second of a former ingest, if known.
    """

    report: IngestReport
    work: int
    pace: float | None

    @property
    def seconds(self) -> float | None:
        """How long that would take at the former pace: less where much is reused."""
        if not self.work:
            return 0.0
        return self.work / self.pace if self.pace else None


def foresee(plan: Plan, stored: Sequence[Stored], pace: float | None) -> Forecast:
    """The forecast for a plan over a collection whose documents are `stored`."""
    known = {(s.root, s.source): s for s in stored}
    attached = by_file(known)
    outcomes: list[Outcome] = []
    for file in plan.files:
        was = file.moved_from or known.get((file.root, file.source))
        outcomes += _foreseen(file, was, attached.get((was.root, was.source), ()) if was else ())
    outcomes += [one.outcome for one in plan.gone]
    outcomes += plan.refused
    ordered = tuple(sorted(outcomes, key=lambda outcome: outcome.source))
    report = IngestReport(ordered, encoded=0, reused=0)
    renamed = sum(file.size for file in plan.files if _is_perhaps_titled_anew(file))
    work = report.bytes(Status.ADDED) + report.bytes(Status.REPLACED) + renamed
    return Forecast(report, work, pace)


def _foreseen(file: SourceFile, known: Stored | None, attached: Sequence[Stored]) -> list[Outcome]:
    """What would become of a file and of what is attached to it; what would be attached to one that
    is new or has changed is only known once it is parsed.
    """
    if known is None:
        return [Outcome(file.source, Status.ADDED, size=file.size)]
    everything = [known, *attached]
    if file.moved_from:
        return [_foreseen_moved(file, known, one) for one in everything]
    try:
        is_same = known.sha256 == hashlib.sha256(file.read()).hexdigest()
    except FileRefused as error:
        return [refused(file.source, error, known, file.size)]
    if is_same and all(one.loader == _loader(one.source) for one in everything):
        return unchanged(everything)
    return [Outcome(file.source, Status.REPLACED, known.document_id, size=file.size)]


def _foreseen_moved(file: SourceFile, mail: Stored, one: Stored) -> Outcome:
    source = file.source + one.source.removeprefix(mail.source)
    return Outcome(source, Status.MOVED, reason=was_at(one, one.title), size=one.size)


def _loader(source: str) -> str | None:
    return None if why_unsupported(source) else loader_of(source)


def _is_perhaps_titled_anew(file: SourceFile) -> bool:
    return bool(file.moved_from and not keeps_its_parse(file.moved_from, file.source))
