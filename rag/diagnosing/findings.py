"""What a check can find: what is wrong, what that costs, and what a repair does about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Fault(StrEnum):
    """The kinds of faults, in the order in which they are repaired."""

    FILE = "file"
    DOCUMENT = "document"
    PASSAGES = "passages"
    VECTORS = "vectors"
    ORPHANS = "orphans"
    CACHE = "cache"
    LEFTOVERS = "leftovers"
    UNUSED = "unused"
    ORIGINAL = "original"
    MODEL = "model"
    CALIBRATION = "calibration"
    FEEDBACK = "feedback"

    @property
    def cost(self) -> str:
        return _COSTS[self]

    @property
    def cure(self) -> str:
        return _CURES[self]

    @property
    def can_be_repaired(self) -> bool:
        """Whether a repair tries; it can fail for a document whose file is gone."""
        return self not in (Fault.ORIGINAL, Fault.MODEL, Fault.CALIBRATION, Fault.FEEDBACK)


_COSTS = {
    Fault.FILE: "reading or writing may fail at any time",
    Fault.DOCUMENT: "its citations can't be trusted, so it is not shown, and questions that find "
    "it fail",
    Fault.PASSAGES: "citations of them can't be trusted, and questions that find them may fail",
    Fault.VECTORS: "its passages are found badly by meaning, or not at all",
    Fault.ORPHANS: "they take up room, and those that are searched push others out",
    Fault.CACHE: "passages may not be found, or opening the index takes longer",
    Fault.LEFTOVERS: "they take up room",
    Fault.UNUSED: "they take up room",
    Fault.ORIGINAL: "it can't be downloaded, and a damaged document can't be read from it again",
    Fault.MODEL: "it is asked with that model where it can be loaded, else not at all, and its "
    "vectors can't be checked",
    Fault.CALIBRATION: "its own confidence and threshold are not used",
    Fault.FEEDBACK: "evaluating it stops there, unless with --partial",
}
_CURES = {
    Fault.FILE: "SQLite's indexes are made anew; where that doesn't help, restore a backup, or "
    "ingest the files into another --home",
    Fault.DOCUMENT: "it is read again from its file, if that is there with the same SHA-256; "
    "otherwise ingest it again by hand",
    Fault.PASSAGES: "they are cut anew from the document's text, which is intact",
    Fault.VECTORS: "its passages are encoded anew",
    Fault.ORPHANS: "they are forgotten; no text is lost with them",
    Fault.CACHE: "it is built anew from the database",
    Fault.LEFTOVERS: "they are removed",
    Fault.UNUSED: "they are removed",
    Fault.ORIGINAL: "nothing: upload the file again",
    Fault.MODEL: "nothing: `rag rebuild` encodes it anew, and so does `rag serve` by itself",
    Fault.CALIBRATION: "nothing: fit it again with `rag eval --calibrate`, or delete the file to "
    "go back to the reader's own threshold",
    Fault.FEEDBACK: "nothing: it is what people wrote; correct the line or delete it",
}


Name = tuple[Fault, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `row_id` and `leftovers` are what a repair needs to know."""

    fault: Fault
    what: str
    collection: str | None = None
    source: str | None = None
    document_id: str | None = None
    row_id: int | None = None
    leftovers: tuple[Path, ...] = ()

    @property
    def name(self) -> Name:
        """The same for what a repair has left over, however it is worded then."""
        return (self.fault, self.collection, self.source, self.document_id)


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was read and what was found. `behind` are rows and removals, by collection, that the
    caches will replay: no fault.
    """

    documents: int
    passages: int
    reencoded: int
    behind: dict[str, int]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The first check and, where a repair was asked for, the one after it."""

    before: Checkup
    after: Checkup | None = None

    @property
    def left(self) -> tuple[Finding, ...]:
        """What is wrong now."""
        return (self.after or self.before).findings

    @property
    def repaired(self) -> tuple[Finding, ...]:
        """What was wrong and is not any more."""
        names = {finding.name for finding in self.left}
        return tuple(f for f in self.before.findings if f.name not in names)
