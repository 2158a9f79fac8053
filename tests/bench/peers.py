"""The peers' side of `tests.bench.peer_readers`: imports them, torch and the standard library only.

    PYTHON tests/bench/peers.py MODEL QUESTIONS

MODEL is the folder of a `BertForQuestionAnswering` with its tokenizer. QUESTIONS is a JSON list of
objects with a `question` and `passages`, each with a `text`, best first; every object gains what
the peers say under `readers`: the `text` of the answer and the `passage` it is from, as its place
in the list, both null where there is none, and whether the peer stands by it (`answered`). Each
peer runs with its own defaults.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

try:
    import torch
    from haystack import Document  # type: ignore[import-not-found]
    from haystack_integrations.components.readers.transformers import (  # type: ignore[import-not-found]
        TransformersExtractiveReader,
    )
    from txtai.pipeline import Extractor, Questions  # type: ignore[import-not-found]
except ImportError as error:
    sys.exit(f"{error}: tests/bench/peer_readers.py says how to make the peers' environment")

Answer = Mapping[str, Any]
Read = Callable[[str, Sequence[str]], Answer]


def _answer(text: str | None, passage: int | None, answered: bool) -> Answer:
    return {"text": text, "passage": passage, "answered": answered}


def haystack(model: str, typed: bool) -> Read:
    """The best answer, even where Haystack puts "no answer" above it.

    `run` leaves the token types out, so a BERT model takes the question for a part of the passage.
    `typed` puts them back, to tell that from how the logits are read.
    """
    reader = TransformersExtractiveReader(model)
    reader.warm_up()
    if typed:
        reader.model = _typed(reader.model, reader.tokenizer.sep_token_id)

    def read(question: str, passages: Sequence[str]) -> Answer:
        documents = [Document(id=str(place), content=text) for place, text in enumerate(passages)]
        answers = reader.run(query=question, documents=documents)["answers"]
        best = next((answer for answer in answers if answer.data), None)
        if best is None:
            return _answer(None, None, False)
        return _answer(best.data, int(best.document.id), answers[0].data is not None)

    return read


def _typed(model: Any, separator: int) -> Callable[..., Any]:
    def call(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        separators = (input_ids == separator).long()
        types = (separators.cumsum(1) - separators) * attention_mask
        return model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=types)

    return call


def txtai_questions(questions: Any) -> Read:
    """The first passage, in the order of retrieval, that gets an answer: there is no score."""

    def read(question: str, passages: Sequence[str]) -> Answer:
        for place, text in enumerate(passages):
            answer = _unless_null(questions, [question], [text])
            if answer:
                return _answer(answer, place, True)
        return _answer(None, None, False)

    return read


def txtai_extractor(questions: Any) -> Read:
    """The answer over the first passages joined; its passage is the first that holds the words,
    as in `RAG.snippets`.
    """

    def read(question: str, passages: Sequence[str]) -> Answer:
        found = [
            {"id": place, "text": text, "score": 1 / (1 + place)}
            for place, text in enumerate(passages)
        ]
        extractor = Extractor(lambda _, limit: [found[:limit]], questions, output="flatten")
        answer = _unless_null(extractor, [(None, question, question, False)])
        if not answer:
            return _answer(None, None, False)
        shown = passages[: extractor.context]
        place = next((place for place, text in enumerate(shown) if answer in text), None)
        return _answer(answer, place, True)

    return read


def _unless_null(pipeline: Any, *inputs: Sequence[Any]) -> str | None:
    """The answer to the only question of `inputs`.

    `Questions.answer` fails with a TypeError where the model points at the first token, which is
    how it says that there is no answer.
    """
    try:
        answer: str | None = pipeline(*inputs)[0]
    except TypeError:
        return None
    return answer


def main() -> None:
    """Adds the peers' answers to the file."""
    model, file = sys.argv[1], Path(sys.argv[2])
    questions = Questions(model, gpu=False)
    readers = {
        "Haystack": haystack(model, typed=False),
        "Haystack, given token types": haystack(model, typed=True),
        "txtai, `Extractor`": txtai_extractor(questions),
        "txtai, `Questions`": txtai_questions(questions),
    }
    rows = json.loads(file.read_text("utf-8"))
    for number, row in enumerate(rows, start=1):
        passages = [passage["text"] for passage in row["passages"]]
        row["readers"] |= {name: read(row["question"], passages) for name, read in readers.items()}
        print(f"\r{number}/{len(rows)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    file.write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main()
