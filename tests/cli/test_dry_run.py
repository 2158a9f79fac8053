"""`rag ingest --dry-run`: what an ingest would do, while nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import apsw
import pytest

from rag.ingestion import Ingestion
from rag.pace import PaceFile

Run: TypeAlias = Callable[..., Any]

_COUNTS = ("added", "replaced", "moved", "unchanged", "removed", "refused")


def _counts(report: dict[str, Any]) -> dict[str, int]:
    return {name: report[name] for name in _COUNTS if report[name]}


def _everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All that lies in a folder, with the moments at which it was changed."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (folder, *folder.rglob("*"))
    }


def _change(folder: Path) -> None:
    (folder / "leave.md").write_text("# Leave\n\nNone.\n")
    (folder / "new.txt").write_text("New.\n")
    (folder / "parking.txt").unlink()
    (folder / "photo.jpg").write_bytes(b"\xff" * 2_000)


def test_nothing_is_made_where_there_is_no_index(
    run: Run, folder: Path, tmp_path: Path, home: Path
) -> None:
    before = _everything(tmp_path)
    ran = run("ingest", folder, "--dry-run", "--json")
    assert (ran.status, _counts(ran.json)) == (0, {"added": 3})
    assert run("ingest", folder, "--dry-run").status == 0
    assert not home.exists()
    assert _everything(tmp_path) == before


def test_the_index_stays_as_it_is_to_the_byte(run: Run, folder: Path, home: Path) -> None:
    run("ingest", folder)
    _change(folder)
    before = _everything(home)
    foreseen = run("ingest", folder, "--dry-run", "--prune", "--json")
    assert _everything(home) == before
    assert foreseen.status == 1
    expected = {"added": 1, "replaced": 1, "unchanged": 1, "removed": 1, "refused": 1}
    assert _counts(foreseen.json) == expected
    done = run("ingest", folder, "--prune", "--json").json
    assert _counts(done) == expected
    told = [{**r, "bytes": None} for r in foreseen.json["results"]]
    for one in told:  # an id comes with the document
        one["document_id"] = one["document_id"] or ("new" if one["status"] == "added" else None)
    done = [{**r, "bytes": None} for r in done["results"]]
    assert told == [{**r, "document_id": "new"} if r["status"] == "added" else r for r in done]


def test_sizes_of_files_and_sums(run: Run, folder: Path) -> None:
    run("ingest", folder)
    gone = (folder / "parking.txt").stat().st_size
    _change(folder)
    report = run("ingest", folder, "--dry-run", "--prune", "--json").json
    assert {r["source"]: r["bytes"] for r in report["results"]} == {
        "leave.md": 15,
        "new.txt": 5,
        "parking.txt": gone,
        "photo.jpg": 2_000,
        "sub/fire.txt": 47,
    }
    sizes = {
        "added": 5,
        "replaced": 15,
        "moved": 0,
        "unchanged": 47,
        "removed": gone,
        "refused": 2_000,
    }
    assert report["bytes"] == sizes
    lines = run("ingest", folder, "--dry-run", "--prune").out.splitlines()
    assert "added     new.txt (5 bytes)" in lines
    assert any(line.startswith("refused   photo.jpg (2 kB): unsupported") for line in lines)
    assert lines[-2] == (
        "1 added (5 bytes), 1 replaced (15 bytes), 0 moved (0 bytes), 1 unchanged (47 bytes), "
        f"1 removed ({gone} bytes), 1 refused (2 kB); nothing was changed: dry run"
    )
    assert lines[-1].startswith("How long that would take is unknown")


def test_how_long_it_would_take_at_the_pace_of_the_last_ingest(
    run: Run, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("ingest", folder, "--dry-run", "--json").json["seconds"] is None
    run("ingest", folder)  # too little to measure
    assert not (home / "pace.json").exists()
    monkeypatch.setattr(Ingestion, "pace", 250.0)
    run("ingest", folder)
    (folder / "new.txt").write_text("New." * 4_500)
    ran = run("ingest", folder, "--dry-run", "--json").json
    assert (ran["bytes"]["added"], ran["seconds"]) == (18_000, 72.0)
    line = run("ingest", folder, "--dry-run").out.splitlines()[-1]
    assert "18 kB would take about 1 min, at the 250 bytes a second" in line
    (folder / "new.txt").unlink()
    ran = run("ingest", folder, "--dry-run", "--json").json
    assert ran["seconds"] == 0
    assert run("ingest", folder, "--dry-run").out.endswith("nothing was changed: dry run\n")


def test_the_pace_is_that_of_files_that_were_encoded(run: Run, tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(256):
        (folder / f"{number}.txt").write_text(f"The number is {number}.\n")
    run("ingest", folder)
    pace = PaceFile(home).of("default")
    assert pace
    assert pace > 0
    run("ingest", folder)  # nothing is encoded, so nothing is measured
    assert PaceFile(home).of("default") == pace
    assert PaceFile(home).of("other") is None


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"default": "x"}', '{"default": -1}', "\xff"])
def test_a_damaged_pace_is_none(run: Run, folder: Path, home: Path, damage: str) -> None:
    run("ingest", folder)
    (home / "pace.json").write_bytes(damage.encode("latin-1"))
    (folder / "new.txt").write_text("New.\n")
    assert run("ingest", folder, "--dry-run", "--json").json["seconds"] is None
    PaceFile(home).note("default", 3.0)
    assert PaceFile(home).of("default") == 3.0


def test_what_a_writer_has_just_committed_is_seen(run: Run, folder: Path, home: Path) -> None:
    run("ingest", folder)
    with closing(apsw.Connection(str(home / "index.sqlite"))) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = ON")
        writer.execute("DELETE FROM documents WHERE source = 'parking.txt'")
        assert _counts(run("ingest", folder, "--dry-run", "--json").json) == {
            "added": 1,
            "unchanged": 2,
        }


def test_an_index_of_another_program_is_named(run: Run, folder: Path, home: Path) -> None:
    home.mkdir()
    (home / "index.sqlite").write_bytes(b"no database" * 100)
    ran = run("ingest", folder, "--dry-run")
    assert (ran.status, ran.out) == (1, "")
    assert "index.sqlite" in ran.err
    assert run("ingest", folder, "--dry-run", "--collection", "No Name").status == 2


def test_a_folder_that_would_be_left_alone_is_said_so(run: Run, folder: Path) -> None:
    run("ingest", folder)
    (folder / "parking.txt").unlink()
    ran = run("ingest", folder, "--dry-run", "--json")
    assert (ran.status, _counts(ran.json)) == (1, {"refused": 1})
    assert "--prune" in ran.json["results"][0]["reason"]


def test_moved_files_and_what_encoding_their_new_names_would_take(
    run: Run, folder: Path, home: Path
) -> None:
    run("ingest", folder)
    PaceFile(home).note("default", 1.0)
    (folder / "parking.txt").rename(folder / "sub" / "parking.txt")
    (folder / "leave.md").rename(folder / "holidays.md")
    foreseen = run("ingest", folder, "--dry-run", "--json").json
    assert (_counts(foreseen), foreseen["seconds"]) == ({"moved": 2, "unchanged": 1}, 0)
    reasons = {r["source"]: r["reason"] for r in foreseen["results"] if r["reason"]}
    assert reasons == {"holidays.md": "was at leave.md", "sub/parking.txt": "was at parking.txt"}
    (folder / "sub" / "parking.txt").rename(folder / "cars.txt")
    foreseen = run("ingest", folder, "--dry-run", "--json").json
    assert foreseen["seconds"] == (folder / "cars.txt").stat().st_size
    done = run("ingest", folder, "--json").json
    assert _counts(done) == {"moved": 2, "unchanged": 1}
    assert run("ingest", folder).out.startswith("0 added, 0 replaced, 0 moved, 3 unchanged")
