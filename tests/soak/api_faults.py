"""Five bugs that an API of this kind often has, each to be planted in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any
from urllib.parse import unquote

from starlette.types import Scope

from api import errors, schemas
from api.limits import Limits
from rag.access import Access
from rag.errors import InvalidInput
from rag.service import Service
from rag.store import listing


def _encoded_only(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a surrogate pair") from error
    return text


def _without_nul_only(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


def _checked_by(check: FunctionType) -> None:
    """Pydantic keeps the function that checks texts: what it does is replaced, not its name."""
    schemas._encodable.__code__ = check.__code__


def _nul() -> None:
    """A question goes to where NUL is an error: here, a file's name."""
    _checked_by(_encoded_only)  # type: ignore[arg-type]
    for name in ("ask", "search", "give_feedback"):
        setattr(Service, name, _naming_a_file(getattr(Service, name)))


def _naming_a_file(work: Callable[..., Any]) -> Callable[..., Any]:
    def named_a_file(self: Service, question: str, *given: Any, **named: Any) -> Any:
        with suppress(OSError):
            Path(question[:9]).stat()
        return work(self, question, *given, **named)

    return named_a_file


def _surrogate() -> None:
    """Half a surrogate pair comes in, and can't be sent back."""
    _checked_by(_without_nul_only)  # type: ignore[arg-type]


def _nan() -> None:
    """What was refused is repeated, and NaN is no JSON."""
    told = errors._told

    def echoed(error: Mapping[str, Any]) -> str:
        return told(error) + json.dumps(error["input"], default=str, allow_nan=False)

    errors._told = echoed


def _huge_page() -> None:
    """The cursor is the number of a page, however large."""

    def position(cursor: str | None) -> tuple[str, str]:
        if cursor and not cursor.isdecimal():
            raise InvalidInput("the cursor is none of this listing")
        return "", int(cursor or 0)  # type: ignore[return-value]

    listing._position = position


def _bad_percent() -> None:
    """A path is decoded once more by hand."""
    check = Limits.check

    def checked(self: Limits, scope: Scope, access: Access) -> None:
        unquote(scope["raw_path"], errors="strict")
        check(self, scope, access)

    Limits.check = checked  # type: ignore[method-assign]


PLANTED: Mapping[str, Callable[[], None]] = {
    "NUL": _nul,
    "half a surrogate pair": _surrogate,
    "NaN": _nan,
    "a huge page": _huge_page,
    "a bad percent escape": _bad_percent,
}
