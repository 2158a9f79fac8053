"""A text of blocks on which others hang: notes and text boxes follow what they hang on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator

from lxml import etree

from rag.loading.rendering import Rendering, single_spaced


class Story(ABC):
    """Reads a word processor's text, block by block, into `rendering`."""

    def __init__(self) -> None:
        self.rendering = Rendering()
        self.before = ""
        """Belongs in front of the next paragraph: a note's mark, or words that go on there."""
        self._hanging: deque[tuple[str, etree._Element]] = deque()
        self._last: deque[tuple[str, etree._Element]] = deque()
        self._busy = False  # with what hangs on a block

    @abstractmethod
    def shown(self, parent: etree._Element) -> Iterator[etree._Element]:
        """What an element holds that a reader of the document sees, out of its wrappers."""

    @abstractmethod
    def block(self, element: etree._Element) -> None:
        """Adds a block, if the element is one."""

    def read(self, parent: etree._Element) -> None:
        """Adds all blocks under an element, each followed by what hangs on it."""
        for element in self.shown(parent):
            self.block(element)
            self.read_hanging()

    def hang(self, element: etree._Element, mark: str = "", at_the_end: bool = False) -> None:
        """Has blocks read after the one that is being read, or at the end of the document."""
        queue = self._last if at_the_end else self._hanging
        queue.append((f"{mark} " if mark else "", element))

    def read_hanging(self) -> None:
        """Adds what hangs on the last block; what hangs on that comes in turn after it."""
        if self._busy or self.before:
            return
        self._busy = True
        while self._hanging:
            self.before, element = self._hanging.popleft()
            self.read(element)
            self.before = ""
        self._busy = False

    def end_paragraph(self) -> None:
        """Adds the words that were to go on in a next paragraph, where none comes."""
        self.rendering.add(single_spaced(self.before))
        self.before = ""

    def end(self) -> None:
        """Adds what has to come after everything else."""
        self.end_paragraph()
        self._hanging = self._last
        self.read_hanging()
