"""Named tokens: made, followed, taken back; never kept as they are."""

from __future__ import annotations

import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.access import Access, Tokens
from rag.errors import Conflict, InvalidInput, NotFound, StoreUnreadable


def test_a_token_is_kept_hashed_in_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    secret = tokens.add("page", writes=False, collections=None)
    assert re.fullmatch(r"rag_[A-Za-z0-9_-]{43}", secret)  # 256 bits
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    assert secret.removeprefix("rag_") not in tokens.path.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["tokens.json"]
    assert tokens.access(secret.encode()) == Access("page", writes=False, collections=None)


def test_only_the_very_token_opens(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    assert tokens.access(b"") is None
    secret = tokens.add("page", writes=True, collections=["b", "a", "b"])
    for wrong in ("", secret[:-1], secret + "x", secret.upper(), tokens.all()[0].sha256, "page"):
        assert tokens.access(wrong.encode()) is None
    found = tokens.access(secret.encode())
    assert found == Access("page", writes=True, collections=frozenset({"a", "b"}))
    assert found.sees("a")
    assert not found.sees("c")


def test_another_process_is_followed_at_once(tmp_path: Path) -> None:
    server, owner = Tokens(tmp_path), Tokens(tmp_path)
    assert server.all() == []
    for name in ("one", "two", "six"):  # names of one length: the file's size says nothing
        secret = owner.add(name, writes=False, collections=None)
        assert server.access(secret.encode())
        owner.remove(name)
        assert server.access(secret.encode()) is None


def test_names(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    tokens.add("page", writes=False, collections=None)
    with pytest.raises(Conflict, match="page"):
        tokens.add("page", writes=True, collections=None)
    for name in ("", "-x", "a b", "x" * 64, "a\n", "\u00e9"):
        with pytest.raises(InvalidInput):
            tokens.add(name, writes=False, collections=None)
    with pytest.raises(NotFound):
        tokens.remove("none")
    assert [token.name for token in tokens.all()] == ["page"]


def test_changes_at_the_same_moment_are_all_kept(tmp_path: Path) -> None:
    def add(number: int) -> str:
        return Tokens(tmp_path).add(f"t{number:02}", writes=False, collections=None)

    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(add, range(24)))
    tokens = Tokens(tmp_path)
    assert [token.name for token in tokens.all()] == [f"t{number:02}" for number in range(24)]
    assert all(tokens.access(secret.encode()) for secret in secrets)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"tokens": [{}]}', '{"tokens": 5}', "\xff"])
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, content: str) -> None:
    tokens = Tokens(tmp_path)
    secret = tokens.add("page", writes=True, collections=None)
    tokens.path.write_text(content)
    for ask in (lambda: tokens.access(secret.encode()), tokens.all):
        with pytest.raises(StoreUnreadable, match=r"tokens\.json"):
            ask()


def test_what_is_written_is_json_that_says_what_each_may_do(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    tokens.add("page", writes=True, collections=["b", "a"])
    (row,) = json.loads(tokens.path.read_text())["tokens"]
    assert (row["name"], row["writes"], row["collections"]) == ("page", True, ["a", "b"])
    assert len(row["sha256"]) == 64
