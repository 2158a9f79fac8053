"""A reader's name to the reader: the shipped one, the baseline, or any model that is kept here."""

from __future__ import annotations

import os
from pathlib import Path

from embeddings import graph_cache, model_folder
from embeddings.errors import ModelUnavailable, NotCompilable
from rag.reading.base import Reader
from rag.reading.sentence_reader import SentenceReader
from rag.reading.span_reader import SpanReader

SHIPPED = "minilm-squad"
WEIGHTS = Path(__file__).parent / "weights"


def load(name: str, cache: Path) -> Reader:
    """`minilm-squad` (in the package), `sentence` (no weights), or a Hugging Face model for
    extractive question answering: its folder, or its name if the local Hugging Face cache has it.

    `cache` keeps the graphs made from such models. Raises `embeddings.errors.ModelUnavailable`.
    """
    if name == SentenceReader.name:
        return SentenceReader()
    if name == SHIPPED:
        return SpanReader(_named(name, WEIGHTS), WEIGHTS)
    folder = _folder(name)
    try:
        graph = graph_cache.prepared(
            folder, model_folder.fingerprint(folder), cache, "rag.reading.export"
        )
    except NotCompilable as error:
        raise ModelUnavailable(
            f"The reader {name!r} can't be used: {error}. It must be a model for extractive "
            "question answering with a fast tokenizer, weights as safetensors."
        ) from error
    return SpanReader(_named(Path(name).name, folder), graph)


def _named(name: str, folder: Path) -> str:
    return f"{name}@{model_folder.fingerprint(folder)}"


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return folder
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - only here, and slow to load
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        raise ModelUnavailable(
            f"No reader in {name!r}: name {SHIPPED}, {SentenceReader.name}, or a Hugging Face "
            "model for question answering: its folder, or its name if the local cache has it. "
            "Models are not downloaded."
        ) from error
