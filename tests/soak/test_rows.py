"""Every row of the test plan in its small size, each in a fresh process: it forks.

With one seed, so that what fails here was made to fail by a change; `make soak` draws others.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak import plan

TREE = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@pytest.mark.parametrize("row", [row.name for row in plan.rows("pr")])
def test_nothing_is_violated_and_what_is_planted_is_found(row: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.soak", "--size", "pr", "--seed", "5", "--only", row]
    run = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=TREE, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    if "left out:" in run.stdout:
        pytest.skip(run.stdout)
