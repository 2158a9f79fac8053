"""How long an index takes to answer after a restart: `python -m tests.bench.restarting`.

Made-up passages with light vectors, so that no model's loading is in it: the store alone, opened by
a new process. `caches` says what the former process left: what it had written, or nothing, as after
a restore.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from rag.assembly import build
from rag.settings import Settings

PASSAGES = 10_000
_FILES = 500
_ASK = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from rag.assembly import build
from rag.settings import Settings
service = build(Settings(home=Path(sys.argv[1]), embedder="hashing", reader="sentence"))
assert service.ask("Which number has locker 77?").passages
print(time.perf_counter() - began)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        home = Path(made) / "home"
        with closing(build(Settings(home=home, embedder="hashing", reader="sentence"))) as service:
            per_file = PASSAGES // _FILES
            files = [
                (f"{n}.txt", "\n\n".join(_paragraph(n * per_file + m) for m in range(per_file)))
                for n in range(_FILES)
            ]
            service.ingest_uploads([(name, text.encode()) for name, text in files])
            (record,) = service.collections()
        print(f"{record.passages} passages")
        print(f"caches as written: answered after {_seconds(home):.2f} s")
        shutil.rmtree(home / "caches")
        print(f"no caches: answered after {_seconds(home):.2f} s")


def _paragraph(number: int) -> str:
    """Longer than what is joined with the next one."""
    return f"Locker {number} stands in room {number // 7} and has the number {number}. " + (
        f"Its key hangs at hook {number % 97} beside the door of floor {number % 11}. " * 4
    )


def _seconds(home: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(home)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    main()
