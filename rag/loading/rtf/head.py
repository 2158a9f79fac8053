"""What an RTF file says ahead of its text: encoding, fonts, styles, and about itself."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from rag.loading.rtf import charsets

TABLES = frozenset({"fonttbl", "info", "stylesheet"})
"""Groups that are no text; in them `info` has groups of its own, `ABOUT`."""
ABOUT = frozenset({"creatim", "revtim", "title"})
_BODY_TEXT = 9  # an outline level that makes no heading
_HEADING = re.compile(r"heading ([1-9])")
_CONTENTS = re.compile(r"toc (?:[1-9]|heading)")
_OF_A_DAY = frozenset({"yr", "mo", "dy"})


@dataclass(slots=True)
class _Style:
    number: int = 0
    name: str = ""
    outline: int | None = None


class RtfHead:
    """Takes in words and letters by the group that they stand in, and answers for them later."""

    def __init__(self) -> None:
        self.title = ""
        self.days: dict[str, dict[str, int]] = defaultdict(dict)
        """By `creatim` and `revtim`: year, month and day as `yr`, `mo`, `dy`."""
        self.language: str | None = None
        self._encoding = charsets.DEFAULT
        self._default_font = 0
        self._fonts: dict[int, str] = {}
        self._font = 0  # that the table speaks of
        self._styles: dict[int, _Style] = {}
        self._style = _Style()  # that the table speaks of

    def put(self, group: str, letters: str) -> None:
        if group == "title":
            self.title += letters
        elif group == "stylesheet":
            self._style.name += letters

    def begin_style(self) -> None:
        self._style = _Style()

    def end_style(self) -> None:
        self._style.name = self._style.name.strip("; ").lower()
        self._styles[self._style.number] = self._style

    def word(self, group: str, word: str, number: int | None) -> None:
        if group == "fonttbl":
            self._word_of_fonts(word, number)
        elif group == "stylesheet" and word == "s":
            self._style.number = number or 0
        elif group == "stylesheet" and word == "outlinelevel":
            self._style.outline = number
        elif group in ABOUT and word in _OF_A_DAY:
            self.days[group][word] = number or 0
        elif group == "text":
            self._word_of_the_file(word, number)

    def encoding(self, font: int | None) -> str:
        """What the bytes of words in a font are encoded in."""
        return self._fonts.get(self._default_font if font is None else font, self._encoding)

    def lists_contents(self, style: int | None) -> bool:
        """Whether a paragraph of this style is a line of the table of contents."""
        found = self._styles.get(style or 0)
        return found is not None and _CONTENTS.fullmatch(found.name) is not None

    def level(self, style: int | None, outline: int | None) -> int | None:
        """How deep a heading a paragraph is, by its own level, else by its style."""
        found = self._styles.get(style or 0)
        if outline is None and found is not None:
            if found.name == "title":
                return 1
            if heading := _HEADING.fullmatch(found.name):
                return int(heading[1])
            outline = found.outline
        return outline + 1 if outline is not None and 0 <= outline < _BODY_TEXT else None

    def _word_of_fonts(self, word: str, number: int | None) -> None:
        if word == "f":
            self._font = number or 0
        elif word in ("fcharset", "cpg"):
            read = charsets.charset if word == "fcharset" else charsets.code_page
            if (encoding := read(number)) is not None:
                self._fonts[self._font] = encoding

    def _word_of_the_file(self, word: str, number: int | None) -> None:
        match word:
            case "ansicpg":
                self._encoding = charsets.code_page(number) or self._encoding
            case "mac" | "pc" | "pca":
                self._encoding = charsets.CODE_PAGES[word]
            case "deff":
                self._default_font = number or 0
            case "deflang":
                self.language = charsets.language(number)
