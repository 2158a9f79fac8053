"""The groups of an RTF file: which hold words of the document, and what holds in one."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from rag.loading.rtf.head import ABOUT, TABLES

# Groups whose words are not the document's.
_NEVER = frozenset(
    {
        *("annotation", "atnauthor", "atndate", "atnid", "colortbl", "falt", "filetbl", "fldinst"),
        *("footer", "footerf", "footerl", "footerr", "ftncn", "ftnsep", "ftnsepc", "aftncn"),
        *("aftnsep", "aftnsepc", "header", "headerf", "headerl", "headerr", "nonesttables"),
        *("nonshppict", "objdata", "pict", "rxe", "shprslt", "sp", "tc", "tcn", "txe", "upr", "xe"),
    }
)
# Groups that an old program may step over, and that hold words of the document all the same.
_WANTED = frozenset({"dptxbxtext", "footnote", "shpinst", "shptxt", "ud"})


@dataclass(slots=True)
class State:
    """What holds until the end of a group; `goes_to` is what its letters are for."""

    goes_to: str = "text"
    is_new: bool = False
    may_be_skipped: bool = False
    skips: int = 1  # letters after each one by its number, for old programs
    font: int | None = None
    bold: bool = False
    hidden: bool = False
    deleted: bool = False
    raised: bool = False
    in_table: bool = False
    style: int | None = None
    outline: int | None = None

    def inner(self) -> State:
        """What holds at the beginning of a group in this one."""
        state = copy(self)
        state.is_new, state.may_be_skipped = True, False
        return state

    def steps_over(self, word: str) -> bool:
        """Whether a word is one of a group that is left out; its first word tells which is."""
        if self.is_new:
            self.is_new = False
            if word == "ud":
                self.goes_to = "text"
            elif word in _NEVER or (self.may_be_skipped and word not in _WANTED):
                self.goes_to = "nothing"
            elif word in {"info": ABOUT, "text": TABLES}.get(self.goes_to, ()):
                self.goes_to = word
        return self.goes_to == "nothing"
