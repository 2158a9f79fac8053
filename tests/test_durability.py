"""Which folders are synced for a name to be safe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.access import Tokens
from rag.durability import make_folder
from rag.feedback import FeedbackFile


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was synced so far."""
    paths: list[Path] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        paths.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return paths


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")


@needs_proc
def test_every_folder_that_got_a_name_is_synced(tmp_path: Path, synced: list[Path]) -> None:
    make_folder(tmp_path / "a/b")
    assert synced == [tmp_path, tmp_path / "a"]
    make_folder(tmp_path / "a/b")
    assert synced == [tmp_path, tmp_path / "a"]


@needs_proc
def test_the_name_of_the_feedback_file_is_safe(tmp_path: Path, synced: list[Path]) -> None:
    FeedbackFile(tmp_path).append({"id": "1"})
    assert synced == [tmp_path / "feedback.jsonl", tmp_path]


@needs_proc
def test_a_token_that_was_taken_back_stays_so(tmp_path: Path, synced: list[Path]) -> None:
    tokens = Tokens(tmp_path)
    tokens.add("intranet", writes=False, collections=None)
    synced.clear()
    tokens.remove("intranet")
    assert synced[-1] == tmp_path
