"""What globs and a `.ragignore` leave out of a folder, as git does with a `.gitignore`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from rag.errors import FileRefused, InvalidInput
from rag.loading.choosing import EVERY_FILE, Choice, Globs, choice_in
from rag.loading.files import Found, Refused, walk

LIMIT = 1_000
PATHS = (
    *("a.txt", "b.md", "a/a.txt", "a/b.md", "a/b/c.txt", "a/b/d.md", "b/a.txt", "b/a/b.md"),
    *("c/[x].txt", "c/#1.txt", "c/!2.txt", "c/a b.txt", "c/ä.txt"),
)


def files(*paths: str, root: Path) -> Path:
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("words")
    return root


def kept(root: Path, globs: Globs = EVERY_FILE) -> list[str]:
    entries = list(walk(root, LIMIT, choice_in(root, globs).leaves_out))
    assert all(isinstance(entry, Found) for entry in entries)
    return [entry.source for entry in entries]


def test_without_rules_everything_is_wanted(tmp_path: Path) -> None:
    assert kept(files(*PATHS, root=tmp_path)) == sorted(PATHS)


def test_the_file_of_rules_leaves_out_folders_and_files_and_takes_some_back(tmp_path: Path) -> None:
    files("a.txt", "b.txt", "drafts/c.txt", "sub/a.txt", "sub/drafts/d.txt", root=tmp_path)
    (tmp_path / ".ragignore").write_bytes(b"\xef\xbb\xbf# no drafts\r\ndrafts/\r\n/*.txt\r\n!b.txt")
    assert kept(tmp_path) == ["b.txt", "sub/a.txt"]


def test_what_is_left_out_is_not_refused_for_another_reason(tmp_path: Path) -> None:
    files("a.txt", ".git/config", "photo.jpg", "large.txt", ".ragignore", root=tmp_path)
    (tmp_path / "large.txt").write_text("x" * (LIMIT + 1))
    (tmp_path / ".ragignore").write_text(".git\n*.jpg\nlarge.txt\n")
    assert kept(tmp_path) == ["a.txt"]


def test_include_wants_some_and_exclude_is_stronger(tmp_path: Path) -> None:
    files(*PATHS, root=tmp_path)
    assert kept(tmp_path, Globs(include=("*.md",))) == ["a/b.md", "a/b/d.md", "b.md", "b/a/b.md"]
    globs = Globs(include=("*.md", "/b/"), exclude=("a/b/",))
    assert kept(tmp_path, globs) == ["a/b.md", "b.md", "b/a.txt", "b/a/b.md"]


def test_exclude_goes_on_after_the_file(tmp_path: Path) -> None:
    files("a.txt", "b.txt", root=tmp_path)
    (tmp_path / ".ragignore").write_text("*.txt\n")
    assert kept(tmp_path, Globs(exclude=("!b.txt",))) == ["b.txt"]


def test_a_folder_that_is_left_out_is_not_even_listed(tmp_path: Path) -> None:
    files("a.txt", "closed/b.txt", root=tmp_path)
    if os.geteuid():
        (tmp_path / "closed").chmod(0)
    assert kept(tmp_path, Globs(exclude=("closed",))) == ["a.txt"]
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize("pattern", ["!", "a\\"])
def test_a_pattern_that_is_none_is_named(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"is no pattern: .*\.gitignore"):
        Globs(exclude=(pattern,))
    (tmp_path / ".ragignore").write_text(f"a.txt\n{pattern}\n")
    with pytest.raises(FileRefused, match=r"\.ragignore can't be used, so nothing was changed"):
        choice_in(tmp_path, EVERY_FILE)


def test_a_file_of_rules_that_can_t_be_read_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    rules = tmp_path / "root" / ".ragignore"
    (tmp_path / "outside").write_text("*.txt\n")
    rules.symlink_to(tmp_path / "outside")
    with pytest.raises(FileRefused, match="leaves the folder"):
        choice_in(tmp_path / "root", EVERY_FILE)
    rules.unlink()
    rules.write_bytes(b"caf\xe9.txt\n")
    with pytest.raises(FileRefused, match="can't be used"):
        choice_in(tmp_path / "root", EVERY_FILE)


# Not [!a], which also matches a / in pathspec, and half of an ä in git.
_NAME = st.lists(
    st.sampled_from(["a", "b", "c", "*", "?", "[ab]", ".txt", ".md", "a b", "ä"]),
    min_size=1,
    max_size=3,
).map("".join)
_PATTERN = st.builds(
    lambda before, names, after: before + "/".join(names).replace("**", "*") + after,
    st.sampled_from(["", "", "!", "/", "!/", "**/"]),
    st.lists(_NAME, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", "/**", "/*", " "]),
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    folder = files(*PATHS, root=tmp_path_factory.mktemp("checkout"))
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


_RULES = "--exclude-per-directory=.gitignore"


@settings(max_examples=100, deadline=None)
@given(patterns=st.lists(_PATTERN, max_size=4))
def test_git_leaves_out_the_same(checkout: Path, patterns: list[str]) -> None:
    try:
        choice = Choice(patterns, EVERY_FILE)
    except ValueError:
        return
    (checkout / ".gitignore").write_text("\n".join(patterns) + "\n")
    listed = subprocess.run(
        ["git", "-c", "core.quotepath=false", "ls-files", "-z", "--others", _RULES],
        cwd=checkout, capture_output=True, check=True, text=True,
    )  # fmt: skip
    expected = sorted(set(listed.stdout.split("\0")) - {"", ".gitignore"})
    entries = walk(checkout, LIMIT, choice.leaves_out)
    found = sorted(e.source for e in entries if not isinstance(e, Refused))
    assert found == expected, patterns
    assert found == sorted(path for path in PATHS if not choice.leaves_out_within(path))
