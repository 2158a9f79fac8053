"""JSON lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused
from rag.loading.formats import parse
from rag.types import Parsed
from tests.loading import texts


def read(*records: Any, name: str = "a.jsonl") -> Parsed:
    return parse(name, "\n".join(json.dumps(r, ensure_ascii=False) for r in records).encode())


def blocks(*records: Any) -> list[str]:
    return texts.blocks(read(*records))


_words = st.text(st.sampled_from("abcé \",;|\t\n\r'&:{}\u2028\U0001f600"), max_size=20)
_plain = st.one_of(
    st.none().map(lambda _: (None, "")),
    st.booleans().map(lambda value: (value, str(value).lower())),
    st.integers().map(lambda value: (value, str(value))),
    _words.map(lambda words: (f"x{words}z", " ".join(f"x{words}z".split()))),
)


@st.composite
def _records(draw: st.DrawFn) -> tuple[list[Any], list[str]]:
    """Objects, and the paragraphs that they must come out as; a number makes each unique."""
    records, expected = [], []
    for number in range(draw(st.integers(1, 6))):
        record: dict[str, Any] = {"n": number}
        fields = [f"n: {number}"]
        for key in draw(st.lists(st.sampled_from("abcdef"), unique=True)):
            (one, first), (two, second) = draw(_plain), draw(_plain)
            kind = draw(st.sampled_from(["plain", "list", "object", "objects"]))
            value, named = {
                "plain": (one, [(key, first)]),
                "list": ([one, two], [(key, ", ".join(filter(None, [first, second])))]),
                "object": ({"x": one, "y": {"z": two}}, [(f"{key}.x", first),
                                                         (f"{key}.y.z", second)]),
                "objects": ([{"x": one}, two], [(f"{key}.1.x", first), (f"{key}.2", second)]),
            }[kind]  # fmt: skip
            record[key] = value
            fields += [f"{name}: {words}" for name, words in named if words]
        if draw(st.booleans()):
            record["text"] = f"Text {number}.\n\nMore of {number}."
            expected += [f"Text {number}.", f"More of {number}."]
        records.append(record)
        expected.append("; ".join(fields))
    return records, expected


@settings(deadline=None)
@given(_records())
def test_every_object_arrives_once_and_in_order(case: tuple[list[Any], list[str]]) -> None:
    records, expected = case
    assert blocks(*records) == expected


def test_a_text_is_prose_under_its_title() -> None:
    first = {"_id": "7", "title": "Leave\nof absence", "text": "28 days.\n\nFive more.", "year": 24}
    parsed = read(first, {"title": "No text", "text": None}, {"text": "Alone."})
    assert parsed.text == (
        "Leave of absence\n\n28 days.\n\nFive more.\n\n_id: 7; year: 24\n\ntitle: No text\n\nAlone."
    )
    assert [(h.level, h.text) for h in parsed.headings] == [(1, "Leave of absence")]
    assert (parsed.loader, parsed.title) == ("jsonl/1", None)


def test_numbers_stay_as_they_are_written() -> None:
    digits = "9" * 6_000
    data = b'{"a": 1.50, "b": 1e3, "c": -0, "d": NaN, "e": %s}' % digits.encode()
    assert parse("a.ndjson", data).text == f"a: 1.50; b: 1e3; c: -0; d: NaN; e: {digits}"


def test_a_key_that_comes_twice_hides_nothing() -> None:
    data = b'{"a": 1, "a": 2, "text": "one", "text": "two"}'
    assert parse("a.jsonl", data).text == "two\n\na: 1; a: 2; text: one"


def test_blank_lines_and_line_ends_of_any_kind() -> None:
    data = '\ufeff{"a": "x\u2028y"}\r\n\r\n  \n{"b": 2}\n'.encode()
    assert parse("a.jsonl", data).text == "a: x y\n\nb: 2"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1', "line 3 is no JSON: expecting ',' delimiter at column 8; correct it"),
        ("[1, 2]", "line 3 holds no object in braces; correct it or take it out"),
        ('"words"', "line 3 holds no object in braces"),
        ('{"a": "\x01"}', "line 3 is no JSON: invalid control character"),
        ("[" * 100_000, "line 3 nests too deep; flatten it"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "line 3 nests too deep; flatten it"),
    ],
)
def test_a_bad_line_is_told_by_its_number(line: str, reason: str) -> None:
    with pytest.raises(FileRefused) as refused:
        parse("a.jsonl", f'{{"a": 1}}\n\n{line}\n{{"b": 2}}'.encode())
    assert str(refused.value).startswith(reason)


def test_objects_just_within_the_depth_that_can_be_read() -> None:
    data = '{"a":' * 400 + "1" + "}" * 400
    assert parse("a.jsonl", data.encode()).text == ".".join("a" * 400) + ": 1"


def test_controls_and_lone_surrogates_vanish() -> None:
    assert parse("a.jsonl", b'{"a\\u0000": "\\ud800x\\u0007"}').text == "a: x"


@pytest.mark.parametrize("data", [b"{}", b'{"a": null}\n{"b": ["", {}]}', b'{"text": " "}'])
def test_objects_without_a_word_are_refused(data: bytes) -> None:
    with pytest.raises(FileRefused, match="all of its fields are empty"):
        parse("a.jsonl", data)
