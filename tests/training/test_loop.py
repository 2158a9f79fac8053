"""The loop on the real encoder: it learns, and an interrupted run ends like a whole one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from embeddings import model_folder
from rag.evaluation.squad import SquadParagraph, SquadQuestion
from rag.reading.models import WEIGHTS
from rag.training import loop
from rag.training.loop import Recipe
from rag.training.model import SpanModel
from rag.types import Span

pytestmark = pytest.mark.model

TEXT = "Rollo was baptised in 911. He took the name Robert and ruled from Rouen."


def _paragraphs() -> list[SquadParagraph]:
    def asked(number: int, question: str, words: str) -> SquadQuestion:
        start = TEXT.index(words)
        return SquadQuestion(str(number), question, (Span(start, start + len(words)),))

    questions = (
        asked(1, "When was Rollo baptised?", "911"),
        asked(2, "Which name did he take?", "Robert"),
        asked(3, "Where did he rule from?", "Rouen"),
        SquadQuestion("4", "Who sank the ship?", ()),
    )
    return [SquadParagraph("Normandy", TEXT, questions)]


def _curve(folder: Path) -> list[dict[str, float]]:
    lines = (folder / "curve.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_it_learns_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_LOGGED_EVERY", 1)
    monkeypatch.setattr(loop, "_JUDGED_EVERY", 5)
    monkeypatch.setattr(loop, "_SAVED_EVERY", -1)
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    recipe = Recipe(steps=10, batch_tokens=200, warmup=2)
    encoder = model_folder.find("all-MiniLM-L6-v2")

    def run(name: str) -> list[dict[str, float]]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        paragraphs = _paragraphs()
        loop.train(encoder, tokenizer, paragraphs, paragraphs, {}, recipe, folder)
        return _curve(folder)

    whole = run("whole")
    held_out = [line["held_out_loss"] for line in whole if "held_out_loss" in line]
    assert held_out[-1] < held_out[0]

    write = loop._write

    def stop(folder: Path, line: Mapping[str, float]) -> None:
        write(folder, line)
        if line["step"] == 7:  # after the checkpoint of step 6
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_write", stop)
        with pytest.raises(KeyboardInterrupt):
            run("stopped")
    losses = [line["loss"] for line in run("stopped") if "loss" in line and line["step"] > 7]
    expected = [line["loss"] for line in whole if "loss" in line and line["step"] > 7]
    assert len(losses) == 3
    assert losses == pytest.approx(expected, rel=0.02)


def test_the_mean_of_two_runs(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    encoder = model_folder.find("all-MiniLM-L6-v2")
    checkpoints = []
    for weight in (1.0, 3.0):
        model = SpanModel(encoder)
        torch.nn.init.constant_(model.span.weight, weight)
        checkpoints.append(tmp_path / f"{weight}.pt")
        torch.save({"model": model.state_dict()}, checkpoints[-1])
    paragraphs = _paragraphs()
    mean = loop.train(
        encoder, tokenizer, paragraphs, paragraphs, {}, Recipe(steps=0), tmp_path, checkpoints
    )
    assert (mean.span.weight == 2).all()
    assert (mean.encoder.embeddings.position_ids == torch.arange(512)).all()
