"""When a watch finds a sync due: scripted changes in place of the system's."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import pytest
from watchfiles import Change

from rag import watching
from rag.errors import RagError
from rag.loading.choosing import Globs
from rag.watching import Watch

Batch: TypeAlias = set[tuple[Change, str]]
Scripted: TypeAlias = Callable[..., Watch]

_REST: Batch = set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def scripted(
    folder: Path, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> Scripted:
    """A watch whose changes are these batches, one list after each start."""

    def make(*starts: list[Batch]) -> Watch:
        following = iter(starts)

        def changes(_: Watch) -> Generator[Batch, None, None]:
            yield from next(following, [])
            raise _Over

        monkeypatch.setattr(Watch, "_changes", changes)
        monkeypatch.setattr(watching, "_REST_SECONDS", 0)
        return Watch([folder], tmp_path / "home", Globs(), said.append)

    return make


class _Over(Exception):
    """The script has ended."""


def _syncs(due: Iterator[None]) -> int:
    count = 0
    try:
        for _ in due:
            count += 1
    except _Over:
        return count
    raise AssertionError("a watch never ends by itself")


def _changed(folder: Path) -> Batch:
    return {(Change.modified, str(folder / "a.txt"))}


def test_the_first_sync_needs_no_change(scripted: Scripted) -> None:
    assert _syncs(scripted([_REST, _REST, _REST]).due()) == 1


def test_changes_are_waited_for_until_they_rest(scripted: Scripted, folder: Path) -> None:
    one = _changed(folder)
    assert _syncs(scripted([one, one, one]).due()) == 0
    assert _syncs(scripted([one, one, _REST, _REST]).due()) == 1
    assert _syncs(scripted([_REST, one, one, _REST, _REST, one, _REST]).due()) == 3


def test_changes_without_end_are_not_waited_for(
    scripted: Scripted, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_LATEST_SECONDS", -1)
    assert _syncs(scripted([_changed(folder)] * 4).due()) == 4


def test_no_sync_while_the_folder_is_gone(
    scripted: Scripted, folder: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.watching.time.sleep", lambda _: folder.mkdir())
    due = scripted([_REST, _changed(folder), _REST], [_REST]).due()
    next(due)
    folder.rmdir()
    next(due)
    assert said == [
        f"{folder} is gone: nothing is forgotten, and it is waited for",
        f"{folder} is back",
    ]


def test_another_folder_in_its_place_is_watched_anew(
    scripted: Scripted, folder: Path, said: list[str]
) -> None:
    deleted = {(Change.deleted, str(folder))}
    assert _syncs(scripted([_REST, deleted, _REST], [_REST]).due()) == 2
    due = scripted([_REST, _REST], [_REST]).due()
    next(due)
    folder.rename(folder.with_name("former"))
    folder.mkdir()
    assert list(islice(due, 1)) == [None]
    assert said == []


def test_what_the_system_can_t_watch_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Generator[Batch, None, None]:
        yield from ()
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr(watching, "watch", full)
    with pytest.raises(RagError, match=r"watch limit reached.*max_user_watches"):
        next(Watch([folder], folder / "home", Globs(), print).due())


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("", True),
        ("a.txt", True),
        ("sub/a.txt", True),
        (".ragignore", True),
        ("sub/.ragignore", False),
        (".git/index.txt", False),
        ("index/caches/x", False),
        ("drafts/a.txt", False),
        ("drafts", False),
        ("b.log", False),
        ("c.pdf", True),  # it is gone: perhaps it was a folder
        ("there.pdf", False),
        ("../a.txt", False),
    ],
)
def test_what_counts(folder: Path, path: str, counts: bool) -> None:
    (folder / ".ragignore").write_text("drafts/\n*.log\n")
    (folder / "there.pdf").write_text("")
    watch = Watch([folder], folder / "index", Globs(include=("*.txt",)), print)
    watch._choices = {folder: watch._choice(folder)}
    changed = folder.parent / path[3:] if path.startswith("../") else folder / path
    assert watch._counts(Change.modified, str(changed)) is counts
