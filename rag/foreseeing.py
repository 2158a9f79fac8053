"""What an ingest would do, by names, sizes and hashes: nothing is parsed and nothing written.

That the rules of cutting have changed, so that all is cut anew, isn't foreseen: it takes the model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from rag.entries import SourceFile, keeps_its_parse
from rag.errors import FileRefused
from rag.ingestion import refused, was_at
from rag.loading.formats import loader_of
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
    outcomes = [_foreseen(file, known.get((file.root, file.source))) for file in plan.files]
    outcomes += [one.outcome for one in plan.gone]
    outcomes += plan.refused
    ordered = tuple(sorted(outcomes, key=lambda outcome: outcome.source))
    report = IngestReport(ordered, encoded=0, reused=0)
    renamed = sum(file.size for file in plan.files if _is_perhaps_titled_anew(file))
    work = report.bytes(Status.ADDED) + report.bytes(Status.REPLACED) + renamed
    return Forecast(report, work, pace)


def _foreseen(file: SourceFile, known: Stored | None) -> Outcome:
    if former := file.moved_from:
        reason = was_at(former, former.title)
        return Outcome(file.source, Status.MOVED, reason=reason, size=file.size)
    if known is None:
        return Outcome(file.source, Status.ADDED, size=file.size)
    try:
        is_same = known.sha256 == hashlib.sha256(file.read()).hexdigest()
    except FileRefused as error:
        return refused(file.source, error, known, file.size)
    is_current = is_same and known.loader == loader_of(file.source)
    status = Status.UNCHANGED if is_current else Status.REPLACED
    return Outcome(file.source, status, known.document_id, size=file.size)


def _is_perhaps_titled_anew(file: SourceFile) -> bool:
    return bool(file.moved_from and not keeps_its_parse(file.moved_from, file.source))
