"""How fast `rag eval` asks, beside one HTTP client that asks the same questions one by one.

python -m tests.bench.evaluating --data DATASETS
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median

from rag.assembly import build
from rag.evaluation.asking import TIMED
from rag.evaluation.harness import PASSAGES, evaluate
from rag.evaluation.json_lines import read_json_lines
from rag.evaluation.questions import Question, QuestionSet
from rag.service import Service
from rag.settings import Settings
from tests.bench.serving import served
from tests.served import Served

_ROUNDS = 3
_COUNTED = 150  # questions of a round


def evaluation_table(
    corpus: Path, questions: Sequence[Question], settings: Settings
) -> Iterator[str]:
    """Markdown; both in turn, round by round, so that whatever else runs slows both."""
    rates: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as home:
        mine = replace(settings, home=Path(home))
        with served(corpus, mine) as server, closing(build(mine)) as service:
            server.ask(questions[0].question)
            service.ask(questions[0].question)
            rest = iter(questions)
            for _ in range(_ROUNDS):
                part = list(islice(rest, TIMED + _COUNTED))
                rates.append((_over_http(server, part), _evaluated(service, part)))
    http, evaluated = (median(rate) for rate in zip(*rates, strict=True))
    ratios = [ours / theirs for theirs, ours in rates]
    yield f"### Evaluating, {_ROUNDS} rounds of {_COUNTED} questions in turn\n"
    yield "| one HTTP client, questions/s | `rag eval`, questions/s | ratio |"
    yield "|---|---|---|"
    yield (
        f"| {http:.1f} | {evaluated:.1f} | {median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}) |"
    )
    yield ""


def _over_http(server: Served, questions: Sequence[Question]) -> float:
    began = time.perf_counter()
    for question in questions[-_COUNTED:]:
        server.ask(question.question, top_k=PASSAGES)
    return _COUNTED / (time.perf_counter() - began)


def _evaluated(service: Service, questions: Sequence[Question]) -> float:
    """Questions a second after the first ones, which are asked one at a time to be timed."""
    at: list[float] = []
    asked = QuestionSet(tuple(questions))
    evaluate(service, "default", asked, asked=lambda: at.append(time.perf_counter()))
    return _COUNTED / (at[-1] - at[TIMED - 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with e2e/squad20_dev")
    folder = parser.parse_args().data / "e2e/squad20_dev"
    questions = read_json_lines(folder / "questions.jsonl").questions
    for line in evaluation_table(folder / "docs", questions, Settings.from_environment()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
