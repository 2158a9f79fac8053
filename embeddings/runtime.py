"""The runtime for compiled graphs: OpenVINO on the CPU, and silent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Weights that are stored in 8 bits meet activations in 8 bits, scaled anew for each so many values
# of each token: half the time of float32, for logits that differ by .03 in the mean.
_QUANTIZED_GROUP = 128
# Kernels that OpenVINO keeps for each shape of input it has seen. By default 5,000: after 240
# questions a service held 681 MB and went on growing, with 16 it stays at 520 and is as fast.
_KEPT_SHAPES = 16
_BATCH_TOKENS = 1024  # larger ones were no faster, and a question waits for the one before it


def openvino() -> Any:
    """The openvino module, kept from sending anything.

    Importing OpenVINO sends a usage event over the network unless its telemetry package is
    missing; Python treats a module registered as None as missing, and OpenVINO then goes without.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    return import_module("openvino")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Graph:
    """A compiled graph that any number of threads may run at once.

    One stream for each core, each with one thread: on two cores and eight callers this gave 1.9
    times the short questions of one stream with two threads, and the same passages. The
    processor's own precision is used: float32, or bfloat16 where it computes in that; `exact`
    insists on float32. Every input is a matrix of int64, rows by tokens.
    """

    def __init__(self, file: Path, exact: bool = False) -> None:
        core = openvino().Core()
        self.streams = cores()
        config: dict[str, object] = {
            "INFERENCE_NUM_THREADS": self.streams,
            "NUM_STREAMS": self.streams,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": _QUANTIZED_GROUP,
            "CPU_RUNTIME_CACHE_CAPACITY": _KEPT_SHAPES,
        }
        if exact:
            config["INFERENCE_PRECISION_HINT"] = "f32"
        compiled = core.compile_model(core.read_model(str(file)), "CPU", config)
        self.inputs = len(compiled.inputs)
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.streams):
            self._requests.put(compiled.create_infer_request())
        self._warm_up()

    def _warm_up(self) -> None:
        """Runs every stream once, one after the other.

        OpenVINO 2026.4's Python binding can hang for ever where a process makes its first two
        calls at once (3 of 15 fresh processes did, 0 of 27 after this): one thread holds the
        guard of a C++ static and waits for the interpreter lock, the other the reverse.
        """
        for _ in range(self.streams):
            self.run(*[np.ones((1, 1), dtype=np.int64)] * self.inputs)

    def run(self, *inputs: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """The graph's outputs in order; waits while every stream is busy."""
        request = self._requests.get()
        try:
            return list(request.infer(list(inputs)).values())
        finally:
            self._requests.put(request)


def batches(lengths: Sequence[int], streams: int) -> Iterator[list[int]]:
    """Places of rows, longest first, in equal batches of about `_BATCH_TOKENS` tokens.

    They are as many as the streams can share evenly, so that none waits for the last of them.
    """
    total = sum(lengths)
    count = max(1, round(total / (_BATCH_TOKENS * streams))) * streams
    filled: dict[int, list[int]] = {}
    before = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        middle = before + lengths[place] / 2
        filled.setdefault(int(middle * count / total), []).append(place)
        before += lengths[place]
    yield from filled.values()


def padded(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """The rows as one matrix, filled up with zeros on the right."""
    matrix = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for place, row in enumerate(rows):
        matrix[place, : len(row)] = row
    return matrix
