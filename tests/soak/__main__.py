"""`python -m tests.soak`: the storage test plan, to the end, from where it was stopped."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

_OUT = Path("soak-out")
_REPORT = "tests/soak/REPORT.md"


def main() -> int:
    """The exit status: 1 where anything was violated, or a planted fault was not found."""
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    arguments = _arguments()
    if sys.platform != "linux":
        print("the storage tests need Linux", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(dir=_memory(), prefix="soak-") as work:
        return _run(arguments, Path(work))


def _run(arguments: argparse.Namespace, work: Path) -> int:
    from tests.soak import plan, progress, report  # noqa: PLC0415 - once the threads are bounded
    from tests.soak.invariants import Judge  # noqa: PLC0415
    from tests.soak.rows import Bench  # noqa: PLC0415
    from tests.soak.subject import warm  # noqa: PLC0415

    seed = arguments.seed
    if seed is None:
        seed = progress.former_seed(arguments.out, arguments.size)
    if seed is None:
        seed = random.SystemRandom().randrange(2**32)
    warm()
    bench = Bench(seed, work, Judge(work))
    rows = plan.rows(arguments.size)
    if arguments.only:
        rows = [row for row in rows if row.name in arguments.only.split(",")]
    if arguments.at:
        violation = rows[0].case(bench, arguments.at).violation
        print(violation or "nothing is violated")
        return int(violation is not None)
    until = time.monotonic() + arguments.minutes * 60
    runner = progress.Runner(arguments.out, arguments.size, report.commit(), until)
    runs = [runner.run(row, bench) for row in rows]
    if arguments.report:
        every = [(row, runner.former(row)) for row in plan.rows(arguments.size)]
        arguments.report.write_text(report.written(every, work))
        print(f"written: {arguments.report}")
    return int(not all(run.is_sound for run in runs))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--size", choices=["pr", "nightly"], default="nightly")
    parser.add_argument("--only", help="rows, such as A1,A3")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stops after these")
    parser.add_argument("--seed", type=int, help="one by chance, or that of the run begun before")
    parser.add_argument("--at", help="one case of the row that --only names, and nothing else")
    parser.add_argument("--out", type=Path, default=_OUT, help="keeps how far each row is")
    parser.add_argument("--report", type=Path, help=f"written in the end, such as {_REPORT}")
    return parser.parse_args()


def _memory() -> str | None:
    """A folder in memory where there is one: what a kill leaves is the same, and syncs are free."""
    folder = "/dev/shm"  # noqa: S108
    return folder if os.access(folder, os.W_OK) else None


if __name__ == "__main__":
    sys.exit(main())
