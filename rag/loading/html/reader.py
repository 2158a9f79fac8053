"""HTML: the page's main text as paragraphs, without menus, banners and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.decoding import decode, is_text
from rag.loading.html.metadata import about_page
from rag.loading.html.tables import captions, is_data, rows
from rag.loading.html.tree import BLOCKS, content_root, walk
from rag.loading.metadata import one_line
from rag.loading.rendering import Rendering, raised, single_spaced
from rag.types import Parsed

_TAG = re.compile(rb"<\0{0,3}[!?a-zA-Z]")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.I)
_PROLOGUE = 4096  # bytes in which an encoding may be declared; the standard asks for 1024
_SPACE = re.compile(r"\s+")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_PUNCTUATION = ".,:;?!"


class HtmlReader:
    """Reads .html: `main` or else the body, walked block by block in document order."""

    loader = "html/1"
    extensions = frozenset({".html", ".htm"})

    def matches(self, data: bytes) -> bool:
        return is_text(data) and _TAG.search(data) is not None

    def read(self, data: bytes) -> Parsed:
        declared = _CHARSET.search(data[:_PROLOGUE])
        tree = LexborHTMLParser(decode(data, declared[1].decode("ascii") if declared else None))
        if tree.body is None or tree.root is None:
            raise FileRefused("no page in it: a frame set or an empty document")
        about = about_page(tree.root)
        tree.strip_tags(["script", "style", "noscript"])  # they would count as words
        rendering = Rendering()
        _Blocks(rendering).read(walk(content_root(tree.body)))
        if not rendering.offset:
            raise FileRefused("no text found outside menus, forms and scripts")
        first = rendering.headings[0].text if rendering.headings else None
        return Parsed(
            text=rendering.text,
            loader=self.loader,
            title=about.title or one_line(first) or about.page_title,
            date=about.date,
            language=about.language,
            headings=rendering.headings,
        )


def add_page(html: str, rendering: Rendering) -> None:
    """Adds the blocks of a page of no site, such as a book's chapter: all of it is content."""
    tree = LexborHTMLParser(html)
    if tree.body is not None:
        _Blocks(rendering).read(walk(tree.body, is_site=False))


class _Blocks:
    """Gathers inline text and hands it on as a block wherever a block element begins or ends."""

    def __init__(self, rendering: Rendering) -> None:
        self.rendering = rendering
        self._inline: list[str] = []
        self._term = ""  # of a definition list, waiting for the first words of its definition
        self._level: int | None = None
        self._preformatted = 0
        self._table: int | None = None  # the data table that the walk is inside of

    def read(self, nodes: Iterable[tuple[LexborNode, bool]]) -> None:
        for node, entering in nodes:
            if self._table is not None:
                if node.mem_id == self._table:
                    self._table = None
            elif node.is_text_node:
                self._text(node)
            elif entering:
                self._enter(node, node.tag or "")
            else:
                self._leave(node.tag or "")
        self._end_term()

    def _text(self, node: LexborNode) -> None:
        text = node.text_content or ""
        if node.parent is not None and node.parent.tag == "sup":
            text = raised(text)
        self._inline.append(text if self._preformatted else _SPACE.sub(" ", text))

    def _enter(self, node: LexborNode, tag: str) -> None:
        if tag == "br":
            self._inline.append("\n")
        if tag not in BLOCKS:
            return
        self._end_block()
        if tag in _HEADINGS:
            self._end_term()
            self._level = int(tag[1])
        elif tag == "dt":
            self._end_term()
        elif tag == "pre":
            self._preformatted += 1
        elif tag == "table" and is_data(node):
            self._end_term()
            self._table = node.mem_id
            for line in (*captions(node), *rows(node)):
                self.rendering.add(line)

    def _leave(self, tag: str) -> None:
        if tag == "dt":
            self._term = " ".join("".join(self._inline).split())
            self._inline.clear()
        if tag not in BLOCKS:
            return
        self._end_block()
        if tag in _HEADINGS:
            self._level = None
        elif tag == "pre":
            self._preformatted -= 1
        elif tag == "dl":
            self._end_term()

    def _end_block(self) -> None:
        text = "".join(self._inline)
        self._inline.clear()
        if not text.strip():
            return
        if not self._preformatted:
            text = single_spaced(text)
        if self._term:
            text = f"{self._term}{'' if self._term[-1] in _PUNCTUATION else ':'} {text.lstrip()}"
            self._term = ""
        self.rendering.add(text, self._level)

    def _end_term(self) -> None:
        self._end_block()
        self.rendering.add(self._term)
        self._term = ""


READER: FormatReader = HtmlReader()
