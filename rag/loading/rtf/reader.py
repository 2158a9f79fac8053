"""RTF: the text of a Rich Text file as paragraphs."""

from __future__ import annotations

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.metadata import iso_date, language_tag, one_line
from rag.loading.rendering import Rendering
from rag.loading.rtf.charsets import whole
from rag.loading.rtf.story import RtfStory
from rag.loading.rtf.tokens import tokens
from rag.types import Parsed

_START = b"{\\rtf"


class RtfReader:
    """Reads .rtf: headings by their styles, lists with the numbers that the file gives them,
    tables row by row.

    A footnote follows the paragraph that refers to it, endnotes stand at the end, both with their
    number. Left out are headers and footers, the table of contents, hidden and deleted words,
    comments, and what pictures show. There are no pages: programs make them anew.
    """

    loader = "rtf/1"
    extensions = frozenset({".rtf"})

    def matches(self, data: bytes) -> bool:
        return data.lstrip().startswith(_START)

    def read(self, data: bytes) -> Parsed:
        story, rendering = RtfStory(), Rendering()
        for text, level in story.read(tokens(data.lstrip())):
            rendering.add(text, level)
        if not rendering.offset:
            raise FileRefused("no text came out: is it made of pictures? run OCR on them first")
        first = rendering.headings[0].text if rendering.headings else None
        return Parsed(
            text=rendering.text,
            loader=self.loader,
            title=one_line(whole(story.head.title)) or one_line(first),
            date=_day(story.head.days["revtim"]) or _day(story.head.days["creatim"]),
            language=language_tag(story.head.language),
            headings=rendering.headings,
        )


def _day(parts: dict[str, int]) -> str | None:
    return iso_date("{yr:04}-{mo:02}-{dy:02}".format_map({"yr": 0, "mo": 0, "dy": 0, **parts}))


READER: FormatReader = RtfReader()
