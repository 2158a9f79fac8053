"""The protocol that every format's reader keeps."""

from __future__ import annotations

from typing import Protocol

from rag.types import Parsed


class FormatReader(Protocol):
    """Turns the bytes of one kind of file into text and structure.

    `loader` is the reader's name and version, such as ``"html/1"``: it goes into citations, so
    the version rises whenever the same bytes would give another text. `extensions` are lower
    case, dot included.
    """

    @property
    def loader(self) -> str: ...

    @property
    def extensions(self) -> frozenset[str]: ...

    def matches(self, data: bytes) -> bool:
        """Whether the content is of this kind; the extension alone proves nothing.

        Raises `FileRefused` where it is a container that is not opened, such as a zip bomb.
        """
        ...

    def read(self, data: bytes) -> Parsed:
        """Raises `FileRefused` with a plain reason; what else it raises means damaged input."""
        ...
