"""Which files of a folder are wanted: what its `.ragignore` and a command's globs leave out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from rag.errors import FileRefused, FileVanished, InvalidInput
from rag.loading.files import read_bytes

IGNORE_FILE = ".ragignore"
"""A file of patterns, in the syntax of a `.gitignore`, at the top of a folder."""
_LARGEST = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Globs:
    """Patterns given with a command, in the same syntax.

    `exclude` are further lines of the `.ragignore`. With `include`, only files that one of them
    matches, or that lie in a folder that one matches, are wanted. Raises `InvalidInput` for a
    pattern that is none.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in (*self.include, *self.exclude):
            try:
                GitIgnoreSpec.from_lines([pattern])
            except ValueError as error:
                raise InvalidInput(
                    f"{pattern!r} is no pattern: write it as in a .gitignore, such as '*.md'"
                ) from error


EVERY_FILE = Globs()


class Choice:
    """What is wanted of one folder; paths are relative to it, with `/` at the end of a folder."""

    def __init__(self, ignored: Iterable[str], globs: Globs) -> None:
        self._ignored = GitIgnoreSpec.from_lines([*ignored, *globs.exclude])
        self._included = GitIgnoreSpec.from_lines(globs.include) if globs.include else None

    def leaves_out(self, path: str) -> bool:
        """Whether a file is not wanted, or nothing in a folder. The folders above it are."""
        if path == IGNORE_FILE or self._ignored.match_file(path):
            return True
        if path.endswith("/") or self._included is None:
            return False
        return not self._included.match_file(path)

    def leaves_out_within(self, source: str) -> bool:
        """The same of a file, the folders above it considered, too."""
        return any(self.leaves_out(path) for path in _down_to(source))


def choice_in(root: Path, globs: Globs) -> Choice:
    """What is wanted of a folder. Raises `FileRefused` where its `.ragignore` can't be used."""
    try:
        text = read_bytes(root, IGNORE_FILE, _LARGEST).decode("utf-8-sig")
        return Choice(re.split("\r?\n", text), globs)
    except FileVanished:
        return Choice((), globs)
    except (FileRefused, ValueError) as error:
        raise FileRefused(
            f"its {IGNORE_FILE} can't be used, so nothing was changed: {error}"
        ) from error


def _down_to(source: str) -> Iterator[str]:
    """The folders above a file, outermost first, and the file."""
    for place, character in enumerate(source):
        if character == "/":
            yield source[: place + 1]
    yield source
