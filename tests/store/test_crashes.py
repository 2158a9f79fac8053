"""Writers killed at random moments lose nothing that was acknowledged and leave nothing half."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

from rag.store.embedded import EmbeddedStore

if TYPE_CHECKING:
    from tests.store.conftest import Author

ROUNDS = 24


def expected(number: int, steps: int) -> dict[str, str]:
    """What a writer's first commits leave, by source."""
    texts: dict[str, str] = {}
    for step in range(steps):
        texts[f"{number}-{step}.txt"] = f"round{number} step{step}\n\nshared"
        if step % 10 == 9:
            texts[f"{number}-{step - 9}.txt"] = "replaced"
            del texts[f"{number}-{step - 8}.txt"]
    return texts


def test_killed_writers(
    home: Path, author: Author, open_embedded: Callable[..., EmbeddedStore], tmp_path: Path
) -> None:
    seed = random.randrange(10**6)  # noqa: S311 - printed where the test fails
    print(f"seed {seed}")  # noqa: T201
    here = Path(__file__).parent
    command = [sys.executable, here / "killed_writer.py", here / "conftest.py", home]
    done = subprocess.run(
        [*map(str, command), str(ROUNDS), str(seed)], check=True, capture_output=True, text=True
    )
    acknowledged = dict.fromkeys(range(ROUNDS), 0)
    for line in done.stdout.splitlines():
        number, step = map(int, line.split())
        acknowledged[number] = step + 1
    assert any(acknowledged.values())

    store = open_embedded()
    texts = {document.origin.source: document.text for document in store.everything("default")}
    for number, steps in acknowledged.items():
        mine = {source: text for source, text in texts.items() if source.startswith(f"{number}-")}
        # The commit that was under way may have been done, but not by half.
        assert mine in (expected(number, steps), expected(number, steps + 1))

    for document in store.everything("default"):
        _, original = store.original(document.origin.document_id)
        assert original == b"file " + document.text.encode()

    connection = apsw.Connection(str(home / "index.sqlite"))
    orphans = "SELECT count(*) FROM originals WHERE sha256 NOT IN (SELECT sha256 FROM documents)"
    assert connection.execute(orphans).get == 0
    assert connection.pragma("integrity_check") == "ok"
    assert connection.pragma("foreign_key_check") is None
    connection.close()

    clean = open_embedded(tmp_path / "clean")
    author.put(clean, *(author.entry(s, *text.split("\n\n")) for s, text in texts.items()))
    for question in ("shared", "replaced", "step3", "round1 step1"):
        for ask in (author.worded, author.nearest):
            assert {(s, o) for s, o, _ in ask(store, question, 10**4)} == {
                (s, o) for s, o, _ in ask(clean, question, 10**4)
            }
    near = [author.nearest(each, "shared", 50) for each in (store, clean)]
    assert [score for *_, score in near[0]] == pytest.approx(
        [score for *_, score in near[1]], abs=1e-5
    )
