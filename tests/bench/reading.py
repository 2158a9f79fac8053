"""How well the reader reads, ranks and refuses, on public questions.

    python -m tests.bench.reading --data DATASETS [--reader FOLDER] [--questions N]

Prints Markdown. DATASETS holds the SQuAD files `squad20-dev`, `xquad-en`, `squad-calibration` and,
for the large collections, `squad-train`, all `.json.gz`. Open domain a question is asked of all
paragraphs of a collection, each being one passage, found and read as the service does. An answer
is right where its sentence holds an accepted answer, or its words share half of theirs with one;
"wrong words" counts the marked words alone. With N a fixed sample of the questions is asked open
domain.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np

from embeddings import models
from embeddings.base import Embedder
from rag.answering import READ
from rag.evaluation.metrics import exact_match, f1
from rag.evaluation.squad import SquadParagraph, read_squad
from rag.reading.confidence import Calibration, Ranking
from rag.reading.models import WEIGHTS
from rag.reading.span_reader import SpanReader
from rag.settings import Settings
from rag.training.calibrating import Judged, calibration_error, judge
from rag.training.library import Library
from rag.training.trials import Found, Kind, Read, drawn, halves, read
from rag.types import Hit, Origin, Passage, Span

_SEED = 1
_STREAMS = 2
_RARER = 6  # times as many answerable as impossible questions, as in squad-calibration
_ALL = sys.maxsize


# Given the paragraph


class Given(NamedTuple):
    """A question over its own paragraph: the best span, and how far it beats "no answer"."""

    accepted: tuple[str, ...]
    text: str
    score: float


def given(reader: SpanReader, paragraphs: Sequence[SquadParagraph]) -> list[Given]:
    """All questions, each over its own paragraph, scored without retrieval's part."""
    rows = [(paragraph, question) for paragraph in paragraphs for question in paragraph.questions]
    texts = [paragraph.text for paragraph, _ in rows]
    with ThreadPoolExecutor(_STREAMS) as pool:
        found = pool.map(lambda row: reader.readings(row[1].question, [_hit(row[0])])[0][0], rows)
        return [
            Given(
                tuple(answer.of(text) for answer in question.answers),
                reading.span.of(text),
                reader.ranking.score(reading.evidence),
            )
            for (_, question), text, reading in zip(rows, texts, found, strict=True)
        ]


def _hit(paragraph: SquadParagraph) -> Hit:
    whole = Span(0, len(paragraph.text))
    passage = Passage("", 0, whole, paragraph.text, "", "", (whole,), paragraph=1)
    return Hit(passage, Origin("", "", "", "", paragraph.title, None, None, "", "", ""), 0.0, 1)


def best_null(rows: Sequence[Given]) -> float:
    """The score below which "no answer" gives the best F1, either kind weighing the same."""
    able = [(row.score, f1(row.text, row.accepted)) for row in rows if row.accepted]
    unable = np.array([row.score for row in rows if not row.accepted])
    scores, gains = (np.array(column) for column in zip(*able, strict=True))
    values = np.quantile([row.score for row in rows], np.linspace(0, 1, 201))
    worth = [(gains * (scores >= v)).mean() + (unable < v).mean() for v in values]
    return float(values[int(np.argmax(worth))])


def given_table(reader: SpanReader, data: Path) -> Iterator[str]:
    null = best_null(given(reader, read_squad(data / "squad-calibration.json.gz")))
    yield f'\n### Given the paragraph ("no answer" below {null:.2f}, fitted on squad-calibration)\n'
    yield "| | questions | exact match | F1 |"
    yield "|---|---|---|---|"
    rows = given(reader, read_squad(data / "squad20-dev.json.gz"))
    able = [row for row in rows if row.accepted]
    yield _line("SQuAD 2.0 dev, answerable, answer forced", able, [row.text for row in able])
    said = [row.text if row.score >= null else "" for row in rows]
    yield _line("SQuAD 2.0 dev", rows, said)
    rows = given(reader, read_squad(data / "xquad-en.json.gz"))
    yield _line("XQuAD en, answer forced", rows, [row.text for row in rows])


def _line(name: str, rows: Sequence[Given], said: Sequence[str]) -> str:
    matches = fmean(exact_match(s, row.accepted) for s, row in zip(said, rows, strict=True))
    overlap = fmean(f1(s, row.accepted) for s, row in zip(said, rows, strict=True))
    return f"| {name} | {len(rows)} | {matches:.3f} | {overlap:.3f} |"


# Open domain


