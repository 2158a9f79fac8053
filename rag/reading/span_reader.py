"""A trained extractive reader: it ranks the passages, finds the words, and may say that none do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from embeddings.runtime import Graph, batches, padded
from rag.reading.confidence import Calibration, Evidence, Ranking, Rivals
from rag.reading.rows import Places, answerable
from rag.reading.spans import Scored, best_spans
from rag.reading.windows import Window, Windows
from rag.text import grapheme_ceiling, grapheme_floor, sentences
from rag.types import Candidate, Hit, Passage, Span, with_context

GRAPH = "model.onnx"  # the shipped model's
EXPORTED = "model.xml"  # one that `rag.reading.export` has written
TOKENIZER = "tokenizer.json"
SETTINGS = "reader.json"

_LONGEST = 384  # tokens of a window
_STRIDE = 96
_SPANS = 10  # kept of each window, because several may stand in one sentence


@dataclass(frozen=True, slots=True)
class Reading:
    """A span of a hit's passage, in the passage's own offsets, and what speaks for it; `null` is
    the passage's logit of "no answer here".
    """

    span: Span
    text: str
    evidence: Evidence
    null: float


class SpanReader:
    """Runs a BERT-style reader over windows of all passages at once.

    `folder` holds the graph, the tokenizer and, where the model was calibrated, `reader.json`. The
    graph takes token ids, mask and, if it knows them, token types, and gives start and end logits.
    Without a calibration a candidate is supported where its span beats "no answer", and has no
    confidence.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._windows = Windows(Tokenizer.from_file(str(folder / TOKENIZER)), _LONGEST, _STRIDE)
        shipped = folder / GRAPH
        self._graph = Graph(shipped if shipped.is_file() else folder / EXPORTED)
        self._pool = ThreadPoolExecutor(self._graph.streams, thread_name_prefix="read")
        self.ranking, self.calibration = _settings(folder / SETTINGS)

    def read(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """Candidates from all hits, best first; at most one for each sentence."""
        (candidates,) = self.read_all([(question, hits)])
        return candidates

    def read_all(self, asked: Sequence[tuple[str, Sequence[Hit]]]) -> list[list[Candidate]]:
        """The same for several questions, whose windows share batches: less is padded, so it takes
        less time than one after the other. The rounding of scores may differ in the third digit.
        """
        return [
            self._candidates(hits, readings)
            for (_, hits), readings in zip(asked, self._readings_of(asked), strict=True)
        ]

    def _candidates(
        self, hits: Sequence[Hit], readings: Sequence[Sequence[Reading]]
    ) -> list[Candidate]:
        read = [(hit, found) for hit, found in zip(hits, readings, strict=True) if found]
        if not read:
            return []
        rivals = Rivals(self.ranking, [(found[0].text, found[0].evidence) for _, found in read])
        candidates = [
            self._candidate(hit, reading, sentence, self._confidence(rivals, place, reading))
            for place, (hit, found) in enumerate(read)
            for reading, sentence in _one_per_sentence(hit.passage, found)
        ]
        # Python's sort is stable: equal scores stay in retrieval's order.
        return sorted(candidates, key=lambda candidate: -candidate.score)

    def readings(self, question: str, hits: Sequence[Hit]) -> list[list[Reading]]:
        """For each hit its best spans, best first; none for a passage without words."""
        (readings,) = self._readings_of([(question, hits)])
        return readings

    def _readings_of(self, asked: Sequence[tuple[str, Sequence[Hit]]]) -> list[list[list[Reading]]]:
        cut = [
            self._windows.of(question, [(_context(hit), hit.passage.text) for hit in hits])
            for question, hits in asked
        ]
        outputs = iter(self._outputs([w for windows in cut for ws in windows for w in ws]))
        return [
            [
                _readings(hit, places, [(window, next(outputs)) for window in of_hit])
                for hit, places, of_hit in zip(
                    hits, answerable(question, hits), windows, strict=True
                )
            ]
            for (question, hits), windows in zip(asked, cut, strict=True)
        ]

    def _outputs(self, windows: Sequence[Window]) -> list[_Output]:
        lengths = [len(window.ids) for window in windows]
        places = list(batches(lengths, self._graph.streams))
        outputs: dict[int, _Output] = {}
        chosen = ([windows[place] for place in batch] for batch in places)
        for batch, rows in zip(places, self._pool.map(self._run, chosen), strict=True):
            outputs |= zip(batch, rows, strict=True)
        return [outputs[place] for place in range(len(windows))]

    def _run(self, batch: Sequence[Window]) -> list[_Output]:
        ids = padded([window.ids for window in batch])
        mask = padded([[1] * len(window.ids) for window in batch])
        types = padded([window.types for window in batch])
        # The shipped graph has a third output: a head that tells no more than these two.
        start, end, *_ = self._graph.run(*(ids, mask, types)[: self._graph.inputs])
        return [_Output(*row) for row in zip(start, end, strict=True)]

    def _confidence(self, rivals: Rivals, place: int, reading: Reading) -> float | None:
        if self.calibration is None:
            return None
        share = rivals.share(place, reading.text, reading.evidence)
        return self.calibration.confidence(rivals.best, share)

    def _candidate(
        self, hit: Hit, reading: Reading, sentence: Span, confidence: float | None
    ) -> Candidate:
        least = self.calibration.threshold if self.calibration else 0.0
        start = hit.passage.span.start
        return Candidate(
            hit=hit,
            span=reading.span.shifted(start),
            sentence=sentence.shifted(start),
            score=self.ranking.score(reading.evidence),
            supported=(reading.evidence.margin if confidence is None else confidence) >= least,
            confidence=confidence,
            span_score=reading.evidence.margin + reading.null,
            null_score=reading.null,
        )


class _Output(NamedTuple):
    """Start and end logits of a window's tokens."""

    start: NDArray[np.float32]
    end: NDArray[np.float32]


def _settings(file: Path) -> tuple[Ranking, Calibration | None]:
    if not file.is_file():
        return Ranking(), None
    settings = json.loads(file.read_text("utf-8"))
    return Ranking(**settings["ranking"]), Calibration(**settings["calibration"])


def _context(hit: Hit) -> str:
    """Title and headings, without a title that is only the file's name: many are codes, and such a
    one lowered the margin over "no answer" for 23 of the 27 development questions.
    """
    origin = hit.origin
    named = origin.title == PurePosixPath(origin.source).stem
    return with_context("" if named else origin.title, hit.passage.heading, "").strip()


def _readings(hit: Hit, places: Places, windows: Sequence[tuple[Window, _Output]]) -> list[Reading]:
    """The best spans of all windows, each in one of the `places`. "No answer" is the least of the
    windows' own, as in BERT's reader: one without the answer says that there is none.
    """
    passage = hit.passage
    best: dict[Span, float] = {}
    for window, output in windows:
        for scored in best_spans(window, output.start, output.end, places.spans, _SPANS):
            span = places.whole(_whole(passage.text, scored), passage.text)
            best[span] = max(scored.logit, best.get(span, scored.logit))
    null = min(float(output.start[0] + output.end[0]) for _, output in windows)
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return [
        Reading(span, span.of(passage.text), Evidence(logit - null, hit.score, hit.among), null)
        for span, logit in ranked
    ]


def _whole(text: str, scored: Scored) -> Span:
    """A tokenizer may part a letter from its accents; the span takes in both."""
    span = scored.span
    return Span(grapheme_floor(text, span.start), grapheme_ceiling(text, span.end))


def _one_per_sentence(
    passage: Passage, readings: Sequence[Reading]
) -> Iterator[tuple[Reading, Span]]:
    """The best reading of each sentence, with the sentence."""
    cut = sentences_of(passage)
    taken: list[Span] = []
    for reading in readings:
        sentence = around(reading.span, cut)
        if not any(_overlap(sentence, other) for other in taken):
            taken.append(sentence)
            yield reading, sentence


def sentences_of(passage: Passage) -> list[Span]:
    """The sentences of all its paragraphs, in the passage's own offsets."""
    paragraphs = (paragraph.shifted(-passage.span.start) for paragraph in passage.paragraphs)
    return [s for paragraph in paragraphs for s in sentences(passage.text, paragraph)]


def around(span: Span, cut: Sequence[Span]) -> Span:
    """The sentence around a span, or the sentences where it reaches over several."""
    touched = [sentence for sentence in cut if _overlap(sentence, span)]
    return Span(min(span.start, touched[0].start), max(span.end, touched[-1].end))


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
