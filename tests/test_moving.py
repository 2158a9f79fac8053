"""Files that were moved or renamed keep what was made of them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis import settings as settings_

from rag import assembly
from rag.entries import SourceFile
from rag.errors import StoreFull
from rag.loading.formats import parse
from rag.moving import moves
from rag.service import Service
from rag.settings import Settings
from rag.store import following
from rag.store.base import Stored
from rag.store.embedded import EmbeddedStore
from rag.types import IngestReport, Outcome, Status
from tests.in_process import InProcessParser


def _settings(home: Path) -> Settings:
    return Settings(home=home, cache=home, embedder="hashing", reader="sentence")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return _settings(tmp_path / "home")


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> InProcessParser:
    made = InProcessParser()
    monkeypatch.setattr(assembly, "Parser", lambda **_: made)
    return made


@pytest.fixture
def service(settings: Settings, parser: InProcessParser) -> Iterator[Service]:  # noqa: ARG001
    with closing(assembly.build(settings)) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, service: Service, parser: InProcessParser) -> Path:
    """Ten files that are indexed, one with a title of its own."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "leave.md").write_text("# Annual leave\n\nStaff have 28 days of leave.\n")
    for number in range(9):
        (folder / f"{number}.txt").write_text(f"Room {number} has the key {number * 7}.\n")
    service.ingest([folder])
    parser.parsed.clear()
    return folder


def _move(folder: Path, old: str, new: str) -> None:
    (folder / new).parent.mkdir(parents=True, exist_ok=True)
    (folder / old).rename(folder / new)


def _told(report: IngestReport) -> list[Outcome]:
    return [outcome for outcome in report.outcomes if outcome.status is not Status.UNCHANGED]


def _faults(settings: Settings) -> list[str]:
    with closing(assembly.doctor(settings)) as doctor:
        return [finding.what for finding in doctor.check(lambda *_: None).left]


def _is_clean(service: Service, settings: Settings) -> bool:
    service._compacting.submit(int).result()
    return not _faults(settings)


def test_a_file_in_another_folder_is_neither_parsed_nor_encoded(
    service: Service, settings: Settings, folder: Path, parser: InProcessParser
) -> None:
    old_id = service.find("3.txt")
    _move(folder, "3.txt", "rooms/3.txt")
    report = service.ingest([folder])
    (outcome,) = _told(report)
    new_id = service.find("rooms/3.txt")
    assert outcome == Outcome("rooms/3.txt", Status.MOVED, new_id, "was at 3.txt", size=23)
    assert (report.encoded, report.reused, report.changed) == (0, 1, True)
    assert parser.parsed == []
    assert new_id != old_id
    assert {record.origin.document_id for record in service.all_documents()}.isdisjoint({old_id})
    citation = service.ask("Which key has room 3?").answers[0].citation
    assert (citation.origin.source, citation.origin.document_id) == ("rooms/3.txt", new_id)
    assert _is_clean(service, settings)
    assert service.ingest([folder]).count(Status.UNCHANGED) == 10


def test_a_name_that_was_no_title_changes_nothing_that_is_encoded(
    service: Service, settings: Settings, folder: Path, parser: InProcessParser
) -> None:
    _move(folder, "leave.md", "holidays.md")
    report = service.ingest([folder])
    assert [(o.status, o.reason) for o in _told(report)] == [(Status.MOVED, "was at leave.md")]
    assert (report.encoded, report.reused, parser.parsed) == (0, 1, [])
    (title,) = {r.origin.title for r in service.all_documents() if r.origin.source == "holidays.md"}
    assert title == "Annual leave"
    assert _is_clean(service, settings)


def test_a_name_that_was_the_title_is_encoded_anew(
    service: Service, settings: Settings, folder: Path
) -> None:
    _move(folder, "3.txt", "third room.txt")
    report = service.ingest([folder])
    assert [(o.status, o.reason) for o in _told(report)] == [
        (Status.MOVED, "was at 3.txt; encoded anew, for its title was its name")
    ]
    assert (report.encoded, report.reused) == (1, 0)
    document, _ = service.document(service.find("third room.txt"))
    assert document.origin.title == "third room"
    assert _is_clean(service, settings)


