"""Metrics as pure functions of one question's outcome; a mean over questions is a run's figure."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from math import log2

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(answer: str) -> str:
    """As in SQuAD's published script: lower case, no ASCII punctuation, articles or extra space."""
    bare = answer.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(answer: str, accepted: Sequence[str]) -> float:
    """1 if the answer is one of the accepted; an empty answer is right where none is accepted."""
    given = normalised(answer)
    return float(any(given == normalised(gold) for gold in accepted or [""]))


def f1(answer: str, accepted: Sequence[str]) -> float:
    """The best overlap of words with an accepted answer, as in SQuAD's published script."""
    return max(_f1(normalised(answer).split(), normalised(g).split()) for g in accepted or [""])


def _f1(given: Sequence[str], gold: Sequence[str]) -> float:
    if not given or not gold:
        return float(given == gold)
    same = sum((Counter(given) & Counter(gold)).values())
    # 2PR / (P + R) with P = same / given and R = same / gold.
    return 2 * same / (len(given) + len(gold))


Found = Sequence[frozenset[int]]
"""For each ranked passage, best first, which pieces of evidence it holds."""


def recall_at(k: int, found: Found, evidence: int) -> float:
    """The share of the pieces of evidence that the first `k` passages hold."""
    return len(frozenset().union(*found[:k])) / evidence


def reciprocal_rank_at(k: int, found: Found) -> float:
    """One by the rank of the first passage with evidence, 0 where the first `k` have none."""
    return next((1 / rank for rank, held in enumerate(found[:k], start=1) if held), 0.0)


def ndcg_at(k: int, found: Found, evidence: int) -> float:
    """Normalised discounted cumulative gain: a passage gains 1 if it holds evidence not yet seen.

    Järvelin and Kekäläinen, 2002, with binary gains; the ideal has a passage for each piece.
    """
    seen: frozenset[int] = frozenset()
    gain = 0.0
    for rank, held in enumerate(found[:k], start=1):
        gain += bool(held - seen) / log2(rank + 1)
        seen |= held
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(k, evidence) + 1))
    return gain / ideal


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]
