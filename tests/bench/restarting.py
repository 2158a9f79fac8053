"""How an index restarts, and in what memory: `python -m tests.bench.restarting [--passages N]`.

Made-up passages with light vectors, so that no model's loading is in it: the store alone, opened by
a new process, whose address space is limited to `_MEMORY`. `caches` says what the former process
left: what it had written, or nothing, as after a restore.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from rag.assembly import build
from rag.settings import Settings

_PER_FILE = 20
_MEMORY = 2_000_000_000  # bytes, most of them libraries' and threads' reservations
_ASK = """
import resource, sys, time
began = time.perf_counter()
from pathlib import Path
from rag.assembly import build
from rag.settings import Settings
service = build(Settings(home=Path(sys.argv[1]), embedder="hashing", reader="sentence"))
assert service.ask("Which number has locker 77?").passages
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=10_000)
    passages = parser.parse_args().passages
    with tempfile.TemporaryDirectory() as made:
        home = Path(made) / "home"
        _fill(home, passages)
        print(f"caches as written: {_answered(home)}")
        shutil.rmtree(home / "caches")
        print(f"no caches: {_answered(home)}")


def _fill(home: Path, passages: int) -> None:
    with closing(build(Settings(home=home, embedder="hashing", reader="sentence"))) as service:
        for begin in range(0, passages, 10_000):
            numbers = range(begin, min(begin + 10_000, passages))
            files = [
                (
                    f"{start}.txt",
                    "\n\n".join(_paragraph(n) for n in range(start, start + _PER_FILE)),
                )
                for start in numbers[::_PER_FILE]
            ]
            service.ingest_uploads([(name, text.encode()) for name, text in files])
        (record,) = service.collections()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{record.passages} passages, written within {peak:.0f} MB")


def _file(start: int) -> tuple[str, bytes]:
    text = "\n\n".join(_paragraph(n) for n in range(start, start + _PER_FILE))
    return f"{start}.txt", text.encode()


def _paragraph(number: int) -> str:
    """Longer than what is joined with the next one."""
    return f"Locker {number} stands in room {number // 7} and has the number {number}. " + (
        f"Its key hangs at hook {number % 97} beside the door of floor {number % 11}. " * 4
    )


def _answered(home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(home)],
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY)),
    )
    seconds, megabytes = map(float, done.stdout.split())
    return f"answered after {seconds:.2f} s, within {megabytes:.0f} MB"


if __name__ == "__main__":
    main()
