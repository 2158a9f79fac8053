"""`rag ingest --watch`: a real watcher follows a real folder; each wait is for what must happen."""

from __future__ import annotations

import json
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

import pytest

Run: TypeAlias = Callable[..., Any]

_LONGEST_WAIT = 60.0  # seconds, for a machine with much else to do
_COUNTS = ("added", "replaced", "moved", "unchanged", "removed", "refused")


class _Watching:
    """A running command, its reports and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._reports = self._lines_of(process.stdout)
        self._said = self._lines_of(process.stderr)

    @staticmethod
    def _lines_of(stream: IO[str] | None) -> queue.Queue[str]:
        lines: queue.Queue[str] = queue.Queue()
        assert stream

        def read() -> None:
            for line in stream:
                lines.put(line)
            lines.put("")  # it has ended

        threading.Thread(target=read, daemon=True).start()
        return lines

    def report(self) -> dict[str, int]:
        """The next report's counts."""
        report = json.loads(self._reports.get(timeout=_LONGEST_WAIT))
        return {name: report[name] for name in _COUNTS if report[name]}

    def until(self, counts: dict[str, int]) -> None:
        """Waits for changes that may come in several reports."""
        left = dict(counts)
        while left:
            for name, count in self.report().items():
                if name in left:
                    left[name] -= count
                    assert left[name] >= 0
            left = {name: count for name, count in left.items() if count}

    def said(self) -> str:
        return self._said.get(timeout=_LONGEST_WAIT).strip()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(_LONGEST_WAIT)

    def is_silent(self) -> bool:
        """Whether it has ended without a report that was not looked at."""
        return self._reports.get(timeout=_LONGEST_WAIT) == ""


@contextmanager
def _watching(*arguments: object) -> Iterator[_Watching]:
    command = [sys.executable, "-m", "rag", "ingest", "--watch", "--json", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _Watching(process)
        finally:
            process.kill()


def _sources(run: Run) -> set[str]:
    return {document["source"] for document in run("documents", "--json").json["documents"]}


def test_it_keeps_in_step_until_it_is_stopped(run: Run, folder: Path) -> None:
    with _watching(folder) as watching:
        assert watching.report() == {"added": 3}
        (folder / "new.txt").write_text("The lift is new.\n")
        watching.until({"added": 1})
        (folder / "new.txt").write_text("The lift is old.\n")
        watching.until({"replaced": 1})
        (folder / "new.txt").rename(folder / "sub" / "new.txt")
        watching.until({"moved": 1})
        (folder / "sub" / "new.txt").unlink()
        watching.until({"removed": 1})
        assert _sources(run) == {"leave.md", "parking.txt", "sub/fire.txt"}
        assert watching.stop() == 130
        assert watching.said().startswith("rag: stopped")
        assert watching.is_silent()


def test_folders_that_come_at_once_with_all_they_hold(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "deep"
    other.mkdir(parents=True)
    for number in range(20):
        (other / f"{number}.txt").write_text(f"The number is {number}.\n")
    with _watching(folder) as watching:
        assert watching.report() == {"added": 3}
        (tmp_path / "other").rename(folder / "other")
        watching.until({"added": 20})
        (folder / "other" / "deep" / "20.txt").write_text("The number is 20.\n")
        watching.until({"added": 1})
    assert len(_sources(run)) == 24


def test_a_folder_that_is_gone_is_waited_for(run: Run, folder: Path, tmp_path: Path) -> None:
    with _watching(folder) as watching:
        assert watching.report() == {"added": 3}
        folder.rename(tmp_path / "elsewhere")
        said = watching.said()
        assert said == f"rag: {folder} is gone: nothing is forgotten, and it is waited for"
        assert len(_sources(run)) == 3
        (tmp_path / "elsewhere" / "new.txt").write_text("The lift is new.\n")
        (tmp_path / "elsewhere").rename(folder)
        assert watching.said() == f"rag: {folder} is back"
        watching.until({"added": 1})
        (folder / "leave.md").write_text("# Leave\n\nNone.\n")
        watching.until({"replaced": 1})
        assert watching.stop() == 130
    assert len(_sources(run)) == 4


def test_a_folder_that_comes_back_empty_is_not_forgotten(run: Run, folder: Path) -> None:
    with _watching(folder) as watching:
        assert watching.report() == {"added": 3}
        shutil.rmtree(folder)
        assert "is gone" in watching.said()
        folder.mkdir()
        assert "is back" in watching.said()
        assert watching.report() == {"refused": 1}
        assert len(_sources(run)) == 3
        (folder / "leave.md").write_text("# Leave\n\nNone.\n")
        (folder / "parking.txt").write_text("The car park is closed.\n")
        (folder / "sub").mkdir()
        (folder / "sub" / "fire.txt").write_text("There is no fire.\n")
        watching.until({"replaced": 3})
    assert len(_sources(run)) == 3


def test_what_is_left_out_and_the_index_itself_are_not_followed(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_HOME", str(folder / "index"))
    (folder / ".ragignore").write_text("drafts/\nindex/\n")
    (folder / "drafts").mkdir()
    with _watching(folder, "--include", "*.txt") as watching:
        assert watching.report() == {"added": 2}
        (folder / "drafts" / "draft.txt").write_text("Not yet.\n")
        (folder / "more.md").write_text("# More\n\nNo text file.\n")
        (folder / "last.txt").write_text("The lift is new.\n")
        assert watching.report() == {"added": 1, "unchanged": 2}
        (folder / ".ragignore").write_text("index/\n")
        assert watching.report() == {"added": 1, "unchanged": 3}
        assert watching.stop() == 130
        assert watching.is_silent()
    assert _sources(run) == {"parking.txt", "sub/fire.txt", "last.txt", "drafts/draft.txt"}


def test_refusals_are_told_once_and_in_words(run: Run, folder: Path) -> None:
    (folder / "photo.jpg").write_bytes(b"\xff")
    with _watching(folder) as watching:
        assert watching.report() == {"added": 3, "refused": 1}
        (folder / "new.txt").write_text("The lift is new.\n")
        assert watching.report() == {"added": 1, "unchanged": 3}
    assert len(_sources(run)) == 4


@pytest.mark.parametrize("option", ["--prune", "--dry-run"])
def test_what_makes_no_sense_together(run: Run, folder: Path, option: str) -> None:
    ran = run("ingest", folder, "--watch", option)
    assert (ran.status, ran.out) == (2, "")
    assert "leave --prune and --dry-run out" in ran.err


def test_files_and_missing_folders_are_not_watched(run: Run, folder: Path) -> None:
    for path in (folder / "leave.md", folder / "nowhere"):
        ran = run("ingest", path, "--watch")
        assert (ran.status, ran.out) == (2, "")
        assert "is no folder: --watch follows folders" in ran.err
