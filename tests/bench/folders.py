"""How long a folder of many small files takes that hasn't changed: `python -m tests.bench.folders`.

Made-up files of one passage, with the light embedder: what is measured is all but encoding. Each
sync is a `rag ingest` of its own, its start included; memory is the most that the process held.
`--keep FOLDER` keeps files and index there, and goes on with them the next time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

FILES = 100_000
_PER_FOLDER = 100


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.folders", description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    with ExitStack() as stack:
        work = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = work / "files"
        _write(folder, options.files)
        print(f"{options.files} files")
        _measure("first", work / "home", folder)
        _measure("unchanged", work / "home", folder)
        _measure("unchanged, dry run", work / "home", folder, "--dry-run")
        (folder / "0").rename(folder / "moved")
        _measure("a folder moved", work / "home", folder)
        (folder / "moved").rename(folder / "0")


def _write(folder: Path, files: int) -> None:
    for number in range(files):
        file = folder / str(number // _PER_FOLDER) / f"{number}.txt"
        if number % _PER_FOLDER == 0:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"Locker {number} stands in room {number // 7}.\n")


def _measure(what: str, home: Path, folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "rag", "ingest", str(folder), "--home", str(home), *options]
    environment = {**os.environ, "RAG_EMBEDDER": "hashing", "RAG_READER": "sentence"}
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        started = subprocess.Popen(command, env=environment, stdout=out)
        _, status, usage = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        out.seek(0)
        last = out.read().splitlines()[-1]
    if started.returncode:
        sys.exit(f"{what}: ended with {started.returncode}")
    print(f"{what}: {seconds:.1f} s, {usage.ru_maxrss / 1024:.0f} MB ({last})", flush=True)


if __name__ == "__main__":
    main()
