"""The numbers that word processors count lists and notes with."""

from __future__ import annotations

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_LAST_ROMAN = 3999
_LAST_LETTERS = 26 * 30
_TEENS = (11, 12, 13)


def whole(value: str | None, default: int = 0) -> int:
    """A count out of a file: the default where it is none, or none that anybody would count to."""
    return (
        int(value) if value and value.isascii() and value.isdigit() and len(value) < 7 else default
    )


def roman(number: int) -> str:
    """1 as `i`, 4 as `iv`; digits where there is no such numeral."""
    if not 0 < number <= _LAST_ROMAN:
        return str(number)
    letters = ""
    for worth, letter in _ROMAN:
        times, number = divmod(number, worth)
        letters += letter * times
    return letters


def letters(number: int) -> str:
    """1 as `a`, 26 as `z`, then `aa`, `bb` and so on; digits where there is no such numeral."""
    if not 0 < number <= _LAST_LETTERS:
        return str(number)
    times, place = divmod(number - 1, 26)
    return chr(ord("a") + place) * (times + 1)


def ordinal(number: int) -> str:
    """1 as `1st`, 12 as `12th`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in _TEENS else ending}"
