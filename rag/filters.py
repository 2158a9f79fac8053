"""Which documents a question looks in: their folder, their type, their date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from pathlib import PurePosixPath

from rag.errors import InvalidInput

MOST_FILTERS = 100  # folders, and types, in one question


@dataclass(frozen=True, slots=True)
class Filters:
    """What a document must be to be searched; as it comes, any document is.

    It lies, however deep, in one of `folders`, which are whole beginnings of sources; its
    extension is one of `types`, in lower case and without a dot; its date is from `date_from` to
    `date_to`, both included, as YYYY-MM-DD. What is left open lets everything through; a document
    without a date lies outside any dates. Raises `InvalidInput` for what can't be meant.
    """

    folders: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    date_from: str | None = None
    date_to: str | None = None

    def __post_init__(self) -> None:
        if max(len(self.folders), len(self.types)) > MOST_FILTERS:
            raise InvalidInput(f"more than {MOST_FILTERS} folders or types: send fewer")
        # A shell completes a folder's name with a slash.
        object.__setattr__(self, "folders", tuple(name.removesuffix("/") for name in self.folders))
        if not all(map(_is_folder, self.folders)):
            raise InvalidInput(
                "a folder is empty, absolute or holds . or .. parts: send it as sources begin, "
                "such as handbook/archive, or none to look everywhere"
            )
        if not all(map(_is_type, self.types)):
            raise InvalidInput(
                "a type is no file extension: send it in lower case without the dot, such as pdf"
            )
        dates = [day for day in (self.date_from, self.date_to) if day is not None]
        if not all(map(_is_date, dates)):
            raise InvalidInput("a date can't be read: send YYYY-MM-DD, such as 2025-01-31")
        if dates != sorted(dates):
            raise InvalidInput("the first date is later than the last: swap them")


def _is_folder(name: str) -> bool:
    return not {"", ".", ".."}.intersection(name.split("/"))


def _is_type(name: str) -> bool:
    return name != "" and name == name.lower() and not set("./").intersection(name)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def folders_of(source: str) -> Iterator[str]:
    """Every folder that a document lies in, the outermost first."""
    return accumulate(source.split("/")[:-1], "{}/{}".format)


def type_of(source: str) -> str:
    """A document's extension in lower case, without its dot."""
    return PurePosixPath(source).suffix.lower()[1:]


EVERYTHING = Filters()
