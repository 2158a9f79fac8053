"""What the files inside a file are called."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import PurePosixPath

_LONGEST = 100  # characters, without the extension
_EXTENSIONS = {"plain": "txt", "markdown": "md", "rfc822": "eml"}
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")


class Names:
    """Gives each attachment of one file a name of its own that can be shown and stored.

    A name is display text, never a path: its last part without invisible characters.
    """

    def __init__(self) -> None:
        self._given: Counter[str] = Counter()

    def give(self, name: str | None, media_type: str = "") -> str:
        """The name itself where it is one, with an extension, and with a number where it is taken.

        `media_type` (`application/pdf`) gives the extension where the name has none.
        """
        last = re.split(r"[\\/]", unicodedata.normalize("NFC", name or ""))[-1]
        shown = PurePosixPath(
            "".join(c for c in last if c.isprintable()).strip(" .") or "attachment"
        )
        stem, extension = shown.stem[:_LONGEST].rstrip(), shown.suffix
        if not re.fullmatch(r"\.\w{1,8}", extension):
            stem, extension = shown.name[:_LONGEST].rstrip(), _extension_of(media_type)
        wanted = f"{stem}{extension}"
        self._given[wanted.casefold()] += 1
        number = self._given[wanted.casefold()]
        return wanted if number == 1 else self.give(f"{stem} ({number}){extension}")


def _extension_of(media_type: str) -> str:
    subtype = media_type.lower().partition("/")[2]
    subtype = _EXTENSIONS.get(subtype, subtype)
    return f".{subtype}" if _EXTENSION.fullmatch(subtype) else ""
