"""Bytes to text: Unicode where it says so, strict UTF-8, then a guess that must fit."""

from __future__ import annotations

import codecs
import re

import chardet

from rag.errors import FileRefused

# The UTF-32 marks come first: the little-endian one begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WINDOW = 1 << 20  # bytes shown to the detector, from just before the first one that is not UTF-8
_LEGACY = re.compile(r"(iso-?8859-|windows-125|koi8-|euc-|big5|gb|shift_jis|latin)[\w-]*", re.I)
# What the WHATWG Encoding Standard means by these labels.
_ALIASES = {"iso-8859-1": "cp1252", "latin1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}


def is_text(data: bytes) -> bool:
    """Whether the bytes can be text: a byte-order mark, or no NUL byte and no PDF header."""
    if data.startswith(tuple(mark for mark, _ in _MARKS)):
        return True
    return b"\0" not in data and not data.startswith(b"%PDF-")


def decode(data: bytes, declared: str | None = None) -> str:
    """The text without its byte-order mark; nothing else is changed.

    `declared` is the encoding that the file itself names; it is believed where it is a known
    legacy encoding and every byte fits. Raises `FileRefused`.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(_strict(data[len(mark) :], encoding))
    if declared and _LEGACY.fullmatch(declared):
        name = declared.lower()
        try:
            return _checked(data.decode(_ALIASES.get(name, name)))
        except (LookupError, UnicodeDecodeError):
            pass  # a wrong declaration; the content decides
    try:
        return _checked(data.decode())
    except UnicodeDecodeError as error:
        window = data[max(0, error.start - _WINDOW // 16) :][:_WINDOW]
        guess = chardet.detect(window, max_bytes=len(window))["encoding"]
        if guess is None:
            raise FileRefused("its encoding was not recognised; save it as UTF-8") from None
        return _checked(_strict(data, guess))


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        raise FileRefused(
            f"neither valid UTF-8 nor all of it {encoding}; save it as UTF-8"
        ) from None


def _checked(text: str) -> str:
    if "\0" in text:
        raise FileRefused("holds NUL characters: a binary file, or UTF-16 without its mark")
    if not text.strip():
        raise FileRefused("empty file")
    return text
