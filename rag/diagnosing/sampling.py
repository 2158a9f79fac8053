"""Passages that are encoded again: a random few out of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import SystemRandom

from rag.store.examining import DocumentRow

SIZE = 64


@dataclass(frozen=True, slots=True)
class Sampled:
    """A passage to be encoded again."""

    row: DocumentRow
    encoded: str
    vector: bytes


@dataclass(slots=True)
class Sample:
    """So many passages out of a stream, each with the same chance (reservoir sampling)."""

    kept: list[Sampled] = field(default_factory=list)
    seen: int = 0
    _random: SystemRandom = field(default_factory=SystemRandom)

    def offer(self, sampled: Sampled) -> None:
        self.seen += 1
        if len(self.kept) < SIZE:
            self.kept.append(sampled)
        elif (place := self._random.randrange(self.seen)) < SIZE:
            self.kept[place] = sampled
