"""Any model that sentence-transformers can load; the only module that imports it, or torch.

Both are imported when a model is opened, not before: they take seconds and 500 MB.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from embeddings import model_folder
from embeddings.errors import ModelUnavailable
from embeddings.text import encodable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_DEFAULT_MAX_TOKENS = 512  # of a model that names no limit


class SentenceTransformerEmbedder:
    """A model as sentence-transformers runs it: on the CPU, offline, from a local folder.

    Weights must be safetensors (no pickle is read) and no code of the model's folder is run.
    Raises ModelUnavailable where the model is missing or can't be loaded.
    """

    def __init__(self, model: str) -> None:
        folder = model_folder.find(model)
        self.name = Path(model).name
        self.fingerprint = model_folder.fingerprint(folder)
        self.model = _opened(folder)
        self.dimension = int(self.model.get_embedding_dimension() or 0)
        self.max_tokens = self.model.max_seq_length or _DEFAULT_MAX_TOKENS
        self.model.max_seq_length = self.max_tokens
        self.question_prompt, self.passage_prompt = _prompts(self.model)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a passage: prompt and special tokens counted."""
        if not texts:
            return []
        encoded = self.model.tokenizer(
            encodable(texts, self.passage_prompt), truncation=False, padding=False, verbose=False
        )
        return [len(ids) for ids in encoded["input_ids"]]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), dimension)."""
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return _float32(
            self.model.encode_document(
                encodable(texts), normalize_embeddings=True, show_progress_bar=False
            )
        )

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """Shape (dimension,)."""
        (question,) = encodable([text])
        return _float32(
            self.model.encode_query(question, normalize_embeddings=True, show_progress_bar=False)
        )

    def traceable(self) -> Any:
        """A torch module for exporters: token ids and mask in, unit vectors out."""
        import torch  # noqa: PLC0415

        class Encoder(torch.nn.Module):
            def __init__(self, model: SentenceTransformer) -> None:
                super().__init__()
                self.model = model

            def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
                features = {"input_ids": input_ids, "attention_mask": attention_mask}
                vectors = self.model(features)["sentence_embedding"]
                return torch.nn.functional.normalize(vectors, dim=-1)

        return Encoder(self.model).eval()


def _opened(folder: Path) -> SentenceTransformer:
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except Exception as error:  # a broken folder fails in as many ways as there are parsers
        raise ModelUnavailable(
            f"sentence-transformers can't load the model {folder.name!r} ({error}). Save it again "
            "with save_pretrained(), weights as safetensors."
        ) from error


def _prompts(model: SentenceTransformer) -> tuple[str, str]:
    """What encode_query and encode_document put before a text."""
    passage = next((n for n in ("document", "passage", "corpus") if n in model.prompts), "")
    return model.prompts.get("query") or "", model.prompts.get(passage) or ""


def _float32(vectors: Any) -> NDArray[np.float32]:
    return cast("NDArray[np.float32]", np.asarray(vectors, dtype=np.float32))
