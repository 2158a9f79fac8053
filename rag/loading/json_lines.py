"""JSON lines: an object a line, its fields by name.

An object becomes one paragraph, "key: value; outer.inner: value", in the order of its fields. The
items of a list of plain values stand side by side; those of any other list are numbered from 1
(`authors.2.name`). Nulls and blanks are left out; numbers stay as they are written.

A `text` at the top of an object is prose and no field: its paragraphs stand as they are, without
a key, before the paragraph of the other fields. A `title` beside it is a heading over all of them;
without a `text` it is a field like any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.decoding import decode, is_text
from rag.loading.rendering import Rendering
from rag.loading.tables import named
from rag.types import Parsed

_Object: TypeAlias = tuple[tuple[str, Any], ...]  # pairs, so that no key hides an earlier one


class JsonLinesReader:
    """Reads .jsonl and .ndjson; a line that is no JSON object is told by its number."""

    loader = "jsonl/1"
    extensions = frozenset({".jsonl", ".ndjson"})

    def matches(self, data: bytes) -> bool:
        return is_text(data)

    def read(self, data: bytes) -> Parsed:
        rendering = Rendering()
        for number, line in enumerate(decode(data).split("\n"), start=1):
            if line.strip():
                try:
                    _add(rendering, _object(line))
                except ValueError as error:
                    raise FileRefused(f"line {number} {error}; correct it or take it out") from None
                except RecursionError:
                    raise FileRefused(f"line {number} nests too deep; flatten it") from None
        if not rendering.offset:
            raise FileRefused("all of its fields are empty")
        return Parsed(text=rendering.text, loader=self.loader, headings=rendering.headings)


def _object(line: str) -> _Object:
    """Raises `ValueError` with what the line is instead."""
    try:
        value = json.loads(
            line, object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=str
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error.msg.lower()} at column {error.colno}") from None
    if not isinstance(value, tuple):
        raise ValueError("holds no object in braces")
    return value


def _add(rendering: Rendering, record: _Object) -> None:
    prose = {key: value for key, value in record if key == "text" and isinstance(value, str)}
    if prose:
        prose |= {key: value for key, value in record if key == "title" and isinstance(value, str)}
        rendering.add(" ".join(prose.get("title", "").split()), level=1)
        rendering.add(prose["text"])
    rest = tuple(pair for pair in record if prose.get(pair[0]) is not pair[1])
    rendering.add(named(_fields(rest)))


def _fields(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every plain value under its dotted key."""
    if isinstance(value, list) and any(isinstance(item, list | tuple) for item in value):
        value = tuple((str(number), item) for number, item in enumerate(value, start=1))
    if isinstance(value, tuple):
        for inner, item in value:
            yield from _fields(item, f"{key}.{inner}" if key else _words(inner))
    elif isinstance(value, list):
        yield key, ", ".join(filter(None, map(_words, value)))
    else:
        yield key, _words(value)


def _words(value: str | bool | None) -> str:
    if value is None:
        return ""
    return " ".join(str(value).split()) if isinstance(value, str) else str(value).lower()


READER: FormatReader = JsonLinesReader()
