"""The sample's follow-up questions, asked of its corpus in three ways.

    python -m tests.bench.followups

Prints Markdown: with the history, so that the rules complete them; without it, word for word; and
with the question that was expected in their place, which is the most that rewriting can give.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rag.assembly import build
from rag.evaluation.harness import evaluate
from rag.evaluation.json_lines import read_json_lines
from rag.evaluation.questions import Question, QuestionSet
from rag.evaluation.run import shown
from rag.service import DEFAULT_COLLECTION
from rag.settings import Settings

_DATA = Path(__file__).parents[2] / "data"
_SHOWN = ("right", "recall@5", "f1", "answer_in_sentence", "wrongly_answered")


def _sets() -> dict[str, list[Question]]:
    file = _DATA / "followups.jsonl"
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    expected = {line["id"]: line["rewritten"] or line["question"] for line in lines}
    given = read_json_lines(file).questions
    return {
        "rewritten": list(given),
        "word for word": [replace(one, history=()) for one in given],
        "as expected": [replace(one, history=(), question=expected[one.id]) for one in given],
    }


def main() -> None:
    """Prints a row for each half of the questions and each way of asking."""
    print(f"| half | asked | questions | {' | '.join(_SHOWN)} |")
    print("|" + "---|" * (3 + len(_SHOWN)))
    with tempfile.TemporaryDirectory() as home:
        settings = replace(Settings.from_environment(), home=Path(home))
        with closing(build(settings)) as service:
            service.ingest([_DATA / "corpus"], DEFAULT_COLLECTION)
            for half in ("dev", "test"):
                for name, questions in _sets().items():
                    asked = tuple(one for one in questions if half in one.tags)
                    run = evaluate(service, DEFAULT_COLLECTION, QuestionSet(asked), name)
                    cells = [shown(key, run["metrics"][key]) for key in _SHOWN]
                    print(f"| {half} | {name} | {len(asked)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
