"""Backups, and an index that is what it was at one: whole, checked, and never over another."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from rag.assembly import build, doctor
from rag.backup import back_up, restore
from rag.errors import Conflict, InvalidInput, NotFound, RagError, StoreBusy, StoreUnreadable
from rag.service import Service
from rag.settings import Settings
from rag.store import following
from rag.store.overhaul import Overhaul
from rag.tuning import Tuning, Tunings

HERE = Path(__file__).parent
WAIT = 0.1
QUESTION = "Where are the umbrellas?"
Open = Callable[..., Service]


def settings_of(home: Path) -> Settings:
    return Settings(home=home, cache=home / "cache", embedder="hashing", reader="sentence")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def open_service() -> Iterator[Open]:
    opened: list[Service] = []

    def open_one(home: Path, busy_seconds: float = 5.0) -> Service:
        opened.append(build(settings_of(home), busy_seconds))
        return opened[-1]

    yield open_one
    for service in opened:
        service.close()


@pytest.fixture
def service(open_service: Open, home: Path) -> Service:
    """An index with two collections, a calibration, feedback and tokens, and caches on disk."""
    service = open_service(home)
    service.ingest_uploads([("note.txt", b"Umbrellas hang at the desk.\n\nKeys lie below.")])
    service.ingest_uploads([("room.txt", b"Room 5 is in the attic.")], "rooms")
    service.tune("default", Tuning(service.reader.name, 1, 0, 0.5, "2026-11-25"))
    service._parts.feedback.append({"id": "feedback-1", "question": QUESTION})
    (home / "tokens.json").write_text('["a"]')
    return service


def rows(home: Path) -> list[list[Any]]:
    """What questions are answered from and citations made of."""
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        assert connection.pragma("integrity_check") == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return [
            connection.execute(query).fetchall()
            for query in (
                "SELECT * FROM documents ORDER BY 1",
                'SELECT document_id, ordinal, start, "end", text, vector_key, record_sha256 '
                "FROM passages ORDER BY 1, 2",
                "SELECT * FROM vectors ORDER BY 1",
                "SELECT * FROM originals ORDER BY 1",
                "SELECT * FROM models ORDER BY 1",
            )
        ]


def faults(home: Path) -> list[str]:
    with closing(doctor(settings_of(home))) as opened:
        return [f"{f.fault}: {f.what}" for f in opened.check(lambda *_: None).left]


def found(service: Service, collection: str = "default") -> list[str]:
    reply = service.search(QUESTION, 100, collection)
    for passage in reply.passages:
        document, _ = service.document(passage.citation.origin.document_id)
        assert passage.citation.span.of(document.text) == passage.text
    return sorted(passage.text for passage in reply.passages)


def searched(service: Service) -> int:
    """How many passages the search caches hold, each of which is there."""
    with service._store.snapshot("default", service.embedder.fingerprint) as snapshot:
        hits = snapshot.search_vectors(service.embedder.embed_question(QUESTION), 100)
        assert len(snapshot.places([i for i, _ in hits])) == len(hits) == snapshot.passages
        return len(hits)


def change(service: Service) -> None:
    """What becomes of an index after its backup."""
    service.ingest_uploads([("note.txt", b"Umbrellas hang at the gate."), ("b.txt", b"New.")])
    service.ingest_uploads([("c.txt", b"Umbrellas elsewhere.")], "later")
    service.remove(service.find("room.txt", "rooms"))


class TestBackup:
    def test_what_it_holds(self, service: Service, home: Path, backup: Path) -> None:
        made = back_up(home, backup, WAIT)
        assert [(c.name, c.documents, c.passages) for c in made.collections] == [
            ("default", 1, 1), ("rooms", 1, 1),
        ]  # fmt: skip
        names = {"index.sqlite", "calibration/default.json", "feedback.jsonl", "tokens.json"}
        assert made.files.keys() == names
        there = {p.relative_to(backup).as_posix() for p in backup.rglob("*") if p.is_file()}
        assert there == names | {"manifest.json"}
        assert rows(backup) == rows(home)
        assert backup.stat().st_mode & 0o077 == 0
        assert (backup / "tokens.json").stat().st_mode & 0o077 == 0
        assert found(service)

    def test_it_is_an_index_itself(
        self,
        service: Service,
        home: Path,
        backup: Path,
        open_service: Open,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(following, "_REPLAYED_AT_MOST", 0)
        service.ingest_uploads([("more.txt", b"Umbrellas hang on the roof.")])
        service._compacting.submit(lambda: None).result()
        assert list(home.glob("caches/default/[0-9]*"))
        back_up(home, backup, WAIT)
        assert faults(backup) == []
        assert found(open_service(backup)) == found(service)

    @pytest.mark.usefixtures("service")
    @pytest.mark.parametrize("what", ["backup", "folder", "file", "link"])
    def test_nothing_is_overwritten(self, home: Path, backup: Path, what: str) -> None:
        match what:
            case "backup":
                back_up(home, backup, WAIT)
            case "folder":
                backup.mkdir()
            case "file":
                backup.write_text("mine")
            case _:
                backup.symlink_to("nowhere")
        before = sorted(home.parent.rglob("*"))
        with pytest.raises(Conflict, match="choose a new name"):
            back_up(home, backup, WAIT)
        assert sorted(home.parent.rglob("*")) == before

    def test_nothing_to_back_up(self, home: Path, backup: Path) -> None:
        with pytest.raises(NotFound, match="--home"):
            back_up(home, backup, WAIT)
        assert not home.exists()

    @pytest.mark.usefixtures("service")
    def test_no_folder_to_make_it_in(self, home: Path, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="one that exists"):
            back_up(home, tmp_path / "none/backup", WAIT)

    def test_a_damaged_index_is_not_called_a_backup(
        self, service: Service, home: Path, tmp_path: Path
    ) -> None:
        service.close()
        with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
            connection.execute("PRAGMA foreign_keys = OFF; DELETE FROM vectors")
        with pytest.raises(StoreUnreadable, match="rag doctor"):
            back_up(home, tmp_path / "backup", WAIT)
        assert [path.name for path in tmp_path.iterdir()] == ["home"]

    @pytest.mark.usefixtures("service")
    def test_half_a_line_of_feedback_is_left_out(self, home: Path, backup: Path) -> None:
        whole = (home / "feedback.jsonl").read_bytes()
        (home / "feedback.jsonl").write_bytes(whole + b'{"id": "fee')
        back_up(home, backup, WAIT)
        assert (backup / "feedback.jsonl").read_bytes() == whole

    @pytest.mark.usefixtures("service")
    def test_an_uncommitted_write_is_neither_waited_for_nor_in_it(
        self, home: Path, backup: Path
    ) -> None:
        before = rows(home)
        with closing(apsw.Connection(str(home / "index.sqlite"))) as writer:
            writer.execute("BEGIN IMMEDIATE; DELETE FROM passages")
            back_up(home, backup, WAIT)
            writer.execute("ROLLBACK")
        assert rows(backup) == before

    def test_killed_at_each_step(self, service: Service, home: Path, tmp_path: Path) -> None:
        service.close()
        copies = killed("write_backup", home, tmp_path)
        whole = 0
        for copy in copies:
            assert rows(copy) == rows(home)
            made = copy.parent / f"{copy.name}-backup"
            if made.exists():
                whole += 1
                restore(made, tmp_path / f"from-{copy.name}", WAIT)
                assert rows(tmp_path / f"from-{copy.name}") == rows(home)
        assert 1 <= whole < len(copies)


class TestRestore:
    def test_into_a_new_home(
        self, service: Service, home: Path, backup: Path, tmp_path: Path, open_service: Open
    ) -> None:
        back_up(home, backup, WAIT)
        other = tmp_path / "deep/other"
        assert (
            restore(backup, other, WAIT).collections
            == back_up(home, tmp_path / "second", WAIT).collections
        )
        assert rows(other) == rows(home)
        for name in ("calibration/default.json", "feedback.jsonl", "tokens.json"):
            assert (other / name).read_bytes() == (home / name).read_bytes()
        assert sorted(path.name for path in other.iterdir()) == [
            "calibration", "feedback.jsonl", "index.sqlite", "overhaul.lock", "tokens.json",
        ]  # fmt: skip
        restored = open_service(other)
        assert found(restored) == found(service)
        assert faults(other) == []
        change(restored)
        with closing(apsw.Connection(str(other / "index.sqlite"))) as connection:
            assert connection.pragma("journal_mode") == "wal"

    def test_an_index_is_not_replaced_without_being_told(
        self, service: Service, home: Path, backup: Path
    ) -> None:
        back_up(home, backup, WAIT)
        change(service)
        before = rows(home)
        with pytest.raises(Conflict, match="--replace"):
            restore(backup, home, WAIT)
        assert rows(home) == before

    @pytest.mark.usefixtures("service")
    def test_a_log_of_an_index_that_is_gone(self, home: Path, backup: Path, tmp_path: Path) -> None:
        """SQLite would replay it into the restored one."""
        back_up(home, backup, WAIT)
        other = tmp_path / "other"
        other.mkdir()
        (other / "index.sqlite-wal").write_bytes(b"x")
        for replace in (False, True):
            with pytest.raises(Conflict, match="move it away"):
                restore(backup, other, WAIT, replace=replace)

    @pytest.mark.parametrize("caches", [0, 256], ids=["bases on disk", "all replayed"])
    def test_a_running_server_follows(
        self,
        service: Service,
        home: Path,
        backup: Path,
        open_service: Open,
        caches: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(following, "_REPLAYED_AT_MOST", caches)
        before, at_backup = found(service), rows(home)
        back_up(home, backup, WAIT)
        change(service)
        assert found(service) != before
        assert found(service, "later")
        generation = service.search(QUESTION).generation
        service._compacting.submit(lambda: None).result()
        restore(backup, home, WAIT, replace=True)
        assert rows(home) == at_backup
        assert found(service) == before
        assert service.search(QUESTION).generation > generation
        assert searched(service) == len(before)
        assert found(service, "rooms") == ["Room 5 is in the attic."]
        assert found(service, "later") == []
        change(service)
        assert found(service) == found(open_service(home))
        service._compacting.submit(lambda: None).result()
        assert [fault for fault in faults(home) if "leftovers" not in fault] == []

    def test_what_lies_beside(self, service: Service, home: Path, backup: Path) -> None:
        back_up(home, backup, WAIT)
        calibration = (home / "calibration/default.json").read_bytes()
        service.tune("default", Tuning(service.reader.name, 2, 0, 0.5, "2026-11-26"))
        service.tune("rooms", Tuning(service.reader.name, 2, 0, 0.5, "2026-11-26"))
        service._parts.feedback.append({"id": "feedback-2"})
        (home / "tokens.json").write_text("[]")
        for _ in range(2):
            restore(backup, home, WAIT, replace=True)
        assert (home / "calibration/default.json").read_bytes() == calibration
        assert Tunings(home).of("rooms", service.reader.name) is None
        lines = (home / "feedback.jsonl").read_text().splitlines()
        assert [json.loads(line)["id"] for line in lines] == ["feedback-1", "feedback-2"]
        assert (home / "tokens.json").read_text() == "[]"  # what was withdrawn stays withdrawn
        (home / "feedback.jsonl").write_bytes(b'{"id": "cut sho')
        restore(backup, home, WAIT, replace=True)
        assert (home / "feedback.jsonl").read_text().startswith('{"id": "cut sho\n{"id": "feedb')

    @pytest.mark.parametrize(
        "name", ["index.sqlite", "calibration/default.json", "feedback.jsonl", "tokens.json"]
    )
    @pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
    def test_a_damaged_backup_changes_nothing(
        self, service: Service, home: Path, backup: Path, tmp_path: Path, name: str, how: str
    ) -> None:
        back_up(home, backup, WAIT)
        data = bytearray((backup / name).read_bytes())
        data[len(data) // 2] ^= 1
        match how:
            case "flipped":
                (backup / name).write_bytes(data)
            case "cut":
                (backup / name).write_bytes(data[:-1])
            case _:
                (backup / name).unlink()
        change(service)
        before = rows(home)
        with pytest.raises(RagError):
            restore(backup, home, WAIT, replace=True)
        with pytest.raises(RagError):
            restore(backup, tmp_path / "other", WAIT)
        assert rows(home) == before
        assert [path.name for path in (tmp_path / "other").iterdir()] == ["overhaul.lock"]

    @pytest.mark.usefixtures("service")
    @pytest.mark.parametrize(
        "change_manifest",
        [
            lambda m: m.update(schema=99),
            lambda m: m.update(format=2),
            lambda m: m.update(files={}),
            lambda m: m["files"].update({"../../escaped": "0" * 64}),
            lambda m: m["files"].update({"calibration/../../x.json": "0" * 64}),
            lambda m: m.update(collections=[{}]),
            lambda m: m.clear(),
        ],
        ids=["newer schema", "newer format", "no files", "path", "path 2", "collections", "empty"],
    )
    def test_a_manifest_that_is_not_ours(
        self, home: Path, backup: Path, tmp_path: Path, change_manifest: Any
    ) -> None:
        back_up(home, backup, WAIT)
        manifest = json.loads((backup / "manifest.json").read_text())
        change_manifest(manifest)
        (backup / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(StoreUnreadable, match=r"use that version|use another backup"):
            restore(backup, tmp_path / "other", WAIT)
        assert not (tmp_path / "other").exists()

    def test_no_backup(self, home: Path, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match="no backup"):
            restore(tmp_path, home, WAIT)
        assert not home.exists()

    def test_a_backup_of_an_older_version_is_brought_up_to_date(
        self, service: Service, home: Path, backup: Path, open_service: Open, tmp_path: Path
    ) -> None:
        back_up(home, backup, WAIT)
        old = gzip.decompress((HERE / "store/fixtures/schema-1.sqlite.gz").read_bytes())
        (backup / "index.sqlite").write_bytes(old)
        manifest = json.loads((backup / "manifest.json").read_text())
        manifest["schema"] = 1
        manifest["files"]["index.sqlite"] = hashlib.sha256(old).hexdigest()
        (backup / "manifest.json").write_text(json.dumps(manifest))
        restore(backup, tmp_path / "other", WAIT)
        restore(backup, home, WAIT, replace=True)
        assert (backup / "index.sqlite").read_bytes() == old
        for folder in (home, tmp_path / "other"):
            assert len(found(open_service(folder))) == 4
        assert found(service) == found(open_service(home))

    def test_a_home_that_is_damaged_is_left_as_it_is(
        self, service: Service, home: Path, backup: Path
    ) -> None:
        back_up(home, backup, WAIT)
        service.close()
        (home / "index.sqlite").write_bytes(b"no database " * 999)
        with pytest.raises(StoreUnreadable, match=r"move its index\.sqlite\* files away"):
            restore(backup, home, WAIT, replace=True)
        for path in home.glob("index.sqlite*"):
            path.unlink()
        restore(backup, home, WAIT)
        assert rows(home) == rows(backup)

    @pytest.mark.usefixtures("service")
    def test_it_waits_for_other_writers(self, home: Path, backup: Path) -> None:
        back_up(home, backup, WAIT)
        before = rows(home)
        with Overhaul(home, WAIT).held(), pytest.raises(StoreBusy, match="--wait"):
            restore(backup, home, WAIT, replace=True)
        with closing(apsw.Connection(str(home / "index.sqlite"))) as writer:
            writer.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy, match="--wait"):
                restore(backup, home, WAIT, replace=True)
            writer.execute("ROLLBACK")
        assert rows(home) == before
        assert not list(home.glob("*.partial"))

    @pytest.mark.parametrize("work", ["replace_by_backup", "restore_anew"])
    def test_killed_at_each_step(
        self, service: Service, home: Path, backup: Path, tmp_path: Path, work: str
    ) -> None:
        back_up(home, backup, WAIT)
        change(service)
        service.close()
        allowed = (rows(home), rows(backup))
        copies = killed(work, home, tmp_path, backup)
        states = []
        for copy in copies:
            if work == "restore_anew":
                if not (copy / "index/index.sqlite").exists():
                    states.append(0)
                    restore(backup, copy / "index", WAIT)
                    assert rows(copy / "index") == allowed[1]
                    assert not list((copy / "index").glob("*.partial"))
                    continue
                copy = copy / "index"  # noqa: PLW2901
            states.append(allowed.index(rows(copy)))
            if len(states) % 3 == 0:
                restore(backup, copy, WAIT, replace=True)
                assert rows(copy) == allowed[1]
                assert not list(copy.glob("*.partial"))
        assert states == sorted(states)
        assert set(states) == {0, 1}


class TestWhileServing:
    def test_backups_of_an_index_that_is_written_to(
        self, service: Service, home: Path, tmp_path: Path
    ) -> None:
        """Each holds a whole batch or nothing of it, and all that was acknowledged before."""
        stop = threading.Event()
        acknowledged = 0

        def write() -> None:
            nonlocal acknowledged
            number = 0
            while not stop.is_set():
                number += 1
                words = f"Batch {number} of umbrellas."
                files = [(f"{name}.txt", f"{words} {name}".encode()) for name in "abc"]
                service.ingest_uploads(files)
                acknowledged = number

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(5):
                at_least = acknowledged
                back_up(home, tmp_path / f"backup-{number}", 5.0)
                other = tmp_path / f"other-{number}"
                restore(tmp_path / f"backup-{number}", other, WAIT)
                assert faults(other) == []
                with closing(build(settings_of(other))) as restored:
                    batches = {
                        text.split()[1] for text in found(restored) if text.startswith("Batch")
                    }
                assert len(batches) <= 1
                assert all(int(batch) >= at_least for batch in batches)
        finally:
            stop.set()
            writer.join()


def killed(work: str, home: Path, tmp_path: Path, *arguments: Path) -> list[Path]:
    """Copies of `home` in which the work was killed at its first, second, ... step."""
    copies, template = tmp_path / "copies", tmp_path / "template"
    copies.mkdir()
    shutil.copytree(home, template)
    script = [sys.executable, HERE / "store/killed_step.py", f"killed_work:{work}"]
    subprocess.run([*map(str, script), template, copies, *arguments], check=True, timeout=120)
    made = (path for path in copies.iterdir() if path.name.isdigit())
    return sorted(made, key=lambda path: int(path.name))
