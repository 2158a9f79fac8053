"""How fast files are ingested, changed and asked about.

Times are wall-clock medians of interleaved rounds; what counts are the ratios, which two runs on
different machines can be compared by.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

from embeddings import models
from embeddings.base import Embedder
from embeddings.sentence_transformer import SentenceTransformerEmbedder
from rag.answering import READ
from rag.assembly import build
from rag.feedback import FeedbackFile
from rag.loading.parser import Parser
from rag.pace import PaceFile
from rag.reading.sentence_reader import SentenceReader
from rag.service import Parts, Service
from rag.settings import Settings
from rag.store.embedded import EmbeddedStore
from rag.tuning import Tunings
from rag.types import Hit, with_context
from tests.bench.serving import served

MODEL = "all-MiniLM-L6-v2"
_ROUNDS = 3
_QUESTIONS = 100
_MANY = 240
_ABOUT = range(165, 196)  # tokens


def ingest_table(corpus: Path, settings: Settings) -> Iterator[str]:
    """Ingesting a folder against encoding the same passages by hand, with the same engine."""
    engines: Mapping[str, Embedder] = {
        "sentence-transformers": SentenceTransformerEmbedder(MODEL),
        "compiled": models.load(MODEL, settings.cache),
    }
    texts = _passages(corpus, engines["compiled"], settings)
    yield f"### Ingest of {len(texts)} passages\n"
    yield "| engine | encode alone, s | ingest, s | ingest / encode | passages/s |"
    yield "|---|---|---|---|---|"
    for name, embedder in engines.items():
        encode, ingest = [], []
        for _ in range(_ROUNDS):
            encode.append(_seconds(lambda e=embedder: _encode(e, texts)))  # type: ignore[misc]
            ingest.append(_seconds(lambda e=embedder: _ingest(e, corpus, settings)))  # type: ignore[misc]
        ratio = median(i / e for i, e in zip(ingest, encode, strict=True))
        rate = len(texts) / median(ingest)
        yield (
            f"| {name} | {median(encode):.1f} | {median(ingest):.1f} | {ratio:.2f} | {rate:.0f} |"
        )
    yield ""


def _encode(embedder: Embedder, texts: Sequence[str]) -> None:
    if isinstance(embedder, SentenceTransformerEmbedder):
        embedder.model.encode(list(texts), normalize_embeddings=True)  # plain, with its defaults
    else:
        embedder.embed_passages(texts)


def _ingest(embedder: Embedder, corpus: Path, settings: Settings) -> None:
    with tempfile.TemporaryDirectory() as home:
        service = _service(embedder, replace(settings, home=Path(home)))
        service.ingest([corpus])
        service.close()


def _service(embedder: Embedder, settings: Settings) -> Service:
    return Service(
        Parts(
            EmbeddedStore(settings.home),
            embedder.name,
            lambda _: embedder,
            SentenceReader,
            Parser(),
            Tunings(settings.home),
            FeedbackFile(settings.home),
            PaceFile(settings.home),
            settings.max_file_bytes,
        )
    )


def _passages(corpus: Path, embedder: Embedder, settings: Settings) -> list[str]:
    """What the encoder reads of each passage of a folder."""
    with tempfile.TemporaryDirectory() as home:
        store = EmbeddedStore(Path(home))
        service = _service(embedder, replace(settings, home=Path(home)))
        service.ingest([corpus])
        with store.snapshot("default", embedder.fingerprint) as snapshot:
            places = snapshot.places(range(1, snapshot.passages + 1)).values()
            texts = [
                with_context(p.origin.title, p.passage.heading, p.passage.text) for p in places
            ]
        service.close()
        store.close()
    return texts


def change_table(files: int, settings: Settings) -> Iterator[str]:
    """The command line from a cold start: a folder of many files, nothing changed, one changed."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, home = Path(folder, "corpus"), Path(folder, "home")
        _write_files(corpus, files)
        environment = {**os.environ, **replace(settings, home=home).to_environment()}
        command = [sys.executable, "-m", "rag", "ingest", str(corpus)]

        def run() -> float:
            return _seconds(lambda: subprocess.run(command, env=environment, check=True, stdout=-3))

        first, again = run(), run()
        changed = next(corpus.iterdir())
        changed.write_text(changed.read_text() + "\n\nOne more paragraph has been added here.")
        yield f"### `rag ingest` of {files} files of ten passages, process start included\n"
        yield "| | s | share of the first time |"
        yield "|---|---|---|"
        for name, seconds in (("first", first), ("unchanged", again), ("one changed", run())):
            yield f"| {name} | {seconds:.1f} | {seconds / first:.1%} |"
        yield ""


