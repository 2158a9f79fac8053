"""`rag backup` and `rag restore`: what they print, where, and with which exit status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rag.store.sqlite import SCHEMA_VERSION

if TYPE_CHECKING:
    from tests.cli.conftest import Run


def test_there_and_back(run: Run, folder: Path, home: Path, tmp_path: Path) -> None:
    run("ingest", folder)
    to = tmp_path / "backup"
    ran = run("backup", to)
    assert (ran.status, ran.err) == (0, "")
    first, second = ran.out.splitlines()
    assert first.startswith(f"backed up to {to}: version ")
    assert second.split() == ["3", "documents", "3", "passages", "default"]

    run("remove", "parking.txt")
    ran = run("restore", to)
    assert (ran.status, ran.out) == (1, "")
    assert "--replace" in ran.err
    assert "22:30" not in run("ask", "When does the car park close?").out
    ran = run("restore", to, "--replace")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[0].startswith(f"restored to {home}: version ")
    assert "22:30" in run("ask", "When does the car park close?").out

    other = tmp_path / "other"
    assert run("restore", to, "--home", other).status == 0
    assert "22:30" in run("ask", "When does the car park close?", "--home", other).out
    assert run("doctor", "--home", other).status == 0


def test_json(run: Run, folder: Path, tmp_path: Path) -> None:
    run("ingest", folder)
    made = run("backup", tmp_path / "backup", "--json").json
    assert made.keys() == {"folder", "version", "schema", "date", "collections", "files"}
    assert (made["folder"], made["schema"]) == (str(tmp_path / "backup"), SCHEMA_VERSION)
    assert made["collections"] == [
        {"name": "default", "documents": 3, "passages": 3, "embedder": "hashing-1"}
    ]
    assert list(made["files"]) == ["index.sqlite"]
    assert run("restore", tmp_path / "backup", "--replace", "--json").json == made


def test_what_can_not_be_done(run: Run, folder: Path, tmp_path: Path) -> None:
    ran = run("backup", tmp_path / "backup")
    assert (ran.status, ran.out) == (1, "")
    assert "--home" in ran.err
    run("ingest", folder)
    ran = run("backup", tmp_path / "none/backup")
    assert ran.status == 2
    run("backup", tmp_path / "backup")
    ran = run("backup", tmp_path / "backup")
    assert ran.status == 1
    assert "nothing is overwritten" in ran.err
    ran = run("restore", folder)
    assert ran.status == 1
    assert "no backup" in ran.err
    (tmp_path / "backup/index.sqlite").write_bytes(b"")
    ran = run("restore", tmp_path / "backup", "--replace")
    assert ran.status == 1
    assert "is damaged: use another backup" in ran.err
    assert run("ask", "When does the car park close?").status == 0
