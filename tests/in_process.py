"""The parser's fast double."""

from __future__ import annotations

from rag.loading.formats import parse
from rag.types import Parsed


class InProcessParser:
    """The same formats, read in this process without limits; `parsed` notes what was read. Takes
    what the real one takes, and reads no picture.
    """

    def __init__(self, ocr: str | None = None) -> None:  # noqa: ARG002
        self.parsed: list[str] = []

    def parse(self, source: str, data: bytes) -> Parsed:
        self.parsed.append(source)
        return parse(source, data)

    def close(self) -> None:
        """Nothing to end."""
