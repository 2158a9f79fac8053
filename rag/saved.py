"""Saved replies and citations as claims to be verified."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rag.errors import InvalidInput
from rag.types import Span
from rag.verifying import Claim

STDIN = Path("-")
_OF_A_REPLY = {"answers", "passages"}


def read_claims(path: Path) -> list[Claim]:
    """Every citation of a file, once: of a reply, of a list or JSON lines of replies, or of a list
    of citations. Raises `InvalidInput` where it holds anything else.
    """
    try:
        data = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
        values = _values(data.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} can't be read as JSON or JSON lines: {error}") from error
    if not values:
        raise InvalidInput(f"{path} is empty: give a saved reply, such as `rag ask --json` prints")
    claims: dict[Claim, None] = {}
    for number, value in enumerate(values, start=1):
        try:
            claims.update(dict.fromkeys(_claims(value)))
        except ValueError as error:
            raise InvalidInput(f"{path}, item {number}: {error}") from error
    return list(claims)


def _values(text: str) -> list[Any]:
    """The items of a list, or of JSON lines; one value alone is a list of one."""
    try:
        value = json.loads(text)
    except ValueError:
        # Not splitlines(), which also splits at characters that may stand inside a JSON string.
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    return value if isinstance(value, list) else [value]


def _claims(value: Any) -> Iterator[Claim]:
    if not isinstance(value, dict):
        raise ValueError("neither a reply nor a citation")
    if "quote" in value:
        yield _claim(value)
        return
    if _OF_A_REPLY.isdisjoint(value):
        raise ValueError("neither a reply, which has passages, nor a citation, which has a quote")
    first = [value["answer"]] if value.get("answer") else []
    for shown in (*first, *_list(value, "answers"), *_list(value, "passages")):
        if not isinstance(shown, dict) or not isinstance(shown.get("citation"), dict):
            raise ValueError("an answer or a passage without its citation")
        # What a reply shows must stand in the file, whatever the citation beside it says.
        yield _claim({**shown["citation"], "quote": shown.get("text")}, shown.get("sentence"))
        yield from (_claim(citation) for citation in _list(shown, "also_in"))


def _claim(citation: Any, sentence_text: Any = None) -> Claim:
    if not isinstance(citation, dict):
        raise ValueError("a citation that is no object")
    span = _span(citation, "start", "end")
    if span is None:
        raise ValueError("a citation without start and end")
    claim = Claim(
        span=span,
        quote=_required(citation, "quote"),
        text_sha256=_required(citation, "text_sha256"),
        document_id=_text(citation, "document_id"),
        source=_text(citation, "source"),
        sha256=_text(citation, "sha256"),
        sentence=_span(citation, "sentence_start", "sentence_end"),
        sentence_text=_text({"sentence": sentence_text}, "sentence"),
        prefix=_text(citation, "prefix") or "",
        suffix=_text(citation, "suffix") or "",
    )
    if claim.document_id is None and claim.source is None:
        raise ValueError("a citation without document_id or source")
    return claim


def _span(citation: Mapping[str, Any], first: str, last: str) -> Span | None:
    start, end = citation.get(first), citation.get(last)
    if start is None and end is None:
        return None
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise ValueError(f"{first} and {last} must be whole numbers, {last} the larger")
    return Span(start, end)


def _required(citation: Mapping[str, Any], name: str) -> str:
    text = _text(citation, name)
    if not text:
        raise ValueError(f"a citation without {name}")
    return text


def _text(citation: Mapping[str, Any], name: str) -> str | None:
    value = citation.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} holds half a surrogate pair") from error
    return value


def _list(value: Mapping[str, Any], name: str) -> list[Any]:
    items = value.get(name) or []
    if not isinstance(items, list):
        raise ValueError(f"{name} must be a list")
    return items