def _write_files(folder: Path, files: int) -> None:
    folder.mkdir()
    rng = random.Random(0)  # noqa: S311 - text, no secret
    words = [f"{a}{b}" for a in ("ba", "ko", "li", "mu", "ne") for b in ("ra", "so", "ti", "vu")]
    for number in range(files):
        paragraphs = [
            f"Paragraph {number}-{part}: " + " ".join(rng.choices(words, k=45)) + "."
            for part in range(10)
        ]
        (folder / f"{number:04}.txt").write_text("\n\n".join(paragraphs))


def question_table(corpus: Path, questions: Sequence[str], settings: Settings) -> Iterator[str]:
    """Milliseconds of a whole answer, by stage."""
    with tempfile.TemporaryDirectory() as home:
        service = build(replace(settings, home=Path(home)))
        service.ingest([corpus])
        service.ask(questions[0])
        times = [service.ask(question).took_ms for question in questions[:_QUESTIONS]]
        service.close()
    yield f"### A question, {len(times)} asked one after another\n"
    yield "| stage | p50, ms | p95, ms |"
    yield "|---|---|---|"
    for stage in ("retrieve", "read", "total"):
        ordered = sorted(time[stage] for time in times)
        p50, p95 = ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100]
        yield f"| {stage} | {p50:.1f} | {p95:.1f} |"
    yield ""


def reading_table(corpus: Path, questions: Sequence[str], settings: Settings) -> Iterator[str]:
    """Reading ten passages of about 180 tokens against encoding a question as sentence-transformers
    does, in turns.
    """
    plain = SentenceTransformerEmbedder(MODEL)
    with tempfile.TemporaryDirectory() as home:
        service = build(replace(settings, home=Path(home)))
        service.ingest([corpus])
        hits = _passages_of(service.embedder, EmbeddedStore(Path(home)))
        rng = random.Random(0)  # noqa: S311 - a sample
        encode, read = [], []
        for question in [questions[0], *questions[:_QUESTIONS]]:  # the first warms up
            ten = rng.sample(hits, READ)
            encode.append(_seconds(lambda q=question: plain.model.encode(q)))  # type: ignore[misc]
            read.append(_seconds(lambda q=question, t=ten: service.reader.read(q, t)))  # type: ignore[misc]
        service.close()
    once, all_ten = median(encode[1:]) * 1000, median(read[1:]) * 1000
    yield f"### Reading {READ} passages of {_ABOUT.start} to {_ABOUT.stop} tokens\n"
    yield "| sentence-transformers, one question, ms | reading, ms | ratio |"
    yield "|---|---|---|"
    yield f"| {once:.1f} | {all_ten:.1f} | {all_ten / once:.1f} |"
    yield ""


def _passages_of(embedder: Embedder, store: EmbeddedStore) -> list[Hit]:
    """All passages of about 180 tokens."""
    with closing(store), store.snapshot("default", embedder.fingerprint) as snapshot:
        places = list(snapshot.places(range(1, snapshot.passages + 1)).values())
    lengths = embedder.count_tokens([place.passage.text for place in places])
    return [
        Hit(place.passage, place.origin, score=0.5, among=len(places))
        for place, length in zip(places, lengths, strict=True)
        if length in _ABOUT
    ]


def memory_table(corpus: Path, questions: Sequence[str], settings: Settings) -> Iterator[str]:
    """What `rag serve` holds once it has answered, and after many questions; Linux alone tells."""
    with (
        tempfile.TemporaryDirectory() as home,
        served(corpus, replace(settings, home=Path(home))) as server,
    ):
        server.ask(questions[0])
        first = _megabytes(server.process.pid)
        for question in questions[:_MANY]:
            server.ask(question)
        many = _megabytes(server.process.pid)
    yield "### Memory of `rag serve`\n"
    yield f"| after an answer, MB | after {len(questions[:_MANY])} |"
    yield "|---|---|"
    yield f"| {first:.0f} | {many:.0f} |"
    yield ""


def _megabytes(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found.group(1)) / 1000 if found else 0.0


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
