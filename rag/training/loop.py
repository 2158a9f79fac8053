"""The training loop: resumable, and the same on a CPU and on a GPU."""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from rag.evaluation.squad import SquadParagraph
from rag.training.examples import Batch, Negative, batches, epoch
from rag.training.model import SpanModel, loss

_log = logging.getLogger(__name__)

_SAVED_EVERY = 300  # seconds
_LOGGED_EVERY = 50  # steps
_JUDGED_EVERY = 500  # steps
_HELD_OUT = 40  # batches


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the outcome. The learning rate rises over `warmup` steps, stays, and falls
    linearly to zero over the last `decay` share of the steps, so that a run can be made longer
    from a checkpoint before its decay.
    """

    steps: int = 4_600
    batch_tokens: int = 6_144
    learning_rate: float = 1.5e-4
    weight_decay: float = 0.01
    warmup: int = 300
    decay: float = 0.5
    clip: float = 1.0
    seed: int = 20_000

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        falling = self.steps * self.decay
        return self.learning_rate * min((step + 1) / self.warmup, (self.steps - step) / falling, 1)


def train(
    encoder: Path,
    tokenizer: Tokenizer,
    paragraphs: Sequence[SquadParagraph],
    held_out: Sequence[SquadParagraph],
    negatives: Mapping[str, Sequence[Negative]],
    recipe: Recipe,
    folder: Path,
    starts: Sequence[Path] = (),
) -> SpanModel:
    """Trains, or goes on from `folder`/checkpoint.pt; the curve is in `folder`/curve.jsonl, with
    the loss on `held_out` questions. A new run begins with the mean weights of the checkpoints
    `starts`, if there are any; in no steps it is their mean ("model soup": Wortsman et al., 2022).
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    model = SpanModel(encoder).to(device)
    if starts:
        model.load_state_dict(_mean_weights(starts, device))
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        fused=True,
    )
    step = _resumed(folder, model, optimizer, device)
    judges = list(islice(_steps(held_out, {}, tokenizer, recipe, 0), _HELD_OUT))
    began = saved = time.monotonic()
    losses: list[float] = []
    rows = 0
    for batch in islice(
        _steps(paragraphs, negatives, tokenizer, recipe, step), recipe.steps - step
    ):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate(step)
        losses.append(_learn(model, optimizer, batch, device, recipe.clip))
        step += 1
        rows += len(batch.ids)
        if step % _LOGGED_EVERY == 0:
            speed = rows / (time.monotonic() - began)
            _write(folder, {"step": step, "loss": _mean(losses), "examples_per_second": speed})
            losses = []
        if step % _JUDGED_EVERY == 0 or step == recipe.steps:
            _write(folder, {"step": step, "held_out_loss": _held_out(model, judges, device)})
        if time.monotonic() - saved > _SAVED_EVERY or step == recipe.steps:
            _save(folder, model, optimizer, step, recipe)
            saved = time.monotonic()
    return model


def _steps(
    paragraphs: Sequence[SquadParagraph],
    negatives: Mapping[str, Sequence[Negative]],
    tokenizer: Tokenizer,
    recipe: Recipe,
    done: int,
) -> Iterator[Batch]:
    """Batches from step `done` on: the same as in an uninterrupted run."""
    number = 0
    while True:
        examples = epoch(paragraphs, negatives, number)
        for batch in batches(examples, tokenizer, recipe.batch_tokens, recipe.seed + number):
            if done:
                done -= 1
            else:
                yield batch
        number += 1


def _learn(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    device: torch.device,
    clip: float,
) -> float:
    value = _loss(model, batch, device)
    value.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return value.item()


@torch.no_grad()
def _held_out(model: nn.Module, batches: Sequence[Batch], device: torch.device) -> float:
    return _mean([_loss(model, batch, device).item() for batch in batches])


def _loss(model: nn.Module, batch: Batch, device: torch.device) -> Tensor:
    def tensor(array: Any) -> Tensor:
        return torch.from_numpy(array).to(device, non_blocking=True)

    with torch.autocast(device.type, torch.bfloat16):
        outputs = model(tensor(batch.ids), None, tensor(batch.types))
    return loss(outputs, tensor(batch.readable), tensor(batch.starts), tensor(batch.ends))


def _mean_weights(checkpoints: Sequence[Path], device: torch.device) -> dict[str, Tensor]:
    states = [
        torch.load(checkpoint, map_location=device, weights_only=True)["model"]
        for checkpoint in checkpoints
    ]
    return {
        name: torch.stack([state[name].float() for state in states]).mean(0).to(weights.dtype)
        for name, weights in states[0].items()
    }


def _resumed(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device
) -> int:
    checkpoint = folder / "checkpoint.pt"
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, map_location=device, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    _log.info("going on from step %d", state["step"])
    return int(state["step"])


def _save(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, recipe: Recipe
) -> None:
    partial = folder / "checkpoint.partial"
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "recipe": asdict(recipe),
    }
    torch.save(state, partial)
    os.replace(partial, folder / "checkpoint.pt")


def _write(folder: Path, line: Mapping[str, float]) -> None:
    rounded = {key: round(value, 4) for key, value in line.items()}
    _log.info("%s", rounded)
    with (folder / "curve.jsonl").open("a") as curve:
        curve.write(json.dumps(rounded) + "\n")


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
