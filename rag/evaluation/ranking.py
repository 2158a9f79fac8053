"""Retrieval metrics by ir-measures, which is trec_eval underneath, for rankings of any items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import ir_measures
from ir_measures import AP, RR, R, Success, nDCG

_CUTS = (1, 5, 10)
_MEASURES: Mapping[ir_measures.Measure, str] = {
    **{R @ k: f"recall@{k}" for k in _CUTS},
    **{Success @ k: f"hit@{k}" for k in _CUTS},
    RR @ 10: "mrr@10",
    nDCG @ 10: "ndcg@10",
    AP: "map",
}
_CURVE: Mapping[ir_measures.Measure, int] = {R @ k: k for k in range(1, 11)}

NAMES = tuple(_MEASURES.values())
"""Every score that `ranking_scores` gives, in the order of a report."""


def ranking_scores(
    ranked: Mapping[str, Sequence[str]],
    relevant: Mapping[str, Mapping[str, int]],
    prefix: str = "",
) -> dict[str, dict[str, float]]:
    """For each question id the scores of `NAMES`, each from 0 to 1 and with `prefix` before it.

    `ranked` are a question's items, best first; one that comes again is not counted again.
    `relevant` are the items' grades; an item without one, or with 0 or less, is not relevant.
    A question with nothing ranked scores 0; one with nothing relevant has no scores.
    """
    measured = _measured(ranked, relevant, _MEASURES)
    return {
        question: {prefix + name: scores[measure] for measure, name in _MEASURES.items()}
        for question, scores in measured.items()
    }


def recall_curve(
    ranked: Mapping[str, Sequence[str]], relevant: Mapping[str, Mapping[str, int]]
) -> list[float]:
    """The mean recall at 1, 2, … 10 of the questions with something relevant; empty without any."""
    measured = _measured(ranked, relevant, _CURVE).values()
    return [fmean(scores[measure] for scores in measured) for measure in _CURVE if measured]


def units(found: Sequence[frozenset[int]], evidence: int) -> tuple[list[str], dict[str, int]]:
    """A ranking of passages and its judgements, from the pieces of evidence that each one holds.

    `found` are for each passage, best first, the numbers below `evidence` of the pieces in it. What
    one passage brings that none before it held is one unit, however many pieces; each piece that
    no passage holds is one missing unit. So the best order has an nDCG of 1, and a passage that
    repeats evidence gains nothing.
    """
    ranked = [f"passage {rank}" for rank in range(1, len(found) + 1)]
    judged: dict[str, int] = {}
    seen: frozenset[int] = frozenset()
    for name, held in zip(ranked, found, strict=True):
        if held - seen:
            judged[name] = 1
        seen |= held
    missing = (piece for piece in range(evidence) if piece not in seen)
    return ranked, judged | {f"missing {piece}": 1 for piece in missing}


def _measured(
    ranked: Mapping[str, Sequence[str]],
    relevant: Mapping[str, Mapping[str, int]],
    measures: Mapping[ir_measures.Measure, object],
) -> dict[str, dict[ir_measures.Measure, float]]:
    """For each question with something relevant its value of each measure.

    trec_eval crashes on ids that are no valid Unicode, so it gets numbers for questions and items;
    and it breaks ties by id, so scores fall with the rank.
    """
    questions = [q for q, grades in relevant.items() if any(g > 0 for g in grades.values())]
    run: dict[str, dict[str, float]] = {}
    judged: dict[str, dict[str, int]] = {}
    for number, question in enumerate(questions):
        items = list(dict.fromkeys(ranked.get(question, ())))
        grades = {item: grade for item, grade in relevant[question].items() if grade > 0}
        ids = {item: str(place) for place, item in enumerate(dict.fromkeys([*items, *grades]))}
        run[str(number)] = {ids[item]: -float(place) for place, item in enumerate(items)}
        judged[str(number)] = {ids[item]: grade for item, grade in grades.items()}
    values: dict[str, dict[ir_measures.Measure, float]] = {q: {} for q in questions}
    for measured in ir_measures.iter_calc(list(measures), judged, run):
        values[questions[int(measured.query_id)]][measured.measure] = float(measured.value)
    return values
