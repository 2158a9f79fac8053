"""An index of real files, made once and copied for each test that damages it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from rag.assembly import build, doctor
from rag.diagnosing.findings import Diagnosis
from rag.settings import Settings
from rag.store import following
from rag.store.embedded import EmbeddedStore

CORPUS = Path(__file__).parents[2] / "data/corpus"
_FILES = ["leave.md", "travel.html", "equipment.pdf", "parking.txt", "security.pdf"]

Damage = Callable[..., None]
Examine = Callable[..., Diagnosis]


def settings_of(home: Path) -> Settings:
    return Settings(home=home, cache=home.parent / "cache", embedder="hashing", reader="sentence")


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every compaction pays, so that there are caches on disk."""
    monkeypatch.setattr(following, "_REPLAYED_AT_MOST", 0)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for name in _FILES:
        shutil.copy(CORPUS / "handbook" / name, folder)
    return folder


@pytest.fixture(scope="session")
def pristine(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the folder, an upload, and another collection, all with caches on disk."""
    home = tmp_path_factory.mktemp("pristine") / "home"
    with closing(build(settings_of(home))) as service:
        service.ingest_uploads([("note.txt", b"Umbrellas are kept at the desk.\n\nSo are keys.")])
        service.ingest([folder])
        service.ingest([folder / "parking.txt"], "other")
    with pytest.MonkeyPatch.context() as patch, closing(EmbeddedStore(home)) as store:
        patch.setattr(following, "_REPLAYED_AT_MOST", 0)
        for collection in ("default", "other"):
            store.compact(collection)
    return home


@pytest.fixture
def home(pristine: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(pristine, copy)
    return copy


@pytest.fixture
def damage(home: Path) -> Damage:
    """Runs statements over a connection of its own, past every constraint."""

    def run(*statements: str) -> None:
        with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement in statements:
                connection.execute(statement)

    return run


@pytest.fixture
def examine(home: Path) -> Iterator[Examine]:
    """`examine()` checks, `examine(repair=True)` repairs."""
    with closing(doctor(settings_of(home), busy_seconds=0.05)) as opened:

        def run(*, repair: bool = False) -> Diagnosis:
            shown: list[tuple[int, int]] = []

            def show(done: int, total: int) -> None:
                shown.append((done, total))

            diagnosis = opened.repair(show) if repair else opened.check(show)
            assert all(done <= total for done, total in shown)
            return diagnosis

        yield run
