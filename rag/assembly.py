"""The composition root: settings to a service. The only module that names concrete classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import embeddings.errors
from embeddings.base import Embedder
from rag.diagnosing.doctor import Doctor, Tools
from rag.errors import ModelUnavailable
from rag.feedback import FeedbackFile
from rag.foreseeing import Forecast, foresee
from rag.loading.choosing import EVERY_FILE, Globs
from rag.loading.parser import Parser
from rag.pace import PaceFile
from rag.reading.base import Reader
from rag.service import Parts, Service, check_collection
from rag.settings import Settings
from rag.store.embedded import EmbeddedStore
from rag.store.glimpse import stored_in
from rag.store.transfer import INDEX
from rag.store.upkeep import Upkeep
from rag.syncing import Planner
from rag.tuning import Tunings


def build(settings: Settings, busy_seconds: float = 1.0) -> Service:
    """A service over the store in `settings.home`, made if there is none and it may be.

    A write waits at most `busy_seconds` for another process's write.
    """
    return Service(
        Parts(
            store=EmbeddedStore(
                settings.home, busy_seconds, settings.max_store_bytes, read_only=settings.read_only
            ),
            embedder=settings.embedder,
            load_embedder=lambda name: _load_embedder(name, settings.cache),
            load_reader=lambda: _load_reader(settings),
            parser=Parser(ocr=settings.ocr),
            tunings=Tunings(settings.home),
            feedback=FeedbackFile(settings.home),
            pace=PaceFile(settings.home),
            max_file_bytes=settings.max_file_bytes,
            read_only=settings.read_only,
            max_question_chars=settings.max_question_chars,
            max_top_k=settings.max_top_k,
        )
    )


def forecast(
    settings: Settings,
    paths: Sequence[Path],
    collection: str,
    *,
    prune: bool = False,
    globs: Globs = EVERY_FILE,
) -> Forecast:
    """What an ingest of these paths into the index would do; writes nothing, anywhere."""
    check_collection(collection)
    stored = stored_in(settings.home / INDEX, collection)
    plan = Planner(stored, settings.max_file_bytes, prune, globs).plan(paths)
    return foresee(plan, stored, PaceFile(settings.home).of(collection))


def doctor(settings: Settings, busy_seconds: float = 1.0) -> Doctor:
    """A doctor for the index in `settings.home`; waits for another's write as a service does."""
    return Doctor(
        Tools(
            home=settings.home,
            upkeep=Upkeep(settings.home, busy_seconds),
            load_embedder=lambda: _load_embedder(settings.embedder, settings.cache),
            load_reader=lambda: _load_reader(settings),
            parser=Parser(ocr=settings.ocr),
            max_file_bytes=settings.max_file_bytes,
        )
    )


def _load_embedder(name: str, cache: Path) -> Embedder:
    from embeddings import models  # noqa: PLC0415 - loads a runtime that listing does not need

    try:
        return models.load(name, cache)
    except embeddings.errors.ModelUnavailable as error:
        raise ModelUnavailable(f"{error}; RAG_EMBEDDER names the model") from error


def _load_reader(settings: Settings) -> Reader:
    from rag.reading import models  # noqa: PLC0415 - as above

    try:
        return models.load(settings.reader, settings.cache)
    except embeddings.errors.ModelUnavailable as error:
        raise ModelUnavailable(f"{error}; RAG_READER names the model") from error
