"""Plain text: the file's own words, and nothing taken for a title."""

from __future__ import annotations

from rag.loading.base import FormatReader
from rag.loading.decoding import decode, is_text
from rag.types import Parsed


class TextReader:
    """Reads .txt: decoded, the byte-order mark left out, nothing else changed."""

    loader = "text/1"
    extensions = frozenset({".txt"})

    def matches(self, data: bytes) -> bool:
        return is_text(data)

    def read(self, data: bytes) -> Parsed:
        return Parsed(text=decode(data), loader=self.loader)


READER: FormatReader = TextReader()
