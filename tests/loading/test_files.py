from __future__ import annotations

import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from rag.errors import FileRefused, NotFound, TooLarge
from rag.loading.files import Found, Refused, read_bytes, walk
from rag.loading.formats import EXTENSIONS

LIMIT = 100


def sources(root: Path) -> list[str]:
    return [entry.source for entry in walk(root, LIMIT)]


def reasons(root: Path) -> dict[str, str]:
    return {entry.source: entry.reason for entry in walk(root, LIMIT) if isinstance(entry, Refused)}


def write(root: Path, *paths: str, content: str = "words") -> None:
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)


def test_every_file_once_in_the_order_of_the_paths(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "a/z.md", "a.txt", "a-b/c.html", "a/y/x.pdf", "ä.txt", "B.TXT")
    found = list(walk(tmp_path, LIMIT))
    expected = ["B.TXT", "a-b/c.html", "a.txt", "a/y/x.pdf", "a/z.md", "b.txt", "ä.txt"]
    assert expected == sorted(expected)
    assert found == [Found(source, 5) for source in expected]


def test_a_hidden_folder_is_refused_once_and_not_entered(tmp_path: Path) -> None:
    write(tmp_path, ".git/config.txt", ".git/x.md", ".hidden.txt", "a.txt")
    assert sources(tmp_path) == [".git", ".hidden.txt", "a.txt"]
    assert all("hidden" in reason for reason in reasons(tmp_path).values())


def test_unknown_formats_are_refused_with_what_is_supported(tmp_path: Path) -> None:
    write(tmp_path, "a.xyz", "README")
    given = reasons(tmp_path)
    known = ", ".join(sorted(EXTENSIONS))
    assert given["a.xyz"] == f"unsupported format .xyz; supported: {known}"
    assert "no extension" in given["README"]


def test_a_lock_of_office_is_no_document(tmp_path: Path) -> None:
    write(tmp_path, "plan~$.txt", "~plan.txt", "~$plan.docx", "a/~$b.txt", ".~lock.plan.odt#")
    given = reasons(tmp_path)
    assert set(given) == {"~$plan.docx", "a/~$b.txt", ".~lock.plan.odt#"}
    assert given["~$plan.docx"] == given["a/~$b.txt"]
    assert given["~$plan.docx"].startswith("no document: a lock that Office leaves")


def test_large_files_are_refused_from_one_byte_over(tmp_path: Path) -> None:
    write(tmp_path, "full.txt", content="x" * LIMIT)
    write(tmp_path, "over.txt", content="x" * (LIMIT + 1))
    reason = "larger than 0.0001 MB: split it, or raise RAG_MAX_FILE_MB"
    assert reasons(tmp_path) == {"over.txt": reason}
    assert len(read_bytes(tmp_path, "full.txt", LIMIT)) == LIMIT
    with pytest.raises(TooLarge):
        read_bytes(tmp_path, "over.txt", LIMIT)


def test_a_file_of_a_gigabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "dump.txt").open("wb") as file:
        file.truncate(10**9)
    tracemalloc.start()
    refused = list(walk(tmp_path, 50_000_000))
    with pytest.raises(TooLarge):
        read_bytes(tmp_path, "dump.txt", 50_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    reason = "larger than 50 MB: split it, or raise RAG_MAX_FILE_MB"
    assert refused == [Refused("dump.txt", reason, 10**9)]
    assert peak < 1_000_000


def test_links_stay_inside_or_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(tmp_path, "secret.txt", "root/folder/inner.txt")
    links = {
        "inside.txt": "folder/inner.txt",
        "out.txt": "../secret.txt",
        "absolute.txt": str(tmp_path / "secret.txt"),
        "up": "..",
        "self": ".",
        "again": "folder",
        "nothing.txt": "gone.txt",
        "circle.txt": "circle.txt",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    given = reasons(root)
    assert [e.source for e in walk(root, LIMIT) if isinstance(e, Found)] == [
        "folder/inner.txt",
        "inside.txt",
    ]
    assert set(given) == set(links) - {"inside.txt"}
    assert all("leaves the folder" in given[name] for name in ("out.txt", "absolute.txt", "up"))
    assert "link to a folder" in given["self"]
    assert "link to a folder" in given["again"]
    assert given["nothing.txt"] == "a link to nothing"
    assert "circle" in given["circle.txt"]
    assert read_bytes(root, "inside.txt", LIMIT) == b"words"
    for name in given:
        with pytest.raises(FileRefused):
            read_bytes(root, name, LIMIT)


def test_special_files_are_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.txt"))
        given = reasons(tmp_path)
    assert set(given) == {"pipe.txt", "socket.txt"}
    for name in given:
        assert "no regular file" in given[name]
        with pytest.raises(FileRefused):
            read_bytes(tmp_path, name, LIMIT)


@pytest.mark.parametrize(
    "source",
    ["../secret.txt", "/etc/passwd", "a/../../secret.txt", "gone.txt", "folder", "", ".", "a\0b"],
)
def test_nothing_outside_is_opened(tmp_path: Path, source: str) -> None:
    root = tmp_path / "root"
    write(tmp_path, "secret.txt", "root/folder/inner.txt")
    with pytest.raises(FileRefused):
        read_bytes(root, source, LIMIT)


def test_reasons_hold_no_path_of_the_machine(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        read_bytes(tmp_path, "gone.txt", LIMIT)
    assert str(tmp_path) not in str(caught.value)


def test_a_name_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("words")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert reasons(tmp_path) == {"caf\\xe9.txt": "its name is not valid UTF-8; rename it"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "closed/b.txt")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "closed").chmod(0)
    assert set(reasons(tmp_path)) == {"a.txt", "closed"}
    (tmp_path / "closed").chmod(0o700)


def test_a_missing_folder_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        list(walk(tmp_path / "gone", LIMIT))
