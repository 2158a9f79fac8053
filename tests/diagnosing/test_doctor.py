"""Every damage is named, and what can be mended without losing a text is mended."""

# ruff: noqa: S608 - the statements are the damage

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest

from rag.assembly import build, doctor
from rag.diagnosing.findings import Diagnosis, Fault
from rag.errors import StoreBusy
from rag.settings import Settings
from rag.store.overhaul import Overhaul
from rag.tuning import Tuning, Tunings

Damage = Callable[..., None]
Examine = Callable[..., Diagnosis]

_HERE = "(SELECT rowid FROM documents WHERE source = '{}' AND collection = 'default')"
_LEAVE = f"WHERE rowid = {_HERE.format('leave.md')}"
_PASSAGE = "WHERE passage_id = (SELECT min(passage_id) + 3 FROM passages)"
_KEY = f"(SELECT vector_key FROM passages {_PASSAGE})"

DOCUMENTS = {
    "text": "text = replace(text, 'leave', 'leave!')",
    "a letter": "text = substr(text, 1, 99) || char(unicode(substr(text, 100, 1)) + 1) "
    "|| substr(text, 101)",
    "no text": "text = ''",
    "not UTF-8": "text = CAST(x'ff' AS TEXT)",
    "title": "title = title || '!'",
    "title not UTF-8": "title = CAST(x'ff' AS TEXT)",
    "date": "date = '1999-01-01'",
    "language": "language = 'xx'",
    "text_sha256": "text_sha256 = lower(hex(randomblob(32)))",
    "loader": "loader = 'text/9'",
    "structure": "structure = '{}'",
    "structure_sha256": "structure_sha256 = x'00'",
    "record_sha256": "record_sha256 = x'00'",
    "document_id": "document_id = 'x' || substr(document_id, 2)",
    "collection": "collection = 'defaulu'",
    "other collection": "collection = 'other'",
}
IRREPARABLE = {
    "source": "source = 'leave.mdx'",
    "source not UTF-8": "source = CAST(x'ff' AS TEXT)",
    "root": "root = root || 'x'",
    "sha256": "sha256 = lower(hex(randomblob(32)))",
}
PASSAGES = {
    "start": "start = start + 1",
    "end": '"end" = "end" - 1',
    "shifted": 'start = start + 1, "end" = "end" + 1',
    "text": "text = upper(text)",
    "not UTF-8": "text = CAST(x'ff' AS TEXT)",
    "before": "before = before || ' '",
    "after": "after = ''",
    "paragraph": "paragraph = paragraph + 1",
    "paragraphs": "paragraphs = '[[0, 4]]'",
    "page": "page = 7",
    "page_label": "page_label = 'vii'",
    "heading": """heading = '["Another"]'""",
    "ordinal": "ordinal = ordinal + 1",
    "record_sha256": "record_sha256 = x'00'",
    "collection": "collection = 'other'",
    "no collection": "collection = 'none'",
    "later": "generation = 99",
    "earlier": "generation = 0",
    "another's vector": "vector_key = (SELECT max(vector_key) FROM vectors)",
    "no vector": "vector_key = x'00'",
    "document_id": "document_id = 'x' || substr(document_id, 2)",
}


def faults(diagnosis: Diagnosis) -> set[Fault]:
    return {finding.fault for finding in diagnosis.left}


def sources(diagnosis: Diagnosis) -> set[str | None]:
    return {finding.source for finding in diagnosis.left if finding.source}


def contents(home: Path) -> Any:
    """What citations are made from, without the marks of when it was written."""
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "SELECT document_id, collection, root, CAST(source AS BLOB), title, date, "
                "language, sha256, text_sha256, loader, splitter, text, structure, "
                "structure_sha256, paragraphs, passages, record_sha256 FROM documents "
                "ORDER BY document_id",
                'SELECT document_id, ordinal, collection, start, "end", text, before, after, '
                "paragraph, paragraphs, page, page_label, heading, vector_key, record_sha256 "
                "FROM passages ORDER BY document_id, ordinal",
                "SELECT vector_key, vector FROM vectors ORDER BY vector_key",
            )
        ]


def kept(home: Path) -> Any:
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        return connection.execute("SELECT * FROM originals").fetchall()


