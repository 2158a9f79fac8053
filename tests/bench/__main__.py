"""`make bench`: every figure that the README gives, measured on this machine.

    python -m tests.bench [--data DATASETS] [--files N]

Without DATASETS the sample corpus is used, and the public collections are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rag.evaluation.json_lines import read_json_lines
from rag.settings import Settings
from tests.bench import evaluating, page, retrieval, speed

_SAMPLE = Path(__file__).parents[2] / "data"


def main() -> None:
    """Prints Markdown tables as they are done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with e2e/squad20_dev and beir/")
    parser.add_argument("--files", type=int, default=1000, help="for the changed-file table")
    options = parser.parse_args()
    settings = Settings.from_environment()
    folder = options.data / "e2e/squad20_dev" if options.data else _SAMPLE
    corpus = folder / ("docs" if options.data else "corpus")
    question_set = read_json_lines(folder / "questions.jsonl").questions
    questions = [question.question for question in question_set]
    for table in (
        speed.question_table(corpus, questions, settings),
        speed.reading_table(corpus, questions, settings),
        speed.memory_table(corpus, questions, settings),
        page.page_table(corpus, questions, settings),
        # The sample has too few questions to time.
        evaluating.evaluation_table(corpus, question_set, settings) if options.data else (),
        speed.ingest_table(corpus, settings),
        speed.change_table(options.files, settings),
        retrieval.tables(options.data, retrieval.CACHE) if options.data else (),
    ):
        for line in table:
            print(line, flush=True)


if __name__ == "__main__":
    main()
