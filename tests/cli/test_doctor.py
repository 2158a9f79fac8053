"""`rag doctor`: what it prints, where, and with which exit status."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    from tests.cli.conftest import Run


def change(home: Path, statement: str) -> None:
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        connection.execute(statement)


def test_a_sound_index(run: Run, folder: Path) -> None:
    run("ingest", folder)
    ran = run("doctor")
    assert (ran.status, ran.err) == (0, "")
    assert (
        ran.out == "3 documents and 3 passages read, 3 encoded again: nothing wrong, 0 repaired\n"
    )
    assert run("doctor", "--repair").status == 0
    assert run("doctor", "--json").json == {
        "sound": True,
        "findings": [],
        "documents": 3,
        "passages": 3,
        "passages_reencoded": 3,
        "behind": {"default": 0},
    }


def test_a_damaged_document(run: Run, folder: Path, home: Path) -> None:
    run("ingest", folder)
    change(home, "UPDATE documents SET text = upper(text) WHERE source = 'parking.txt'")
    ran = run("doctor")
    assert (ran.status, ran.err) == (1, "")
    wrong, costs, repair, sums = ran.out.splitlines()
    assert wrong.startswith("wrong     parking.txt (")
    assert "text of document parking.txt is damaged" in wrong
    assert "can't be trusted" in costs
    assert "read again from its file" in repair
    assert sums.endswith("1 wrong, 0 repaired")
    ran = run("doctor", "--repair", "--json")
    assert ran.status == 0
    (finding,) = ran.json["findings"]
    assert (finding["fault"], finding["repaired"]) == ("document", True)
    assert run("doctor").status == 0
    assert "22:30" in run("ask", "When does the car park close?").out


def test_damage_beyond_repair(run: Run, folder: Path, home: Path) -> None:
    run("ingest", folder)
    change(home, "UPDATE documents SET title = 'x' WHERE source = 'parking.txt'")
    (folder / "parking.txt").write_text("Closed.\n")
    ran = run("doctor", "--repair")
    assert ran.status == 1
    assert "not repaired: the file there now is another one: ingest it again" in ran.out
    finding = run("doctor", "--repair", "--json").json["findings"][0]
    assert finding["repaired"] is False
    assert finding["document_id"] in ran.out
    assert run("ingest", folder).status == 0
    assert run("doctor").status == 0


def test_another_writer(run: Run, folder: Path, home: Path) -> None:
    run("ingest", folder)
    change(home, "DELETE FROM passages WHERE ordinal = 0")
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert run("doctor").status == 1
        ran = run("doctor", "--repair")
    assert (ran.status, ran.out) == (1, "")
    assert "--wait" in ran.err
    assert run("doctor", "--repair", "--wait").status == 0


def test_a_document_does_not_drive_the_terminal(run: Run, tmp_path: Path, home: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / "evil\x1b[31m.txt").write_text("Words.\n")
    run("ingest", evil)
    change(home, "UPDATE documents SET title = 'x'")
    for arguments in ([], ["--repair"]):
        out = run("doctor", *arguments).out
        assert "evil" in out
        assert "\x1b" not in out


def test_no_index_that_can_be_opened(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "index.sqlite").write_bytes(b"no database" * 999)
    ran = run("doctor", "--repair")
    assert (ran.status, ran.out) == (1, "")
    assert "restore a backup" in ran.err
    assert run("doctor", "--loud").status == 2
