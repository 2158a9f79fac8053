"""Which letters the bytes, words and signs of an RTF file stand for."""

from __future__ import annotations

from locale import windows_locale

DEFAULT = "cp1252"
CODE_PAGES = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
"""What a file says it is encoded in, where it gives no number."""
_SYMBOLS = "symbols"  # drawn by a font that has no letters
_BULLETS = frozenset(b"\xb7\xa7\xd8\xfcvqnl")
# By the character set of a font; 0 and 1 mean that of the whole file.
_CHARSETS = {
    2: _SYMBOLS, 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "cp936",
    136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 254: "cp437",
}  # fmt: skip
WORDS = {
    "bullet": "•", "column": " ", "emdash": "—", "emspace": "\u2003", "endash": "–",
    "enspace": "\u2002", "ldblquote": "“", "line": "\n", "lquote": "‘", "page": " ",
    "qmspace": "\u2005", "rdblquote": "”", "rquote": "’", "softline": "\n", "tab": "\t",
    "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
"""Control words that are letters."""
SIGNS = {"\\": "\\", "{": "{", "}": "}", "~": "\u00a0", "_": "-", "\t": "\t"}
"""Control signs that are letters."""


def code_page(number: int | None) -> str | None:
    """The encoding of a number of a code page, if Python knows it."""
    if number == 65001:
        return "utf-8"
    return {10000: "mac_roman", 1361: "johab"}.get(number or 0, f"cp{number}") if number else None


def charset(number: int | None) -> str | None:
    """The encoding of a font's character set; None where it is that of the whole file."""
    return _CHARSETS.get(number or 0)


def decoded(letters: bytes, encoding: str) -> str:
    """The letters; what is none in the encoding becomes a replacement character.

    Of a font's symbols, bullets become one, and others are left out.
    """
    if encoding == _SYMBOLS:
        return "".join("•" for letter in letters if letter in _BULLETS)
    try:
        return letters.decode(encoding, "replace")
    except LookupError:
        return letters.decode(DEFAULT, "replace")


def whole(letters: str) -> str:
    """The letters with those that were written as two surrogates put together."""
    return letters.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def language(number: int | None) -> str | None:
    """The tag of a language by its number at Microsoft."""
    return windows_locale.get(number or 0)
