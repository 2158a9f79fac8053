"""Embedders under test. The real model's graph is kept between runs in pytest's own cache."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from embeddings import model_folder, models
from embeddings.base import Embedder
from embeddings.compiled import CompiledEmbedder
from embeddings.hashing import HashingEmbedder
from embeddings.sentence_transformer import SentenceTransformerEmbedder

MINILM = "all-MiniLM-L6-v2"


@pytest.fixture(scope="session")
def cache(request: pytest.FixtureRequest) -> Path:
    assert request.config.cache is not None
    return request.config.cache.mkdir("encoder")


@pytest.fixture(scope="session")
def compiled(cache: Path) -> CompiledEmbedder:
    embedder = models.load(MINILM, cache)
    assert isinstance(embedder, CompiledEmbedder)
    return embedder


@pytest.fixture(scope="session")
def sentence_transformer() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(MINILM)


@pytest.fixture(
    scope="session",
    params=[
        "hashing",
        pytest.param("compiled", marks=pytest.mark.model),
        pytest.param("sentence_transformer", marks=pytest.mark.model),
    ],
)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "hashing":
        return HashingEmbedder()
    found: Embedder = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def minilm_without(tmp_path: Path) -> Callable[..., Path]:
    """Makes a copy of the real model's folder that lacks the named files."""

    def copy(*names: str) -> Path:
        target = tmp_path / "model"
        shutil.copytree(model_folder.find(MINILM), target, ignore=shutil.ignore_patterns(*names))
        return target

    return copy
