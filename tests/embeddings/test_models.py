"""From a name to an embedder, and what happens when the model can't be used as it is."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from embeddings import models
from embeddings.compiled import CompiledEmbedder
from embeddings.errors import ModelUnavailable, NotCompilable
from embeddings.hashing import HashingEmbedder
from embeddings.sentence_transformer import SentenceTransformerEmbedder

SENTENCES = (
    "Who rules Belarus?",
    "Employees are entitled to thirty days of paid leave in each calendar year.",
    "The naïve café in 北京 charges €3.50 — or so it says.",
    "An oil crisis began in October 1973, when an embargo was proclaimed. " * 12,
)


def test_hashing_needs_no_files(tmp_path: Path) -> None:
    assert isinstance(models.load("hashing", tmp_path / "cache"), HashingEmbedder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        ('[{"type": "sentence_transformers.models.Dense"}]', "kind Dense"),
        ("{not json", "no readable"),
        ("[1]", "no readable"),
    ],
)
def test_unknown_modules_are_not_compiled(tmp_path: Path, modules: str, reason: str) -> None:
    (tmp_path / "modules.json").write_text(modules)
    with pytest.raises(NotCompilable, match=reason):
        models.refuse_unknown_modules(tmp_path)


@pytest.mark.model
def test_both_engines_agree(
    compiled: CompiledEmbedder, sentence_transformer: SentenceTransformerEmbedder
) -> None:
    same = compiled.embed_passages(SENTENCES) * sentence_transformer.embed_passages(SENTENCES)
    assert float(same.sum(axis=1).min()) >= 0.9999
    assert compiled.count_tokens(SENTENCES) == sentence_transformer.count_tokens(SENTENCES)
    assert compiled.fingerprint == sentence_transformer.fingerprint
    assert compiled.name == sentence_transformer.name == "all-MiniLM-L6-v2"


@pytest.mark.model
def test_what_cannot_be_compiled_runs_with_sentence_transformers(
    minilm_without: Callable[..., Path],
    compiled: CompiledEmbedder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = minilm_without("modules.json")  # sentence-transformers then takes the mean
    with caplog.at_level(logging.WARNING):
        embedder = models.load(str(folder), tmp_path / "cache")
    assert isinstance(embedder, SentenceTransformerEmbedder)
    assert "model runs with sentence-transformers: it has no readable modules.json" in caplog.text
    same = embedder.embed_passages(SENTENCES[:3]) * compiled.embed_passages(SENTENCES[:3])
    assert float(same.sum(axis=1).min()) >= 0.9999  # bfloat16 included, where there is any


@pytest.mark.model
def test_pickled_weights_are_refused(minilm_without: Callable[..., Path]) -> None:
    folder = minilm_without("*.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelUnavailable, match="safetensors"):
        SentenceTransformerEmbedder(str(folder))


@pytest.mark.model
def test_code_in_a_model_folder_is_not_run(minilm_without: Callable[..., Path]) -> None:
    folder = minilm_without("modules.json")
    (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\nclass Own: pass\n")
    module = {"idx": 0, "name": "0", "path": "", "type": "own.Own"}
    (folder / "modules.json").write_text(json.dumps([module]))
    with pytest.raises(ModelUnavailable):
        SentenceTransformerEmbedder(str(folder))
    assert not (folder / "ran").exists()
