"""Encoding anew: the former model answers, whole, until the one moment at which the other does."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest

from embeddings.base import Embedder
from embeddings.hashing import HashingEmbedder
from rag import rebuilding, splitting
from rag.assembly import build
from rag.errors import Conflict, ModelMismatch, ModelUnavailable, StoreBusy
from rag.rebuilding import Rebuilt
from rag.service import Service
from rag.settings import Settings
from rag.store.embedded import EmbeddedStore

STORE = Path(__file__).parent / "store"
Turned = runpy.run_path(str(STORE / "killed_work.py"))["Turned"]
MODELS: dict[str, type[Any]] = {"hashing": HashingEmbedder, "turned": Turned}
QUESTION = "Which number has the locker?"
Open = Callable[..., Service]


def load(name: str) -> Embedder:
    if name not in MODELS:
        raise ModelUnavailable(f"no {name}")
    embedder: Embedder = MODELS[name]()
    return embedder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def open_with(home: Path) -> Iterator[Open]:
    """`open_with("turned")` is a service of that model over `home`, or over another folder."""
    opened: list[Service] = []

    def open_service(
        model: str, folder: Path = home, load: Callable[[str], Embedder] = load
    ) -> Service:
        made = build(Settings(home=folder, embedder="hashing", reader="sentence"), 0.1)
        opened.append(made)
        opened.append(Service(replace(made._parts, embedder=model, load_embedder=load)))
        return opened[-1]

    yield open_service
    for service in reversed(opened):
        service.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(6):
        words = f"The locker of room {number} has the number {number}7. " * 9
        (folder / f"{number}.txt").write_text(f"{words}\n\nIts key hangs at hook {number}.\n")
    return folder


def contents(home: Path) -> list[list[Any]]:
    """What questions are answered from, without the marks of when it was written."""
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "SELECT document_id, text, splitter, passages FROM documents ORDER BY 1",
                'SELECT document_id, ordinal, start, "end", text, before, after, vector_key '
                "FROM passages ORDER BY 1, 2",
                "SELECT vector_key, vector FROM vectors ORDER BY 1",
                "SELECT name, embedder FROM collections ORDER BY 1",
            )
        ]


def shown(service: Service) -> tuple[list[str], int, str]:
    reply = service.search(QUESTION, 100)
    return [passage.text for passage in reply.passages], reply.generation, reply.embedder


def test_the_former_model_answers_until_the_other_does(
    open_with: Open, folder: Path, home: Path, tmp_path: Path
) -> None:
    open_with("hashing").ingest([folder])
    service = open_with("turned")
    before, cut = shown(service), len(contents(home)[1])
    assert before[1:] == (1, "hashing-1")
    assert service.rebuilds.outdated() == ["default"]
    assert service.rebuilds.unanswerable() == []
    seen: list[Rebuilt] = []

    def watch(progress: Rebuilt) -> None:
        assert service.rebuilds.current == progress
        assert shown(service) == before
        seen.append(progress)

    assert service.rebuilds.run(["default"], watch) > 0
    assert seen[:6] == [Rebuilt("default", number, 6) for number in range(1, 7)]
    assert service.rebuilds.current is None
    passages, generation, embedder = shown(service)
    assert (generation, embedder) == (2, "turned-1")
    assert len(contents(home)[1]) > cut  # this one takes shorter passages
    assert service.rebuilds.outdated() == []

    clean = open_with("turned", tmp_path / "clean")
    clean.ingest([folder])
    assert contents(home) == contents(tmp_path / "clean")
    assert shown(clean)[0] == passages


def test_what_is_written_meanwhile_is_encoded_too(
    open_with: Open, folder: Path, home: Path, tmp_path: Path
) -> None:
    open_with("hashing").ingest([folder])
    service = open_with("turned")
    (folder / "new.txt").write_text("The locker of the gate has the number 99.\n")
    (folder / "0.txt").write_text("The locker of room 0 has no number any more.\n")
    (folder / "5.txt").unlink()
    calls: list[Rebuilt] = []

    def watch(progress: Rebuilt) -> None:
        calls.append(progress)
        if len(calls) == 6:  # the last one before the first try to commit
            service.ingest([folder])
            assert "turned" not in shown(service)[2]

    service.rebuilds.run(None, watch)
    clean = open_with("turned", tmp_path / "clean")
    clean.ingest([folder])
    assert contents(home) == contents(tmp_path / "clean")
    assert shown(service)[0] == shown(clean)[0]
    assert len(shown(service)[0]) > 6


def test_others_that_never_stop_writing_are_named(
    open_with: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_with("hashing").ingest([folder])
    service = open_with("turned")
    before = shown(service)[0]
    monkeypatch.setattr(rebuilding._Rebuild, "stage", lambda _: None)
    with pytest.raises(StoreBusy):
        service.rebuilds.run()
    assert shown(service)[0] == before


def test_a_service_of_the_former_model_goes_on_after_the_change(
    open_with: Open, folder: Path
) -> None:
    former = open_with("hashing")
    former.ingest([folder])
    open_with("turned").rebuilds.run()
    assert shown(former)[1:] == (2, "turned-1")
    (folder / "new.txt").write_text("The locker of the gate has the number 99.\n")
    assert former.ingest([folder]).encoded == 1
    assert shown(former)[2] == "turned-1"


def test_a_rebuild_that_ends_while_a_file_is_encoded(open_with: Open, folder: Path) -> None:
    other = open_with("turned")

    class Slow(HashingEmbedder):
        def embed_passages(self, texts: Any) -> Any:
            other.rebuilds.run()
            return super().embed_passages(texts)

    open_with("hashing").ingest([folder])
    service = open_with("hashing", load=lambda name: Slow() if name == "hashing" else load(name))
    upload = [("new.txt", b"The locker of the gate has the number 99.")]
    with pytest.raises(StoreBusy, match="try again"):
        service.ingest_uploads(upload)
    assert service.ingest_uploads(upload).encoded == 1
    assert shown(service)[2] == "turned-1"


def test_a_model_that_is_gone(open_with: Open, folder: Path, monkeypatch: Any) -> None:
    open_with("turned").ingest([folder])
    loaded: list[str] = []

    def load_one(name: str) -> Embedder:
        loaded.append(name)
        return load(name)

    monkeypatch.delitem(MODELS, "turned")
    service = open_with("hashing", load=load_one)
    for _ in range(3):
        with pytest.raises(ModelMismatch, match="rag rebuild"):
            service.ask(QUESTION)
        with pytest.raises(ModelMismatch, match="rag rebuild"):
            service.ingest([folder])
    assert loaded == ["hashing", "turned"]
    assert service.rebuilds.unanswerable() == service.rebuilds.outdated() == ["default"]
    service.rebuilds.run()
    assert shown(service)[2] == "hashing-1"
    assert service.rebuilds.unanswerable() == []


def test_a_name_that_means_another_model_by_now(
    open_with: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_with("turned").ingest([folder])
    monkeypatch.setitem(MODELS, "turned", type("Updated", (Turned,), {"fingerprint": "turned-2"}))
    with pytest.raises(ModelMismatch):
        open_with("hashing").ask(QUESTION)
    with pytest.raises(ModelMismatch):
        open_with("turned").ask(QUESTION)


def test_new_rules_of_cutting_encode_nothing_twice(
    open_with: Open, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = open_with("hashing")
    service.ingest([folder])
    before = shown(service)[0]
    assert service.rebuilds.outdated() == []
    monkeypatch.setattr(splitting, "_RULES", "split/next")
    assert service.rebuilds.outdated() == ["default"]
    assert shown(service)[0] == before
    assert service.rebuilds.run(["default"]) == 0
    assert service.rebuilds.outdated() == []
    assert shown(service)[0] == before
    assert {row[2] for row in contents(home)[0]} == {"split/next 256"}


def test_a_document_that_the_other_model_can_not_take_is_named(
    open_with: Open, folder: Path
) -> None:
    open_with("hashing").ingest([folder])

    class Tiny(HashingEmbedder):
        fingerprint = "tiny-1"
        max_tokens = 3

    service = open_with("tiny", load=lambda name: Tiny() if name == "tiny" else load(name))
    before = shown(service)
    with pytest.raises(Conflict, match=r"0\.txt can't be encoded by this model"):
        service.rebuilds.run()
    assert shown(service) == before
    assert service.rebuilds.current is None


def test_a_folder_is_noted_by_its_whole_path(
    open_with: Open, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    service = open_with("model", load=lambda _: HashingEmbedder())
    service.ingest([folder])
    assert service._store.model("hashing-1") == str(tmp_path / "model")


def test_killed_at_each_step(open_with: Open, folder: Path, home: Path, tmp_path: Path) -> None:
    """Whatever is left is one model's index or the other's, and the next try ends it."""
    service = open_with("hashing")
    service.ingest([folder])
    service.close()
    template, copies, other = (tmp_path / name for name in ("template", "copies", "other"))
    copies.mkdir()
    shutil.copytree(home, template)
    anew = open_with("turned", other)
    anew.ingest([folder])
    script = [sys.executable, STORE / "killed_step.py", "killed_work:encode_anew"]
    subprocess.run([*map(str, script), template, copies], check=True, timeout=120)
    killed = sorted(copies.iterdir(), key=lambda path: int(path.name))
    models = []
    for copy in killed:
        documents, passages, vectors, collections = contents(copy)
        of = contents(home if collections == [("default", "hashing-1")] else other)
        assert [documents, passages, collections] == [of[0], of[1], of[3]]
        assert set(vectors) >= set(of[2])  # and perhaps some that were to be used
        models.append(collections[0][1])
        if len(models) % 3 == 0:
            with closing(EmbeddedStore(copy)) as store:
                rebuilding.rebuild(store, Turned(), "default")
            assert contents(copy) == contents(other)
    assert models == sorted(models)
    assert set(models) == {"hashing-1", "turned-1"}