def assert_repaired(home: Path, examine: Examine, pristine: Path) -> None:
    done = examine(repair=True)
    assert not done.left
    assert done.repaired
    again = examine()
    assert not again.left
    assert contents(home) == contents(pristine)


class TestSound:
    def test_nothing_is_found(self, examine: Examine, home: Path, pristine: Path) -> None:
        diagnosis = examine()
        assert diagnosis.left == ()
        checkup = diagnosis.before
        assert checkup.documents == 7
        assert checkup.passages > checkup.reencoded == 64
        assert checkup.behind == {"default": 0, "other": 0}
        repaired = examine(repair=True)
        assert (repaired.left, repaired.repaired) == ((), ())
        assert contents(home) == contents(pristine)

    def test_every_kind_of_file(self, tmp_path: Path) -> None:
        """The second witness of passages agrees with the splitter over the whole sample corpus."""
        settings = Settings(home=tmp_path / "home", embedder="hashing", reader="sentence")
        with closing(build(settings)) as service:
            service.ingest([Path(__file__).parents[2] / "data/corpus"])
        with closing(doctor(settings)) as opened:
            assert opened.check(lambda *_: None).left == ()

    def test_caches_that_are_behind_are_no_fault(self, examine: Examine, home: Path) -> None:
        settings = Settings(home=home, embedder="hashing", reader="sentence")
        with closing(build(settings)) as service:
            service._parts.store.remove("default", [service.find("note.txt")])
        diagnosis = examine()
        assert diagnosis.left == ()
        assert diagnosis.before.behind == {"default": 1, "other": 0}

    def test_an_empty_index(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "new", embedder="hashing", reader="sentence")
        with closing(doctor(settings)) as opened:
            assert opened.check(lambda *_: None).left == ()


