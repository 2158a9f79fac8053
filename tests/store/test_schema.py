"""Indexes of every version of the schema, as the program of that time wrote them."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from embeddings.hashing import HashingEmbedder
from rag.assembly import build
from rag.errors import StoreUnreadable
from rag.settings import Settings
from rag.store.embedded import EmbeddedStore
from rag.store.sqlite import SCHEMA_VERSION

OpenStore = Callable[..., EmbeddedStore]

HERE = Path(__file__).parent
VERSIONS = range(1, SCHEMA_VERSION + 1)
# What `fixtures/make.py` leaves in the index.
TEXTS = {
    ("default", "leave.md"): "# Leave\n\nStaff have 28 days of leave.\n\n## Größe\n\n"
    "At most 5 days move on. \U0001f697",
    ("default", "note.txt"): "Umbrellas are kept at the desk.",
    ("default", "parking.txt"): "The car park closes at 23:15.\n",
    (
        "other",
        "parking.txt",
    ): "The car park closes at 22:30.\r\n\r\nThe barrier's code is 4711.\r\n",
}


def put_fixture(version: int, home: Path) -> None:
    home.mkdir()
    packed = (HERE / f"fixtures/schema-{version}.sqlite.gz").read_bytes()
    (home / "index.sqlite").write_bytes(gzip.decompress(packed))


def contents(home: Path) -> list[list[Any]]:
    """Every row that a program of today sees, and that the file is sound."""
    EmbeddedStore(home).close()
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        assert connection.pragma("integrity_check") == "ok"
        assert connection.pragma("foreign_key_check") is None
        assert connection.pragma("user_version") == SCHEMA_VERSION
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return [
            sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)  # noqa: S608
            for (table,) in tables.fetchall()
        ]


def test_there_is_one_for_each_version() -> None:
    names = {path.name for path in (HERE / "fixtures").glob("*.gz")}
    assert names == {f"schema-{version}.sqlite.gz" for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_asked_and_written_to(version: int, tmp_path: Path) -> None:
    home = tmp_path / "home"
    put_fixture(version, home)
    settings = Settings(home=home, embedder="hashing", reader="sentence")
    with closing(build(settings)) as service:
        for record in service.all_documents():
            document, _ = service.document(record.origin.document_id)
            key = (record.origin.collection, record.origin.source)
            assert document.text == TEXTS[key]
            assert record.origin.text_sha256 == hashlib.sha256(TEXTS[key].encode()).hexdigest()
        assert len(list(service.all_documents())) == len(TEXTS)
        assert service.search("barrier code", 1, "other").passages[0].text.endswith("4711.")
        assert service.search("umbrellas").generation == 4
        report = service.ingest_uploads([("note.txt", b"Umbrellas are kept at the gate.")])
        assert [outcome.status.value for outcome in report.outcomes] == ["replaced"]
        passage = service.search("umbrellas").passages[0]
        assert passage.text == "Umbrellas are kept at the gate."
        assert service.original(passage.citation.origin.document_id).data.endswith(b"gate.")


@pytest.mark.parametrize("version", VERSIONS)
def test_several_processes_open_it_at_once(
    version: int, home: Path, open_embedded: OpenStore
) -> None:
    put_fixture(version, home)
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: open_embedded(), range(8)))
    for store in stores:
        assert {(c.name, c.documents) for c in store.collections()} == {
            ("default", 3),
            ("other", 1),
        }


@pytest.mark.parametrize("version", VERSIONS)
def test_killed_at_each_step_of_the_migration(version: int, tmp_path: Path) -> None:
    template, copies, clean = (tmp_path / name for name in ("template", "copies", "clean"))
    put_fixture(version, template)
    put_fixture(version, clean)
    expected = contents(clean)
    copies.mkdir()
    script = [sys.executable, HERE / "killed_step.py", "rag.store.embedded:EmbeddedStore"]
    subprocess.run([*map(str, script), str(template), str(copies)], check=True)
    killed = sorted(copies.iterdir(), key=lambda path: int(path.name))
    if version < SCHEMA_VERSION:
        assert len(killed) > 5
    for copy in killed:
        assert contents(copy) == expected, copy.name


def test_a_step_that_fails_changes_nothing(home: Path, open_embedded: OpenStore) -> None:
    put_fixture(1, home)
    with closing(apsw.Connection(str(home / "index.sqlite"))) as stranger:
        stranger.execute("CREATE INDEX documents_by_name ON documents (source)")
        with pytest.raises(StoreUnreadable):
            open_embedded()
        assert stranger.pragma("user_version") == 1
        assert not stranger.execute("SELECT 1 FROM sqlite_schema WHERE name = 'originals'").get
        stranger.execute("DROP INDEX documents_by_name")
    open_embedded()


def test_an_old_upload_has_no_bytes_until_it_is_sent_again(
    home: Path, open_embedded: OpenStore
) -> None:
    put_fixture(1, home)
    (note,) = (s for s in open_embedded().stored("default") if s.source == "note.txt")
    assert not note.has_original
    assert open_embedded().original(note.document_id)[1] is None


def test_the_light_embedder_is_still_the_one_of_the_fixtures() -> None:
    assert HashingEmbedder.fingerprint == "hashing-1"
