"""What a terminal shows while files are ingested."""

from __future__ import annotations

import io
from contextlib import closing

import pytest

from rag.ingestion import Progress
from rag.progress import ProgressBar


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_rate_and_time_left_of_bytes_files_and_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with closing(ProgressBar()) as bar:
        bar._bar.start_t -= 10  # ten seconds ago
        bar._bar.last_print_t -= 10
        bar.show(Progress(files=3, total_files=12, bytes=3_000, total_bytes=12_000, encoded=40))
        shown = terminal.getvalue().rpartition("\r")[2]
        assert "25%" in shown
        assert "00:10<00:30" in shown
        assert "B/s, file 3/12, 40 passages" in shown
    assert terminal.getvalue().rpartition("\r")[2].strip() == ""


def test_nothing_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(ProgressBar()) as bar:
        bar.show(Progress(files=3, total_files=12, bytes=3_000, total_bytes=12_000, encoded=40))
    assert capsys.readouterr().err == ""
