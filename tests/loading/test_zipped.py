from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, TooLarge
from rag.loading import zipped
from rag.loading.zipped import is_zip, members
from tests.loading.zips import packed


def refusal(data: bytes) -> str:
    with pytest.raises(FileRefused) as caught:
        members(data)
    return str(caught.value)


@given(st.dictionaries(st.text("abc/é 日.", min_size=1), st.binary(max_size=200), max_size=8))
def test_every_file_comes_out_as_it_went_in(content: dict[str, bytes]) -> None:
    content = {f"x{name}x".replace("..", ""): value for name, value in content.items()}
    found = members(packed(content.items()))
    assert list(found) == list(content)
    assert dict(found) == content
    assert all(name in found for name in content)
    assert "other" not in found
    with pytest.raises(KeyError):
        found["other"]


@pytest.mark.parametrize(
    "name", ["../a", "a/../../b", "a/..", "/etc/passwd", "C:/a", "..\\a", "a\\..\\b", "\\\\host\\a"]
)
def test_a_name_that_leads_outside_is_refused(name: str) -> None:
    assert "which leads outside" in refusal(packed([("a.xml", b"x"), (name, b"x")]))


@pytest.mark.parametrize("name", ["a..b", "...", "a/...", "a:b/c", "日/é"])
def test_a_name_that_only_looks_odd_is_not(name: str) -> None:
    assert dict(members(packed([(name, b"x")]))) == {name: b"x"}


def test_two_files_of_one_name_are_refused() -> None:
    twice = [("word/document.xml", b"shown"), ("word/document.xml", b"hidden")]
    assert "two files of one name" in refusal(packed(twice))


def test_entries_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipped, "MOST_ENTRIES", 20)
    assert len(members(packed((f"{n}", b"") for n in range(20)))) == 20
    with pytest.raises(TooLarge, match="more than 20 files"):
        members(packed((f"{n}", b"") for n in range(21)))


def test_sizes_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipped, "MOST_BYTES", 100)
    assert len(members(packed([("a", bytes(60)), ("b", bytes(40))]))) == 2
    with pytest.raises(TooLarge, match="more than 100 bytes"):
        members(packed([("a", bytes(60)), ("b", bytes(41))]))


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    with pytest.raises(TooLarge, match="more than 100 times"):
        members(packed([("word/document.xml", bytes(300_000_000))]))
    noise = hashlib.shake_256().digest(20_000)
    assert "a" in members(packed([("a", noise * 2 + bytes(1_500_000))]))  # not 100 times
    assert "a" in members(packed([("a", bytes(1_000_000))]))  # 1,000 times, and small


def test_nothing_is_inflated_past_the_size_that_was_declared() -> None:
    data = bytearray(packed([("a", bytes(5_000_000))]))
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 1_000)  # the size it claims
    with pytest.raises(FileRefused, match="'a' in it can't be read"):
        members(bytes(data))["a"]


def encrypted(data: bytearray) -> None:
    data[data.rindex(b"PK\x01\x02") + 8] |= 1


def oddly_compressed(data: bytearray) -> None:
    data[data.rindex(b"PK\x01\x02") + 10] = 14  # LZMA


@pytest.mark.parametrize(
    ("change", "reason"), [(encrypted, "remove the password"), (oddly_compressed, "compressed in")]
)
def test_what_an_entry_says_of_itself(change: Callable[[bytearray], None], reason: str) -> None:
    data = bytearray(packed([("a", b"words")]))
    change(data)
    assert reason in refusal(bytes(data))


def test_a_file_behind_a_password_of_office_is_refused_with_what_to_do() -> None:
    data = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1_000)
    assert is_zip(data)
    assert "remove the password" in refusal(data)


def test_other_content_is_no_zip() -> None:
    assert is_zip(packed([("a", b"x")]))
    assert not any(map(is_zip, (b"", b"PK", b"%PDF-1.7", "Grüße".encode())))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_off_is_refused(share: float) -> None:
    data = packed([("a", hashlib.shake_256().digest(10_000)), ("b", b"x" * 500)])
    assert "fetch it again" in refusal(data[: int(len(data) * share)])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_damage_is_refused_or_changes_nothing_that_is_read(flips: list[tuple[int, int]]) -> None:
    content = {"a": b"some words" * 20, "b/c.xml": bytes(range(256))}
    data = bytearray(packed(content.items()))
    for place, value in flips:
        data[place % len(data)] = value
    try:
        found = dict(members(bytes(data)))
    except FileRefused:
        return
    assert set(found.values()) <= set(content.values())