def forced_table(rows: Sequence[Read], ranking: Ranking, name: str) -> Iterator[str]:
    """Answerable questions whose best answer counts, whatever its confidence."""
    able = [row for row in rows if row.trial.kind is Kind.ANSWERABLE]
    ordered = [sorted(row.found, key=lambda one: -ranking.score(one.evidence)) for row in able]
    said = [
        (best[0].text if best else "", row.trial.accepted)
        for row, best in zip(able, ordered, strict=True)
    ]
    matches, overlap = fmean(exact_match(*s) for s in said), fmean(f1(*s) for s in said)
    yield f"\n### Open domain, answer forced: {len(able)} questions of {name}\n"
    yield "| | recall@1 | recall@5 | exact match | F1 |"
    yield "|---|---|---|---|---|"
    yield f"| as found | {_recalls(able, [row.found for row in able])} | | |"
    yield f"| **as read** | {_recalls(able, ordered)} | {matches:.3f} | {overlap:.3f} |"


def _recalls(rows: Sequence[Read], found: Sequence[Sequence[Found]]) -> str:
    """recall@1 and recall@5."""
    homes = [
        [one.passage == row.trial.home for one in ranked]
        for row, ranked in zip(rows, found, strict=True)
    ]
    return " | ".join(f"{fmean(any(row[:k]) for row in homes):.3f}" for k in (1, 5))


def refusing_line(name: str, rows: Sequence[Read], reader: SpanReader) -> str:
    """Shares of the questions answered at the default threshold, and the calibration error."""
    calibration = reader.calibration
    if calibration is None:
        return f"| {name} | not calibrated |"
    judged = list(judge(rows, reader.ranking, calibration))
    cells = _wrong(judged, calibration)
    for kind in Kind:
        of_kind = [answer for answer in judged if answer.trial.kind is kind]
        stands = [answer.confidence >= calibration.threshold for answer in of_kind]
        cells.append(f"{fmean(stands):.3f} of {len(stands)}" if stands else "")
    cells.append(f"{calibration_error(judged):.3f}")
    return f"| {name} | " + " | ".join(cells) + " |"


def _wrong(judged: Sequence[Judged], calibration: Calibration) -> list[str]:
    """Of the answers to the answerable and the impossible, strangers left out: the share whose
    sentence is wrong, and whose marked words are.
    """
    own = [answer for answer in judged if answer.trial.kind is not Kind.STRANGER]
    stands = [answer.found for answer in own if answer.confidence >= calibration.threshold]
    if not stands:
        return ["", ""]
    wrong = fmean(not found.right for found in stands), fmean(not found.exact for found in stands)
    return [f"{share:.3f}" for share in wrong]


def open_tables(reader: SpanReader, embedder: Embedder, data: Path, count: int) -> Iterator[str]:
    dev, small = (read_squad(data / f"{name}.json.gz") for name in ("squad20-dev", "xquad-en"))
    first, second = halves(read_squad(data / "squad-calibration.json.gz"))
    train = read_squad(data / "squad-train.json.gz")

    def ask(
        inside: Sequence[SquadParagraph], more: Sequence[SquadParagraph], most: int
    ) -> list[Read]:
        counts = {Kind.ANSWERABLE: most, Kind.NEAR_MISS: most // _RARER, Kind.STRANGER: most // 4}
        trials = drawn(inside, second if inside is not second else first, counts, _SEED)
        return list(read(reader, Library([*inside, *more], embedder), trials, READ))

    rows = ask(dev, (), count)
    yield from forced_table(rows, reader.ranking, "SQuAD 2.0 dev")
    yield "\n### Refusing, at the default threshold\n"
    yield (
        "| | wrong among answered | wrong words | answerable | near misses | strangers "
        "| calibration error |"
    )
    yield "|---|---|---|---|---|---|---|"
    yield refusing_line(f"SQuAD 2.0 dev, {len(dev)} paragraphs", rows, reader)
    count = min(count, 1000)
    yield refusing_line(f"XQuAD en, {len(small)} paragraphs", ask(small, (), count), reader)
    for name, inside in (("first", first), ("second", second)):
        for more in ((), train):
            label = f"squad-calibration, {name} half, {len(inside) + len(more)} paragraphs"
            yield refusing_line(label, ask(inside, more, count), reader)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of data sets")
    parser.add_argument("--reader", type=Path, default=WEIGHTS, help="as the training leaves it")
    parser.add_argument("--questions", type=int, default=_ALL, help="asked open domain of each set")
    options = parser.parse_args()
    settings = Settings.from_environment()
    reader = SpanReader(options.reader.name, options.reader)
    embedder = models.load(settings.embedder, settings.cache)
    for line in given_table(reader, options.data):
        print(line, flush=True)
    for line in open_tables(reader, embedder, options.data, options.questions):
        print(line, flush=True)


if __name__ == "__main__":
    main()
