"""Why a passage's words are the answer, or aren't: pure functions over what the read path saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rag.analysis import terms
from rag.citing import cite, cite_passage, place_of
from rag.types import Candidate, Considered, Fate, Hit

_BEST_FIRST = tuple(Fate)


def explained(
    question: str,
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    standing: Sequence[Candidate],
    groups: Sequence[Sequence[Candidate]],
    read: int,
    shown: int,
) -> tuple[Considered, ...]:
    """Every hit with its fate, in the order after reading.

    `hits` are in retrieval's order and the first `read` of them were read; `candidates` are the
    reader's, best first; `standing` those that it stands by, and `groups` their distinct answers,
    of which `shown` are given.
    """
    asked = list(dict.fromkeys(terms(question)))
    fates = {id(candidate): Fate.SAME_ANSWER for candidate in standing} | _fates(groups, shown)
    fused = {id(hit): rank for rank, hit in enumerate(hits, start=1)}
    return tuple(
        _considered(asked, hit, fused[id(hit)], rank, found, fates, read)
        for rank, (hit, found) in enumerate(_by_hit(hits, candidates), start=1)
    )


def _fates(groups: Sequence[Sequence[Candidate]], shown: int) -> dict[int, Fate]:
    """The fate of each group's best candidate, by its identity."""
    given = [Fate.ANSWER, *[Fate.FURTHER_ANSWER] * (shown - 1)]
    missed = [Fate.CROWDED_OUT] * len(groups)
    return {id(group[0]): fate for group, fate in zip(groups, [*given, *missed], strict=False)}


def _by_hit(
    hits: Sequence[Hit], candidates: Sequence[Candidate]
) -> Iterator[tuple[Hit, list[Candidate]]]:
    found: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault(id(candidate.hit), []).append(candidate)
    by_id = {id(hit): hit for hit in hits}
    for key in [*found, *(key for key in by_id if key not in found)]:
        yield by_id[key], found.get(key, [])


def _considered(
    asked: Sequence[str],
    hit: Hit,
    fused_rank: int,
    rank: int,
    found: Sequence[Candidate],
    fates: Mapping[int, Fate],
    read: int,
) -> Considered:
    standing = set(terms(hit.passage.text))
    judged = [(_fate(candidate, fates), candidate) for candidate in found]
    missing = Fate.NO_WORDS if fused_rank <= read else Fate.NOT_READ
    fate, best = min(judged, key=lambda one: _BEST_FIRST.index(one[0]), default=(missing, None))
    return Considered(
        citation=cite_passage(place_of(hit)),
        also_in=tuple(cite_passage(copy) for copy in hit.copies),
        legs=hit.legs,
        terms=tuple(term for term in asked if term in standing),
        fused_rank=fused_rank,
        score=hit.score,
        rank=rank,
        best=best,
        quoted=cite(place_of(hit), best.span, best.sentence) if best else None,
        fate=fate,
    )


def _fate(candidate: Candidate, fates: Mapping[int, Fate]) -> Fate:
    return fates.get(id(candidate), Fate.LOW_CONFIDENCE)