def test_a_title_that_is_also_the_name_is_asked_of_the_file(
    service: Service, folder: Path, parser: InProcessParser
) -> None:
    (folder / "Fire.md").write_text("# Fire\n\nLeave by the stairs.\n")
    service.ingest([folder])
    _move(folder, "Fire.md", "alarm.md")
    parser.parsed.clear()
    report = service.ingest([folder])
    assert [(o.status, o.reason) for o in _told(report)] == [(Status.MOVED, "was at Fire.md")]
    assert (report.encoded, parser.parsed) == (0, ["alarm.md"])
    assert service.document(service.find("alarm.md"))[0].origin.title == "Fire"


def test_another_extension_is_another_reader(
    service: Service, settings: Settings, folder: Path, parser: InProcessParser
) -> None:
    _move(folder, "leave.md", "leave.txt")
    report = service.ingest([folder])
    assert [o.status for o in _told(report)] == [Status.MOVED]
    assert parser.parsed == ["leave.txt"]
    document, _ = service.document(service.find("leave.txt"))
    assert (document.origin.title, document.headings) == ("leave", ())
    assert _is_clean(service, settings)


def test_most_of_a_folder_may_be_moved_without_being_told(service: Service, folder: Path) -> None:
    for number in range(9):
        _move(folder, f"{number}.txt", f"rooms/{number}.txt")
    report = service.ingest([folder])
    assert (report.count(Status.MOVED), report.encoded) == (9, 0)
    for number in range(4):  # 3 of them are gone, which is 30 %
        (folder / f"rooms/{number}.txt").unlink()
    _move(folder, "rooms/8.txt", "8.txt")
    report = service.ingest([folder])
    assert [o.status for o in report.outcomes] == [Status.REFUSED]
    (folder / "rooms" / "0.txt").write_text("Room 0 has the key 0.\n")
    report = service.ingest([folder])
    assert (report.count(Status.MOVED), report.count(Status.REMOVED)) == (1, 3)


def test_a_file_that_was_moved_and_changed_is_another_one(service: Service, folder: Path) -> None:
    _move(folder, "3.txt", "rooms/3.txt")
    (folder / "rooms/3.txt").write_text("Room 3 has the key 22.\n")
    report = service.ingest([folder])
    assert {o.source: o.status for o in _told(report)} == {
        "3.txt": Status.REMOVED,
        "rooms/3.txt": Status.ADDED,
    }


def test_a_copy_is_not_moved(service: Service, folder: Path) -> None:
    (folder / "copies").mkdir()
    shutil.copy(folder / "3.txt", folder / "copies" / "3.txt")
    (folder / "4.txt").unlink()
    report = service.ingest([folder])
    assert {o.source: o.status for o in _told(report)} == {
        "copies/3.txt": Status.ADDED,
        "4.txt": Status.REMOVED,
    }


def test_a_moved_file_that_is_named_before_its_folder_is_added(
    service: Service, settings: Settings, folder: Path
) -> None:
    _move(folder, "3.txt", "rooms/3.txt")
    report = service.ingest([folder / "rooms" / "3.txt", folder])
    assert {o.source: o.status for o in _told(report)} == {
        "3.txt": Status.REMOVED,
        "rooms/3.txt": Status.ADDED,
    }
    assert _is_clean(service, settings)


