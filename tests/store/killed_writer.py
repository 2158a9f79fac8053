"""Kills writers: `python killed_writer.py CONFTEST HOME ROUNDS SEED`.

Each round forks a writer, which commits until it is killed at a random moment, and prints a line
`round number` for every commit that was acknowledged.
"""

from __future__ import annotations

import os
import random
import runpy
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rag.store import following
from rag.store.embedded import EmbeddedStore

LONGEST = 0.15  # seconds


def write(author: Any, home: Path, number: int) -> None:
    """Adds document after document, and replaces and removes the first ones of each ten."""
    following._REPLAYED_AT_MOST = 10  # so that compactions are hit, too
    store = EmbeddedStore(home, busy_seconds=30.0)
    step = 0
    while True:
        entries = [author.entry(f"{number}-{step}.txt", f"round{number} step{step}", "shared")]
        gone = []
        if step % 10 == 9:
            entries.append(author.entry(f"{number}-{step - 9}.txt", "replaced"))
            gone = [f"{number}-{step - 8}.txt"]
        author.put(store, *entries, remove=gone)
        os.write(1, f"{number} {step}\n".encode())
        if step % 3 == 2:
            store.compact("default")
        step += 1


def main() -> None:
    conftest, home, rounds, seed = sys.argv[1:]
    author = runpy.run_path(conftest)["Author"]()
    draw = random.Random(int(seed))  # noqa: S311 - moments, not secrets
    for number in range(int(rounds)):
        child = os.fork()
        if not child:
            write(author, Path(home), number)
        time.sleep(draw.uniform(0.005, LONGEST))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
