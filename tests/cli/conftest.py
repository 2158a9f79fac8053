"""The command line in this process, with light parts and an index of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from rag.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run: TypeAlias = Callable[..., Ran]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the index lives; the working folder is an empty one."""
    for name in ("RAG_TOKEN", "RAG_PATHS", "RAG_MAX_FILE_MB", "RAG_MAX_UPLOAD_MB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    monkeypatch.setenv("RAG_READER", "sentence")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return tmp_path / "home"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("ask", "Where?")` is `rag ask "Where?"`."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exited:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert isinstance(exited.value.code, int)
        return Ran(exited.value.code, out, err)

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files to ingest."""
    path = tmp_path / "folder"
    path.mkdir()
    (path / "leave.md").write_text("# Leave\n\nEvery member of staff has 28 days of leave.\n")
    (path / "parking.txt").write_text("The car park closes at 22:30.\n\nVisitors walk.\n")
    (path / "sub").mkdir()
    (path / "sub" / "fire.txt").write_text("The assembly point is behind the boiler house.\n")
    return path
