"""`rag token`, and a full index on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from rag.access import Access, Tokens

Run: TypeAlias = Callable[..., Any]


def test_add_list_remove(run: Run, home: Path) -> None:
    ran = run("token", "add", "page", "--write", "--collection", "b", "a")
    secret = ran.out.strip()
    assert ran.status == 0
    assert secret not in ran.err
    expected = Access("page", writes=True, collections=frozenset({"a", "b"}))
    assert Tokens(home).access(secret.encode()) == expected
    other = run("token", "add", "other", "--json").json
    assert (other["name"], other["write"], other["collections"]) == ("other", False, None)
    assert Tokens(home).access(other["token"].encode()) == Access("other", writes=False)
    listed = run("token", "list", "--json").json["tokens"]
    assert [one["name"] for one in listed] == ["other", "page"]
    shown = run("token", "list").out
    assert "a, b" in shown
    assert secret not in shown
    assert run("token", "remove", "page").status == 0
    assert Tokens(home).access(secret.encode()) is None


def test_wrong_usage(run: Run) -> None:
    assert run("token").status == 2
    assert run("token", "add", "two words").status == 2
    assert run("token", "add", "page", "--collection", "Not One").status == 2
    assert run("token", "add", "page").status == 0
    assert run("token", "add", "page").status == 1
    assert run("token", "remove", "none").status == 1


def test_a_full_index_names_the_setting(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "long.txt").write_text("".join(f"Word {n} stands here. " for n in range(9_000)))
    monkeypatch.setenv("RAG_MAX_STORE_MB", "0.1")
    ran = run("ingest", folder)
    assert (ran.status, ran.out) == (1, "")
    assert "RAG_MAX_STORE_MB" in ran.err
    assert run("documents", "--json").json["documents"] == []
    monkeypatch.delenv("RAG_MAX_STORE_MB")
    assert run("ingest", folder).status == 0
