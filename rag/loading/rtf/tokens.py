"""RTF taken apart: groups, control words, letters as they are encoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_TOKEN = re.compile(
    rb"(?P<text>[^\\{}\r\n\0]+)|(?P<open>\{)|(?P<close>\})|(?P<blank>[\r\n\0]+)"
    rb"|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    rb"|\\(?P<sign>[^a-zA-Z])|(?P<broken>\\)",
    re.DOTALL,
)


class Kind(Enum):
    OPEN = auto()
    CLOSE = auto()
    WORD = auto()
    SIGN = auto()
    LETTERS = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One thing that the file says: a control `word` with its `number`, a sign, or `letters`,
    which are bytes in an encoding that is known from what came before.
    """

    kind: Kind
    word: str = ""
    number: int | None = None
    letters: bytes = b""


def tokens(data: bytes) -> Iterator[Token]:
    """What the file says, in order; pictures as raw bytes are stepped over."""
    place = 0
    while found := _TOKEN.match(data, place):
        place = found.end()
        kind = found.lastgroup
        if kind == "text":
            yield Token(Kind.LETTERS, letters=found["text"])
        elif kind == "hex":
            yield Token(Kind.LETTERS, letters=bytes.fromhex(found["hex"].decode("ascii")))
        elif kind == "open":
            yield Token(Kind.OPEN)
        elif kind == "close":
            yield Token(Kind.CLOSE)
        elif kind == "sign":
            yield Token(Kind.SIGN, found["sign"].decode("latin-1"))
        elif kind in ("word", "number"):
            number = int(found["number"]) if found["number"] else None
            word = found["word"].decode("ascii")
            if word == "bin":
                place += max(0, number or 0)
            else:
                yield Token(Kind.WORD, word, number)