class TestDocuments:
    @pytest.mark.parametrize("change", DOCUMENTS.values(), ids=DOCUMENTS)
    def test_damage_is_mended_from_the_file(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine, change: str
    ) -> None:
        damage(f"UPDATE documents SET {change} {_LEAVE}")
        found = examine()
        assert Fault.DOCUMENT in faults(found)
        assert "leave.md" in sources(found)
        assert_repaired(home, examine, pristine)

    @pytest.mark.parametrize("change", IRREPARABLE.values(), ids=IRREPARABLE)
    def test_damage_that_hides_the_file_is_told(
        self, home: Path, damage: Damage, examine: Examine, change: str
    ) -> None:
        damage(f"UPDATE documents SET {change} {_LEAVE}")
        before = contents(home)
        done = examine(repair=True)
        (left,) = done.left
        assert left.fault is Fault.DOCUMENT
        assert left.document_id
        assert "not repaired" in left.what
        assert contents(home) == before

    @pytest.mark.parametrize("lost", ["gone", "changed", "uploaded"])
    def test_without_its_file_it_is_left_as_it_is(
        self, home: Path, damage: Damage, examine: Examine, folder: Path, lost: str
    ) -> None:
        source = "note.txt" if lost == "uploaded" else "parking.txt"
        damage(
            "UPDATE documents SET text = text || '!' "
            f"WHERE source = '{source}' AND collection = 'default'",
            "DELETE FROM originals",
        )
        before = contents(home)
        file, aside = folder / "parking.txt", home / "aside"
        shutil.copy(file, aside)
        try:
            if lost == "gone":
                file.unlink()
            else:
                file.write_text("Another text.")
            done = examine(repair=True)
        finally:
            shutil.move(aside, file)
        (left,) = done.left
        assert (left.fault, left.source, left.collection) == (Fault.DOCUMENT, source, "default")
        words = {"gone": "not readable", "changed": "another one", "uploaded": "upload it again"}
        assert words[lost] in left.what
        assert contents(home) == before

    def test_an_upload_is_read_again_from_its_kept_bytes(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        damage("UPDATE documents SET text = 'x' WHERE source = 'note.txt'")
        assert faults(examine()) == {Fault.DOCUMENT}
        assert_repaired(home, examine, pristine)
        with closing(build(Settings(home=home, embedder="hashing", reader="sentence"))) as service:
            _, kept = service._parts.store.original(service.find("note.txt"))
        assert kept is not None
        assert b"Umbrellas" in kept

    @pytest.mark.parametrize("data", ["x'00'", "'text'", "CAST(x'ff' AS TEXT)"])
    def test_kept_bytes_that_are_damaged(self, damage: Damage, examine: Examine, data: str) -> None:
        damage(f"UPDATE originals SET data = {data}")
        done = examine(repair=True)
        assert (faults(done), sources(done)) == ({Fault.ORIGINAL}, {"note.txt"})

    @pytest.mark.parametrize(
        "change", ["paragraphs = 1", "passages = 99", "ingested_at = 'yesterday'"]
    )
    def test_counts_and_the_time(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine, change: str
    ) -> None:
        damage(f"UPDATE documents SET {change} {_LEAVE}")
        assert (faults(examine()), sources(examine())) == ({Fault.PASSAGES}, {"leave.md"})
        assert_repaired(home, examine, pristine)

    def test_a_collection_that_is_not_listed(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        damage("DELETE FROM collections WHERE name = 'other'")
        assert Fault.PASSAGES in faults(examine())
        assert_repaired(home, examine, pristine)

    def test_a_collection_of_another_time(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        damage("UPDATE collections SET generation = 1 WHERE name = 'default'")
        assert faults(examine()) >= {Fault.PASSAGES, Fault.CACHE}
        assert_repaired(home, examine, pristine)


class TestPassages:
    @pytest.mark.parametrize("change", PASSAGES.values(), ids=PASSAGES)
    def test_damage_is_mended_from_the_text(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine, change: str
    ) -> None:
        damage(f"UPDATE passages SET {change} {_PASSAGE}")
        assert Fault.PASSAGES in faults(examine())
        assert_repaired(home, examine, pristine)

    @pytest.mark.parametrize("which", ["= 3", "= 0", "> 2", ">= 0"])
    def test_missing_ones(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine, which: str
    ) -> None:
        damage(f"DELETE FROM passages WHERE ordinal {which}")
        assert faults(examine()) >= {Fault.PASSAGES, Fault.CACHE}
        assert_repaired(home, examine, pristine)

    def test_of_no_document(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        copied = (
            'collection, generation, ordinal, start, "end", text, before, after, paragraph, '
            "paragraphs, page, page_label, heading, vector_key, record_sha256"
        )
        damage(
            f"INSERT INTO passages (document_id, {copied}) SELECT 'nobody', {copied} "
            f"FROM passages {_PASSAGE}"
        )
        assert Fault.ORPHANS in faults(examine())
        assert_repaired(home, examine, pristine)

    def test_a_wrong_place_with_a_right_hash(
        self, home: Path, pristine: Path, examine: Examine
    ) -> None:
        """What a mistake of ours would write, not a disk."""
        from rag.store.rows import PASSAGE_COLUMNS, _digest  # noqa: PLC0415

        with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
            query = f"SELECT {PASSAGE_COLUMNS} FROM passages {_PASSAGE}"
            facts: list[Any] = list(connection.execute(query).fetchall()[0])[:-1]
            facts[7] += 1
            connection.execute(
                f"UPDATE passages SET paragraph = ?, record_sha256 = ? {_PASSAGE}",
                (facts[7], _digest(facts)),
            )
        assert faults(examine()) == {Fault.PASSAGES}
        assert_repaired(home, examine, pristine)


def _blob(values: Any) -> str:
    return f"x'{np.asarray(values, '<f2').tobytes().hex()}'"


VECTORS = {
    "zero": _blob(np.zeros(256)),
    "NaN": _blob([np.nan, *np.zeros(255)]),
    "infinite": _blob([np.inf, *np.zeros(255)]),
    "twice as long": _blob([2, *np.zeros(255)]),
    "another direction": _blob([*np.zeros(255), 1]),
    "short": _blob([1, *np.zeros(254)]),
    "empty": "x''",
    "text": "'vector'",
    "not UTF-8": "CAST(x'ff' AS TEXT)",
}


class TestVectors:
    @pytest.mark.parametrize("value", VECTORS.values(), ids=VECTORS)
    def test_damage_is_encoded_anew(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine, value: str
    ) -> None:
        damage(f"UPDATE vectors SET vector = {value} WHERE vector_key = {_KEY}")
        assert Fault.VECTORS in faults(examine())
        assert_repaired(home, examine, pristine)

    def test_a_missing_one(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        damage(f"DELETE FROM vectors WHERE vector_key = {_KEY}")
        assert Fault.VECTORS in faults(examine())
        assert_repaired(home, examine, pristine)

    def test_of_no_passage(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        damage("INSERT INTO vectors VALUES (x'00', x'00')")
        assert faults(examine()) == {Fault.ORPHANS}
        assert_repaired(home, examine, pristine)

    def test_all_of_another_direction_without_a_cache_to_compare_with(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        """The sample alone finds them, and round after round they are mended."""
        damage(
            f"UPDATE vectors SET vector = {VECTORS['another direction']}",
            "UPDATE collections SET base = NULL",
            "DELETE FROM tombstones",
        )
        shutil.rmtree(home / "caches")
        assert faults(examine()) == {Fault.VECTORS}
        assert_repaired(home, examine, pristine)

    def test_of_another_model(self, damage: Damage, examine: Examine) -> None:
        damage("UPDATE collections SET embedder = 'another' WHERE name = 'default'")
        done = examine(repair=True)
        assert faults(done) == {Fault.MODEL}
        assert "rag rebuild" in done.left[0].fault.cure

    def test_passages_of_another_model_are_left_to_it(
        self, home: Path, damage: Damage, examine: Examine
    ) -> None:
        damage(
            "UPDATE collections SET embedder = 'another' WHERE name = 'default'",
            f"UPDATE passages SET text = 'x' {_PASSAGE}",
        )
        before = contents(home)
        done = examine(repair=True)
        assert faults(done) == {Fault.MODEL, Fault.PASSAGES}
        assert "rag rebuild" in done.left[0].what
        assert contents(home) == before


class TestCaches:
    @pytest.mark.parametrize("what", ["vectors.faiss", "words", "manifest.json", "."])
    @pytest.mark.parametrize("how", ["deleted", "flipped", "another collection's"])
    def test_damage_is_built_anew(
        self, home: Path, pristine: Path, examine: Examine, what: str, how: str
    ) -> None:
        (base,) = (home / "caches/default").glob("[0-9]*")
        (other,) = (home / "caches/other").glob("[0-9]*")
        match how:
            case "deleted" if (base / what).is_dir():
                shutil.rmtree(base / what)
            case "deleted":
                (base / what).unlink()
            case "flipped":
                files = [base / what] if (base / what).is_file() else (base / what).rglob("*.*")
                file = max(files, key=lambda path: path.stat().st_size)
                data = bytearray(file.read_bytes())
                data[len(data) // 2] ^= 4
                file.unlink()
                file.write_bytes(data)
            case _ if (base / what).is_dir():
                shutil.rmtree(base / what)
                shutil.copytree(other / what, base / what)
            case _:
                (base / what).unlink()
                shutil.copy(other / what, base / what)
        found = examine()
        assert faults(found) == {Fault.CACHE}
        assert found.left[0].collection == "default"
        assert_repaired(home, examine, pristine)

    @pytest.mark.parametrize("name", ["'none'", "'5-none'", "''", "x'ff'"])
    def test_a_damaged_name(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine, name: str
    ) -> None:
        damage(f"UPDATE collections SET base = {name} WHERE name = 'default'")
        assert Fault.CACHE in faults(examine())
        assert_repaired(home, examine, pristine)

    def test_a_sound_base_of_other_rows(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        """Its hash is right, and what it holds is not."""
        (other,) = (home / "caches/other").glob("[0-9]*")
        shutil.copytree(other, home / "caches/default" / other.name)
        damage(f"UPDATE collections SET base = '{other.name}' WHERE name = 'default'")
        (found,) = (f for f in examine().left if f.fault is Fault.CACHE)
        assert "not found by meaning" in found.what
        assert "no more are found by words" in found.what
        assert_repaired(home, examine, pristine)

    def test_living_passages_marked_as_removed(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        damage(
            "INSERT INTO tombstones SELECT collection, generation, passage_id "
            f"FROM passages {_PASSAGE}"
        )
        assert faults(examine()) == {Fault.CACHE}
        assert_repaired(home, examine, pristine)

    def test_leftovers(self, home: Path, pristine: Path, examine: Examine) -> None:
        caches = home / "caches"
        for name in ("default/private-dead", "default/0-a", "default/0-b", "gone/0-a"):
            (caches / name).mkdir(parents=True)
        (found,) = examine().left
        assert found.fault is Fault.LEFTOVERS
        assert_repaired(home, examine, pristine)
        assert {path.name for path in caches.iterdir()} == {"default", "other"}
        assert len(list((caches / "default").glob("0-*"))) == 1  # as a former base it may be in use
        assert not list((caches / "default").glob("private-*"))

    def test_copies_in_use_are_no_leftovers(self, home: Path, examine: Examine) -> None:
        settings = Settings(home=home, embedder="hashing", reader="sentence")
        with closing(build(settings)) as service:
            service._parts.store.remove("default", [service.find("note.txt")])
            service.search("umbrella")
            assert list((home / "caches/default").glob("private-*"))
            assert examine().left == ()


class TestUploads:
    def test_bytes_that_no_document_uses(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        damage("INSERT INTO originals VALUES (hex(zeroblob(32)), x'00')")
        (found,) = examine().left
        assert (found.fault, found.what) == (
            Fault.UNUSED, "the bytes of 1 uploads that no document uses",
        )  # fmt: skip
        assert_repaired(home, examine, pristine)
        assert kept(home) == kept(pristine) != []

    @pytest.mark.parametrize("column", ["sha256", "title"])
    def test_bytes_of_a_damaged_document_are_left_alone(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine, column: str
    ) -> None:
        damage(
            f"UPDATE documents SET {column} = 'x' WHERE root = 'uploads'",
            f"UPDATE documents SET sha256 = 'x' {_LEAVE}",
        )
        done = examine(repair=True)
        assert faults(done) == {Fault.DOCUMENT}
        assert kept(home) == kept(pristine)


class TestBeside:
    def test_a_broken_calibration(self, home: Path, examine: Examine) -> None:
        file = home / "calibration/default.json"
        file.parent.mkdir()
        file.write_text("{")
        done = examine(repair=True)
        assert faults(done) == {Fault.CALIBRATION}
        assert str(file) in done.left[0].what
        assert file.read_text() == "{"

    def test_a_calibration_for_another_reader(self, home: Path, examine: Examine) -> None:
        Tunings(home).write("default", Tuning("another", 1, 0, 0.5, "2026-11-25"))
        assert faults(examine()) == {Fault.CALIBRATION}
        settings = Settings(home=home, embedder="hashing", reader="sentence")
        with closing(build(settings)) as service:
            name = service.reader.name
        Tunings(home).write("default", Tuning(name, 1, 0, 0.5, "2026-11-25"))
        assert examine().left == ()

    def test_feedback_that_can_not_be_read(self, home: Path, examine: Examine) -> None:
        file = home / "feedback.jsonl"
        good = json.dumps({"id": "feedback-1", "question": "Where?"})
        file.write_bytes(f'{good}\n{{"id": "feed\n{good}\n'.encode() + b"\xff\n")
        done = examine(repair=True)
        assert faults(done) == {Fault.FEEDBACK}
        assert "2 lines" in done.left[0].what
        assert "line 2" in done.left[0].what


class TestFile:
    def test_an_index_of_sqlite_that_lost_a_row(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        damage(
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_schema SET sql = sql || ' WHERE ordinal <> 3' "
            "WHERE name = 'passages_by_generation'",
        )
        damage("DELETE FROM passages WHERE ordinal = 3")
        damage(
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_schema SET sql = replace(sql, ' WHERE ordinal <> 3', '') "
            "WHERE name = 'passages_by_generation'",
        )
        assert faults(examine()) >= {Fault.FILE, Fault.PASSAGES}
        assert_repaired(home, examine, pristine)

    def test_a_page_that_is_gone(self, home: Path, examine: Examine) -> None:
        with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
            connection.pragma("wal_checkpoint(TRUNCATE)")
            page = connection.execute(
                "SELECT rootpage FROM sqlite_schema WHERE name = 'documents'"
            ).get
        data = bytearray((home / "index.sqlite").read_bytes())
        data[(page - 1) * 4096 : page * 4096] = bytes(4096)
        (home / "index.sqlite").write_bytes(data)
        done = examine(repair=True)
        assert Fault.FILE in faults(done)
        assert "not repaired" in done.left[0].what


class TestTogether:
    def test_many_damages_at_once(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        damage(
            f"UPDATE documents SET title = 'x' {_LEAVE}",
            f"UPDATE passages SET document_id = 'nobody' {_PASSAGE}",
            "DELETE FROM vectors WHERE vector_key = (SELECT max(vector_key) FROM vectors)",
            "DELETE FROM passages WHERE passage_id = (SELECT max(passage_id) FROM passages)",
        )
        shutil.rmtree(home / "caches/other")
        assert faults(examine()) >= {Fault.DOCUMENT, Fault.PASSAGES, Fault.ORPHANS, Fault.CACHE}
        assert_repaired(home, examine, pristine)

    def test_repairs_wait_for_another_writer(
        self, home: Path, damage: Damage, examine: Examine
    ) -> None:
        damage(f"UPDATE documents SET title = 'x' {_LEAVE}")
        with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
            connection.execute("BEGIN IMMEDIATE")
            assert faults(examine()) == {Fault.DOCUMENT}
            with pytest.raises(StoreBusy, match="--wait"):
                examine(repair=True)
            connection.execute("ROLLBACK")
        assert not examine(repair=True).left

    def test_a_rebuild_and_a_repair_wait_for_each_other(
        self, home: Path, pristine: Path, damage: Damage, examine: Examine
    ) -> None:
        """Else the repair would take the rebuild's vectors for rubbish."""
        damage(f"UPDATE passages SET before = 'x' {_PASSAGE}")
        settings = Settings(home=home, embedder="hashing", reader="sentence")
        with closing(build(settings, busy_seconds=0.05)) as service:
            stray = "INSERT OR IGNORE INTO vectors VALUES (x'00', x'00')"

            calls: list[object] = []

            def meanwhile(progress: object) -> None:
                calls.append(progress)
                if len(calls) > 1:
                    return  # the one transaction at the end
                damage(stray)
                assert faults(examine()) <= {Fault.PASSAGES}
                with pytest.raises(StoreBusy, match="--wait"):
                    examine(repair=True)

            service.rebuilds.run(["other"], meanwhile)
            assert len(calls) == 2
            damage(stray)
            assert faults(examine()) >= {Fault.PASSAGES, Fault.ORPHANS}
            with Overhaul(home, 0.05).held(), pytest.raises(StoreBusy, match="--wait"):
                service.rebuilds.run()
        assert_repaired(home, examine, pristine)

    def test_a_server_follows_a_repair(self, home: Path, damage: Damage, examine: Examine) -> None:
        settings = Settings(home=home, embedder="hashing", reader="sentence")
        with closing(build(settings)) as service:
            asked = service.search("umbrella keys").passages[0].text
            damage("UPDATE passages SET before = 'x' WHERE before = ''")
            assert examine(repair=True).repaired
            assert service.search("umbrella keys").passages[0].text == asked


@pytest.mark.model
def test_the_real_encoder(tmp_path: Path, folder: Path) -> None:
    home = tmp_path / "home"
    settings = Settings(home=home, cache=Settings(home=home).cache, reader="sentence")
    with closing(build(settings)) as service:
        service.ingest([folder])
    with closing(doctor(settings)) as opened:
        assert opened.check(lambda *_: None).left == ()
        with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
            query = "SELECT vector FROM vectors ORDER BY vector_key LIMIT 1"
            vector = bytearray(connection.execute(query).get)
            vector[1::8] = bytes(byte ^ 0x80 for byte in vector[1::8])  # the signs of every fourth
            connection.execute("UPDATE vectors SET vector = ?", (bytes(vector),))
        assert faults(opened.check(lambda *_: None)) == {Fault.VECTORS}
        assert opened.repair(lambda *_: None).left == ()
