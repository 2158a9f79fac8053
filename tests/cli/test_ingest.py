"""`rag ingest`: what it adds, replaces, leaves, removes and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from fpdf import FPDF

Run: TypeAlias = Callable[..., Any]

_COUNTS = ("added", "replaced", "moved", "unchanged", "removed", "refused")
_QUESTION = "When does the car park close?"


def _counts(report: dict[str, Any]) -> dict[str, int]:
    return {name: report[name] for name in _COUNTS if report[name]}


def test_ingest_reports_what_it_did(run: Run, folder: Path) -> None:
    first = run("ingest", folder, "--json")
    assert first.status == 0
    assert _counts(first.json) == {"added": 3}
    assert [r["source"] for r in first.json["results"]] == [
        "leave.md", "parking.txt", "sub/fire.txt",
    ]  # fmt: skip
    assert first.json["passages_encoded"] > 0
    again = run("ingest", folder, "--json")
    assert _counts(again.json) == {"unchanged": 3}
    assert (again.json["passages_encoded"], again.json["passages_reused"]) == (0, 0)

    (folder / "leave.md").write_text("# Leave\n\nEvery member of staff has 30 days of leave.\n")
    (folder / "new.txt").write_text("The lift is new.\n")
    (folder / "photo.jpg").write_bytes(b"\xff")
    last = run("ingest", folder, "--json")
    assert last.status == 1
    assert _counts(last.json) == {"added": 1, "replaced": 1, "unchanged": 2, "refused": 1}
    by_source = {r["source"]: r for r in last.json["results"]}
    assert by_source["photo.jpg"]["document_id"] is None
    assert "unsupported" in by_source["photo.jpg"]["reason"]
    ids = {r["source"]: r["document_id"] for r in first.json["results"]}
    assert by_source["leave.md"]["document_id"] == ids["leave.md"]


def test_ingest_in_words(run: Run, folder: Path) -> None:
    (folder / "photo.jpg").write_bytes(b"\xff")
    ran = run("ingest", folder)
    lines = ran.out.splitlines()
    assert ran.status == 1
    assert "added     parking.txt" in lines
    assert any(line.startswith("refused   photo.jpg: unsupported") for line in lines)
    assert lines[-1].startswith("3 added, 0 replaced, 0 moved, 0 unchanged, 0 removed, 1 refused; ")


def test_pages_without_text_are_told(run: Run, folder: Path) -> None:
    scans = FPDF()
    scans.add_page()
    scans.set_font("Helvetica", size=11)
    scans.multi_cell(0, 6, "The ferry to the island leaves at 07:45 every day.")
    scans.add_page()
    scans.output(str(folder / "ferry.pdf"))
    note = "1 of 2 pages has no text: 2"
    assert f"added     ferry.pdf: {note}" in run("ingest", folder).out.splitlines()
    (folder / "copy.pdf").write_bytes((folder / "ferry.pdf").read_bytes())
    ran = run("ingest", folder, "--json")
    assert {r["source"]: r["note"] for r in ran.json["results"] if r["note"]} == {"copy.pdf": note}
    assert ran.status == 0


def test_a_vanished_file_is_forgotten(run: Run, folder: Path) -> None:
    for number in range(4):
        (folder / f"{number}.txt").write_text(f"The number is {number}.\n")
    run("ingest", folder)
    (folder / "parking.txt").unlink()
    ran = run("ingest", folder, "--json")
    assert ran.status == 0
    assert _counts(ran.json) == {"unchanged": 6, "removed": 1}
    reply = run("ask", _QUESTION, "--json")
    assert reply.status == 1
    assert "22:30" not in reply.out


def test_losing_over_a_third_needs_prune(run: Run, folder: Path) -> None:
    run("ingest", folder)
    (folder / "parking.txt").unlink()  # 1 of 3 is over 30 %
    ran = run("ingest", folder, "--json")
    assert ran.status == 1
    assert _counts(ran.json) == {"refused": 1}
    assert "--prune" in ran.json["results"][0]["reason"]
    assert run("ask", _QUESTION).status == 0
    pruned = run("ingest", folder, "--prune", "--json")
    assert pruned.status == 0
    assert _counts(pruned.json) == {"unchanged": 2, "removed": 1}


def test_exactly_thirty_percent_may_go(run: Run, folder: Path) -> None:
    for number in range(7):
        (folder / f"{number}.txt").write_text(f"The number is {number}.\n")
    run("ingest", folder)
    for number in range(3):
        (folder / f"{number}.txt").unlink()
    ran = run("ingest", folder, "--json")
    assert _counts(ran.json) == {"unchanged": 7, "removed": 3}


def test_a_missing_root(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("ingest", folder).status == 0
    folder.rename(tmp_path / "moved")
    ran = run("ingest", folder, "--json")
    assert ran.status == 1
    assert "missing" in ran.json["results"][0]["reason"]
    assert len(run("documents", "--json").json["documents"]) == 3
    pruned = run("ingest", folder, "--prune", "--json")
    assert _counts(pruned.json) == {"removed": 3}
    never = run("ingest", tmp_path / "never", "--json")
    assert (never.status, _counts(never.json)) == (1, {"refused": 1})


def test_overlapping_roots(run: Run, folder: Path) -> None:
    run("ingest", folder)
    for other in (folder / "sub", folder.parent):
        ran = run("ingest", other, "--json")
        assert ran.status == 1
        assert [r["status"] for r in ran.json["results"]] == ["refused"]
        assert str(folder) in ran.json["results"][0]["reason"]
    assert run("ingest", folder / "sub", "--collection", "other").status == 0


def test_single_files(run: Run, folder: Path) -> None:
    ran = run("ingest", folder / "parking.txt", "--json")
    assert [r["source"] for r in ran.json["results"]] == ["parking.txt"]
    # The root is its folder: the other files join it, nothing is twice, nothing is removed.
    assert _counts(run("ingest", folder, "--json").json) == {"added": 2, "unchanged": 1}
    ran = run("ingest", folder / "sub" / "fire.txt", "--json")
    assert [r["source"] for r in ran.json["results"]] == ["sub/fire.txt"]
    assert _counts(ran.json) == {"unchanged": 1}
    assert len(run("documents", "--json").json["documents"]) == 3


@pytest.mark.parametrize("turned", [False, True])
def test_a_file_named_besides_its_folder(run: Run, folder: Path, turned: bool) -> None:
    paths = [folder, folder / "parking.txt", folder / "." / "parking.txt"]
    ran = run("ingest", *(reversed(paths) if turned else paths), "--json")
    assert (ran.status, _counts(ran.json)) == (0, {"added": 3})


def test_names_that_are_not_utf8(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    bad = folder / "bad\udcff.txt"
    try:
        bad.write_text("Words in a file.\n")
    except OSError:
        pytest.skip("this file system wants UTF-8")
    (folder / "good.txt").write_text("Words in another file.\n")
    for paths in ([folder], [bad]):
        ran = run("ingest", *paths, "--json")
        assert ran.status == 1
        assert "Traceback" not in ran.err
        assert ran.json["refused"] == 1
        refused = next(r for r in ran.json["results"] if r["status"] == "refused")
        assert "UTF-8" in refused["reason"]


class TestWhatIsLeftOut:
    """By globs and a `.ragignore`: not refused, and forgotten where it was indexed."""

    @pytest.fixture
    def many(self, folder: Path) -> Path:
        for number in range(7):
            (folder / f"{number}.txt").write_text(f"The number is {number}.\n")
        return folder

    def test_it_is_not_refused(self, run: Run, many: Path) -> None:
        (many / "photo.jpg").write_bytes(b"\xff")
        ran = run("ingest", many, "--exclude", "*.jpg", "--include", "sub/", "--json")
        assert (ran.status, _counts(ran.json)) == (0, {"added": 1})
        (many / ".ragignore").write_text("*.jpg\nsub\n")
        ran = run("ingest", many, "--json", "--include", "*.md", "--include", "park*", "--prune")
        assert (ran.status, _counts(ran.json)) == (0, {"added": 2, "removed": 1})

    def test_it_is_forgotten_where_it_was_indexed(self, run: Run, many: Path) -> None:
        run("ingest", many)
        (many / ".ragignore").write_text("sub/\nparking.txt\n")
        foreseen = run("ingest", many, "--dry-run", "--json").json
        report = run("ingest", many, "--json").json
        assert _counts(report) == {"unchanged": 8, "removed": 2}
        assert {r["source"]: r["reason"] for r in report["results"] if r["reason"]} == {
            "parking.txt": "left out by the globs or the .ragignore",
            "sub/fire.txt": "left out by the globs or the .ragignore",
        }
        told = [(r["source"], r["status"], r["reason"]) for r in report["results"]]
        assert [(r["source"], r["status"], r["reason"]) for r in foreseen["results"]] == told
        assert run("ask", _QUESTION).status == 1

    def test_a_glob_that_leaves_out_too_much_changes_nothing(self, run: Run, many: Path) -> None:
        run("ingest", many)
        ran = run("ingest", many, "--include", "*.md", "--json")
        assert (ran.status, _counts(ran.json)) == (1, {"refused": 1})
        assert "9 of its 10 documents have vanished or are left out" in ran.out
        assert "--prune" in ran.out
        ran = run("ingest", many, "--include", "*.md", "--prune", "--json")
        assert _counts(ran.json) == {"unchanged": 1, "removed": 9}

    def test_rules_that_can_t_be_read_change_nothing(self, run: Run, many: Path) -> None:
        run("ingest", many)
        (many / "0.txt").write_text("Changed.\n")
        (many / ".ragignore").write_bytes(b"\xff\n")
        ran = run("ingest", many, "--json")
        assert (ran.status, _counts(ran.json)) == (1, {"refused": 1})
        assert ".ragignore can't be used" in ran.out

    def test_a_file_that_is_named_is_wanted(self, run: Run, many: Path) -> None:
        ran = run("ingest", many / "0.txt", "--exclude", "*.txt", "--json")
        assert _counts(ran.json) == {"added": 1}

    def test_a_bad_glob_is_wrong_usage(self, run: Run, many: Path) -> None:
        ran = run("ingest", many, "--exclude", "!")
        assert (ran.status, ran.out) == (2, "")
        assert "is no pattern" in ran.err
