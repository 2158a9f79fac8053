"""Damage to a file, as disks, copies and people do it."""

from __future__ import annotations

import random
from collections.abc import Sequence

_BLOCK = 512  # bytes
_PAGE = 4096


def flipped(data: bytes, chance: random.Random) -> bytes:
    """One to three bits are others."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(8 * len(data))
        changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def zeroed(data: bytes, chance: random.Random) -> bytes:
    """A block of zeros stands somewhere."""
    size = chance.choice([_BLOCK, _PAGE])
    start = chance.randrange(len(data)) // size * size
    end = min(len(data), start + size)
    return data[:start] + bytes(end - start) + data[end:]


def truncated(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def torn(data: bytes, former: bytes, chance: random.Random) -> bytes:
    """The first sectors of a page are those of a former version of the file."""
    start = chance.randrange(len(data)) // _PAGE * _PAGE
    end = min(len(data), start + _BLOCK * chance.randint(1, _PAGE // _BLOCK - 1))
    return data[:start] + former[start:end].ljust(end - start, b"\0") + data[end:]


def shifted(data: bytes, chance: random.Random) -> bytes:
    """A few bytes are missing in the middle, or are there twice."""
    start = chance.randrange(len(data))
    size = chance.randint(1, 64)
    if chance.random() < 0.5:
        return data[:start] + data[start + size :]
    return data[: start + size] + data[start:]


def damaged(data: bytes, former: Sequence[bytes], chance: random.Random) -> tuple[str, bytes]:
    """What was done to a file, and how it is now: never as it was.

    `former` are the contents that an older file, or another's, has in its place.
    """
    while True:
        kind = chance.choice(["flipped", "zeroed", "truncated", "shifted", "torn", "swapped"])
        now = _changed(kind, data, former, chance)
        if now is not None and now != data:
            return kind, now


def _changed(
    kind: str, data: bytes, former: Sequence[bytes], chance: random.Random
) -> bytes | None:
    if not data:
        return b"\0" if kind == "shifted" else None
    match kind:
        case "flipped":
            return flipped(data, chance)
        case "zeroed":
            return zeroed(data, chance)
        case "truncated":
            return truncated(data, chance)
        case "shifted":
            return shifted(data, chance)
        case "torn":
            return torn(data, chance.choice(former), chance) if former else None
        case _:
            return chance.choice(former) if former else None
