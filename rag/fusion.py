"""Two rankings to one: how near in meaning and how many words in common, averaged.

A passage's score depends on the question and that passage alone, never on what else was found: one
more candidate can't reorder the others, and scores of different questions can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping

DENSE_WEIGHT = 0.5
"""The cosine's share of the score; the words have the rest.

Tuned on 6,000 questions over 90 of SQuAD's training articles, recall@1 / @5: .824 / .955 at 0.3,
.826 / .958 at 0.4, .826 / .960 at 0.5, .815 / .957 at 0.6. `tests/bench/retrieval.py` prints this
and the other ways of fusing. Averaging scores rather than ranks follows Bruch et al., "An Analysis
of Fusion Functions for Hybrid Retrieval" (2023).
"""


def fuse(dense: Mapping[int, float], words: Mapping[int, float]) -> list[tuple[int, float]]:
    """Passage ids with scores, best first, equal scores by id.

    `dense` holds cosines; `words` holds BM25 as a share of the most that the question's words could
    score. A passage counts 0 in a leg that does not hold it, so `dense` should hold every
    candidate. A score is at most about 1, and below 0 only where the cosine is.
    """
    scores = {
        passage: DENSE_WEIGHT * dense.get(passage, 0.0)
        + (1 - DENSE_WEIGHT) * words.get(passage, 0.0)
        for passage in dense.keys() | words.keys()
    }
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
