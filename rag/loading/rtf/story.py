"""What an RTF file's words and signs do, one after the other, to the text that comes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from rag.errors import FileRefused
from rag.loading.numerals import letters, roman
from rag.loading.rendering import raised
from rag.loading.rtf import charsets
from rag.loading.rtf.flow import Block, Flow, RowRules
from rag.loading.rtf.groups import State
from rag.loading.rtf.head import RtfHead
from rag.loading.rtf.tokens import Kind, Token

_DEEPEST = 1000  # groups in each other; Word's own files have about ten
_FLOWS = {"dptxbxtext": "box", "footnote": "ftn", "shptxt": "box"}
_NUMERALS: Mapping[str, Callable[[int], str]] = {
    "ar": str,
    "alc": letters,
    "auc": lambda number: letters(number).upper(),
    "rlc": roman,
    "ruc": lambda number: roman(number).upper(),
}
_NOTE_FORMAT = re.compile(r"(a?ftn)n(ar|alc|auc|rlc|ruc)")


@dataclass(slots=True)
class _Inner:
    """A text inside the text, until the group at its depth ends: a `box`, a note of either kind."""

    depth: int
    kind: str
    has_mark: bool
    flow: Flow = field(default_factory=Flow)


class RtfStory:
    """Reads what a file says, token by token."""

    def __init__(self) -> None:
        self.head = RtfHead()
        self._states = [State()]
        self._inner = [_Inner(0, "body", has_mark=False)]
        self._bytes = bytearray()
        self._skip = 0
        self._row = RowRules()
        self._merged = ""
        self._has_mark = False
        self._counts = {"ftn": 0, "aftn": 0}
        self._formats = {"ftn": "ar", "aftn": "ar"}
        self._last: list[Block] = []

    def read(self, tokens: Iterable[Token]) -> list[Block]:
        """The paragraphs of the text. Raises `FileRefused` where its end is missing."""
        for token in tokens:
            self._take(token)
            if len(self._states) == 1:
                break
        else:
            raise FileRefused("the end of the file is missing: a broken copy? fetch it again")
        body = self._inner[0].flow
        body.end()
        return body.blocks + self._last

    @property
    def _state(self) -> State:
        return self._states[-1]

    @property
    def _level(self) -> int | None:
        return self.head.level(self._state.style, self._state.outline)

    @property
    def _flow(self) -> Flow:
        return self._inner[-1].flow

    def _take(self, token: Token) -> None:
        if token.kind is Kind.LETTERS:
            self._take_letters(token.letters)
            return
        self._end_letters()
        if token.kind is Kind.OPEN:
            self._open()
        elif token.kind is Kind.CLOSE:
            self._close()
        elif token.kind is Kind.SIGN:
            self._sign(token.word)
        elif not self._state.steps_over(token.word):
            self._word(token.word, token.number)

    def _take_letters(self, letters: bytes) -> None:
        self._state.is_new = False
        skipped = min(self._skip, len(letters))
        self._skip -= skipped
        if self._state.goes_to != "nothing":  # half the file may be a picture's digits
            self._bytes += letters[skipped:]

    def _end_letters(self) -> None:
        if self._bytes:
            encoding = self.head.encoding(self._state.font)
            self._put(charsets.decoded(bytes(self._bytes), encoding))
            self._bytes.clear()

    def _put(self, text: str) -> None:
        state = self._state
        if state.goes_to != "text":
            self.head.put(state.goes_to, text)
        elif not (state.hidden or state.deleted):
            self._flow.add(raised(text) if state.raised else text, state.bold)

    def _open(self) -> None:
        if len(self._states) > _DEEPEST:
            raise FileRefused(
                "its groups nest too deep for any program to have written; save it afresh"
            )
        self._skip = 0
        self._states.append(self._state.inner())
        if self._state.goes_to == "stylesheet":
            self.head.begin_style()

    def _close(self) -> None:
        self._skip = 0
        if self._states.pop().goes_to == "stylesheet":
            self.head.end_style()
        while self._inner[-1].depth > len(self._states):
            self._end_inner(self._inner.pop())

    def _end_inner(self, inner: _Inner) -> None:
        """Hands on a note or a text box; a note's number stands in the text and before the note."""
        inner.flow.end()
        blocks, mark = inner.flow.blocks, ""
        if inner.has_mark:
            self._counts[inner.kind] += 1
            mark = f"[{_NUMERALS[self._formats[inner.kind]](self._counts[inner.kind])}]"
            self._flow.add(mark, self._state.bold)
        if mark and blocks:
            text, level = blocks[0]
            blocks[0] = f"{mark} {text}", level
        if inner.kind == "aftn":
            self._last += blocks
        else:
            self._flow.hang(blocks)

    def _sign(self, sign: str) -> None:
        if sign == "*":
            self._state.may_be_skipped = self._state.is_new
        elif sign in "\r\n":
            self._word("par", None)
        elif sign in charsets.SIGNS:
            self._letter(charsets.SIGNS[sign])

    def _letter(self, letter: str) -> None:
        if self._skip:
            self._skip -= 1
        else:
            self._put(letter)

    def _word(self, word: str, number: int | None) -> None:
        goes_to = self._state.goes_to
        if word == "u" and goes_to != "fonttbl":
            self._put(chr((number or 0) & 0xFFFF))
            self._skip = self._state.skips
        elif word in charsets.WORDS:
            self._letter(charsets.WORDS[word])
        else:
            self.head.word(goes_to, word, number)
        if goes_to == "text":
            self._word_of_letters(word, number != 0, number)
            self._word_of_paragraphs(word, number)
            self._word_of_tables(word)
            self._word_of_notes(word)

    def _word_of_letters(self, word: str, on: bool, number: int | None) -> None:
        state = self._state
        match word:
            case "b":
                state.bold = on
            case "v":
                state.hidden = on
            case "deleted":
                state.deleted = on
            case "super":
                state.raised = on
            case "nosupersub" | "sub":
                state.raised = False
            case "f":
                state.font = number
            case "uc":
                state.skips = max(0, number or 0)
            case "plain":
                state.bold = state.hidden = state.deleted = state.raised = False
                state.font = None

    def _word_of_paragraphs(self, word: str, number: int | None) -> None:
        state = self._state
        match word:
            case "par" | "sect":
                self._end_paragraph()
            case "pard":
                state.in_table, state.style, state.outline = False, None, None
            case "intbl":
                state.in_table = True
            case "s":
                state.style = number
            case "outlinelevel":
                state.outline = number

    def _word_of_tables(self, word: str) -> None:
        match word:
            case "cell":
                self._flow.end_cell(self._level)
            case "nestcell":
                self._put(" | ")
            case "nestrow":
                self._flow.end_paragraph(None, in_table=True)
            case "row":
                self._flow.end_row(self._row)
            case "trowd":
                self._row = RowRules()
            case "trhdr":
                self._row.heads = True
            case "clmrg" | "clvmrg":
                self._merged = "left" if word == "clmrg" else "above"
            case "cellx":
                self._row.merged.append(self._merged)
                self._merged = ""

    def _word_of_notes(self, word: str) -> None:
        if word in _FLOWS:
            kind = _FLOWS[word]
            has_mark = self._has_mark and kind == "ftn"
            self._inner.append(_Inner(len(self._states), kind, has_mark))
            self._has_mark = False
            self._state.raised = self._state.in_table = False
        elif word == "ftnalt":
            self._inner[-1].kind = {"ftn": "aftn"}.get(self._inner[-1].kind, self._inner[-1].kind)
        elif word == "chftn":
            self._has_mark = self._inner[-1].kind not in ("ftn", "aftn")
        elif found := _NOTE_FORMAT.fullmatch(word):
            self._formats[found[1]] = found[2]

    def _end_paragraph(self) -> None:
        self._has_mark = False
        if self.head.lists_contents(self._state.style):
            self._flow.drop_paragraph()
        else:
            self._flow.end_paragraph(self._level, self._state.in_table)
