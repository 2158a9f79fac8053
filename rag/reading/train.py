"""Trains the reader: `python -m rag.reading.train --train FILE… --calibration FILE --out FOLDER`.

Files are in SQuAD's format, gzipped or not. Each stage is left out where FOLDER has its result, so
that a run which was stopped goes on: wrong passages are mined (`negatives.jsonl`), the network is
trained (`checkpoint.pt`, `curve.jsonl`), written as a graph (`model.onnx`, `tokenizer.json`) and
calibrated open domain (`reader.json`, `calibration.json`). Needs the extra `train`; uses a GPU
where torch finds one.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from rag.settings import Settings
from rag.training import stages
from rag.training.loop import Recipe


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rag.reading.train", description=__doc__)
    parser.add_argument("--train", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--calibration", type=Path, required=True, metavar="FILE")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--learning-rate", type=float, default=Recipe().learning_rate)
    parser.add_argument(
        "--start",
        type=Path,
        nargs="+",
        default=[],
        metavar="CHECKPOINT",
        help="other runs to start from; of several their mean weights, which --steps 0 keeps",
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stages.run(
        options.train,
        options.calibration,
        options.out,
        Recipe(steps=options.steps, learning_rate=options.learning_rate),
        options.start,
        Settings.from_environment(),
    )


if __name__ == "__main__":
    main()
