"""The reader's network: a sentence encoder with a small head for the two ends of a span."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn
from transformers import AutoModel


class Outputs(NamedTuple):
    """Per token the start and end logits, shape (rows, tokens)."""

    start: Tensor
    end: Tensor


class SpanModel(nn.Module):
    """Where an answer begins and where it ends; the first token stands for "no answer", as in
    BERT's SQuAD 2.0 reader (Devlin et al., 2019).

    A second head that says whether the passage answers at all, as in DPR's reader (Karpukhin et
    al., 2020), was trained and left out: the null score alone ranks and refuses as well. There is
    no dropout: on a CPU it costs half the speed, and one or two epochs don't overfit.
    """

    def __init__(self, encoder: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(
            encoder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            add_pooling_layer=False,
            attn_implementation="eager",  # on a CPU its backward pass is faster than the fused one
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.span = nn.Linear(self.encoder.config.hidden_size, 2)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor
    ) -> Outputs:
        """All of shape (rows, tokens); no mask where nothing is padded."""
        hidden = self.encoder(
            input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask
        ).last_hidden_state
        return Outputs(*self.span(hidden).unbind(-1))


def loss(outputs: Outputs, readable: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """Mean over rows. `readable` masks the tokens an answer may consist of, the first included;
    `starts` and `ends` are the gold tokens, 0 where the passage doesn't answer.
    """
    closed = ~readable
    start = nn.functional.cross_entropy(outputs.start.float().masked_fill(closed, -1e4), starts)
    end = nn.functional.cross_entropy(outputs.end.float().masked_fill(closed, -1e4), ends)
    return (start + end) / 2
