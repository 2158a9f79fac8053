"""The reader's network: a sentence encoder with three small heads."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, cast

from torch import Tensor, nn
from transformers import AutoModel


class Outputs(NamedTuple):
    """Per token the start and end logits, shape (rows, tokens); per row whether it answers."""

    start: Tensor
    end: Tensor
    answers: Tensor


class SpanModel(nn.Module):
    """Where an answer begins, where it ends, and whether the passage answers at all.

    The first token stands for "no answer" in `start` and `end`, as in BERT's SQuAD 2.0 reader
    (Devlin et al., 2019); `answers` is a passage-selection head on that token, as in DPR's reader
    (Karpukhin et al., 2020). There is no dropout: on a CPU it costs half the speed, and one or two
    epochs don't overfit.
    """

    def __init__(self, encoder: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(
            encoder,
            local_files_only=True,
            add_pooling_layer=False,
            attn_implementation="eager",  # on a CPU its backward pass is faster than the fused one
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        width = self.encoder.config.hidden_size
        self.span = nn.Linear(width, 2)
        self.selection = nn.Linear(width, 1)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor
    ) -> Outputs:
        """All of shape (rows, tokens); no mask where nothing is padded."""
        hidden = self.encoder(
            input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask
        ).last_hidden_state
        start, end = self.span(hidden).unbind(-1)
        answers = cast("Tensor", self.selection(hidden[:, 0])).squeeze(-1)
        return Outputs(start, end, answers)


def loss(outputs: Outputs, readable: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """Mean over rows. `readable` masks the tokens an answer may consist of, the first included;
    `starts` and `ends` are the gold tokens, 0 where the passage doesn't answer.
    """
    closed = ~readable
    start = nn.functional.cross_entropy(outputs.start.float().masked_fill(closed, -1e4), starts)
    end = nn.functional.cross_entropy(outputs.end.float().masked_fill(closed, -1e4), ends)
    answers = nn.functional.binary_cross_entropy_with_logits(
        outputs.answers.float(), (starts > 0).float()
    )
    return (start + end + answers) / 2