def test_a_file_that_changes_after_it_was_found_is_new(
    service: Service, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _move(folder, "3.txt", "rooms/3.txt")

    def then_changed(*given: Any) -> dict[str, Stored]:
        found = moves(*given)
        (folder / "rooms/3.txt").write_text("Changed.\n")
        return found

    monkeypatch.setattr("rag.syncing.moves", then_changed)
    assert [o.status for o in _told(service.ingest([folder]))] == [Status.ADDED]
    monkeypatch.undo()
    assert [o.source for o in _told(service.ingest([folder]))] == ["3.txt"]
    assert _is_clean(service, settings)


def test_a_move_is_all_or_nothing(
    service: Service, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_id = service.find("3.txt")
    _move(folder, "3.txt", "rooms/3.txt")

    def full(*_: object) -> None:
        raise StoreFull("no room")

    monkeypatch.setattr("rag.store.embedded.put_document", full)
    with pytest.raises(StoreFull):
        service.ingest([folder])
    monkeypatch.undo()
    assert service.find("3.txt") == old_id
    assert _is_clean(service, settings)
    assert service.ingest([folder]).count(Status.MOVED) == 1


def test_a_moved_file_that_can_t_be_read_keeps_its_former_version(
    service: Service, folder: Path, parser: InProcessParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_id = service.find("3.txt")
    _move(folder, "3.txt", "third.txt")
    monkeypatch.setattr(parser, "parse", lambda *_: parse("third.txt", b"\0"))
    (outcome,) = _told(service.ingest([folder]))
    assert (outcome.status, outcome.document_id) == (Status.REFUSED, old_id)
    assert "its former version stays indexed" in (outcome.reason or "")
    monkeypatch.undo()
    assert [o.status for o in _told(service.ingest([folder]))] == [Status.MOVED]


def test_a_damaged_document_is_read_again_from_its_file(
    service: Service, settings: Settings, folder: Path, parser: InProcessParser
) -> None:
    store = service._store
    assert isinstance(store, EmbeddedStore)
    with store._database.write() as connection:
        connection.execute("UPDATE documents SET text = 'x' WHERE source = '3.txt'")
    _move(folder, "3.txt", "rooms/3.txt")
    assert [o.status for o in _told(service.ingest([folder]))] == [Status.MOVED]
    assert parser.parsed == ["rooms/3.txt"]
    assert _is_clean(service, settings)


def _stored(source: str, sha256: str, size: int | None = 1) -> Stored:
    return Stored(f"id of {source}", "/r", source, sha256, "text/1", "split/1", False, "t", size)


def _file(source: str, data: bytes) -> SourceFile:
    return SourceFile("/r", source, len(data), lambda: data)


def test_each_document_goes_to_one_file_and_first_to_that_of_its_name() -> None:
    sha256 = hashlib.sha256(b"x").hexdigest()
    vanished = [_stored("a/1.txt", sha256), _stored("a/2.txt", sha256), _stored("b.txt", "other")]
    new = [_file("c/0.txt", b"x"), _file("c/1.txt", b"x"), _file("c/9.txt", b"x")]
    found = moves(vanished, new)
    assert {new: old.source for new, old in found.items()} == {
        "c/0.txt": "a/2.txt",
        "c/1.txt": "a/1.txt",
    }


def test_only_files_of_a_size_that_has_vanished_are_read() -> None:
    def unread() -> bytes:
        raise AssertionError

    assert moves([_stored("a.txt", "x", 3)], [SourceFile("/r", "b.txt", 4, unread)]) == {}
    assert moves([], [SourceFile("/r", "b.txt", 4, unread)]) == {}
    with pytest.raises(AssertionError):
        moves([_stored("a.txt", "x", None)], [SourceFile("/r", "b.txt", 4, unread)])


_SOURCE = st.builds(
    lambda above, name, extension: f"{above}{name}.{extension}",
    st.sampled_from(["", "a/", "a/b/"]),
    st.sampled_from("vwxyz"),
    st.sampled_from(["txt", "md"]),
)
_TEXT = st.sampled_from([*"vwxyz"]).map(lambda word: f"# {word}\n\nThe key hangs at hook {word}.\n")
_TREE = st.dictionaries(_SOURCE, _TEXT, max_size=8)


def _write(folder: Path, tree: dict[str, str]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for source, text in tree.items():
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        (folder / source).write_text(text)
    folder.mkdir(exist_ok=True)
    return folder


def _contents(service: Service) -> Any:
    """Documents, and passages as they are found, without what differs between two indexes."""
    service._compacting.submit(int).result()
    documents = [service.document(r.origin.document_id)[0] for r in service.all_documents()]
    found = service.search("Where does the key hang?", top_k=100) if documents else None
    cited = sorted(
        (c.origin.source, c.span, c.quote, c.heading, round(p.score, 5))
        for p in (found.passages if found else ())
        for c in (p.citation, *p.also_in)
    )
    return documents, cited


@settings_(max_examples=40, deadline=None)
@given(before=_TREE, after=_TREE)
def test_whatever_was_moved_the_index_is_that_of_a_clean_build(
    before: dict[str, str], after: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "Parser", InProcessParser)
        for limit in ("_REPLAYED_AT_MOST", "_REPLAYED_SHARE", "_DEAD_SHARE"):
            patch.setattr(following, limit, -1)  # words of removed passages count until then
        folder, moved, clean = (Path(made) / name for name in ("folder", "moved", "clean"))
        with closing(assembly.build(_settings(moved))) as service:
            service.ingest([_write(folder, before)])
            _write(folder, after)
            foreseen = assembly.forecast(_settings(moved), [folder], "default", prune=True)
            report = service.ingest([folder], prune=True)
            assert [(o.source, o.status) for o in foreseen.report.outcomes] == [
                (o.source, o.status) for o in report.outcomes
            ]
            contents = _contents(service)
        assert not _faults(_settings(moved))
        with closing(assembly.build(_settings(clean))) as service:
            service.ingest([folder])
            assert _contents(service) == contents
