"""EPUB: a book's chapters in the order of its spine, each read as a page of HTML."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from lxml import etree

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.decoding import decode
from rag.loading.html.reader import add_page
from rag.loading.metadata import iso_date, language_tag, one_line
from rag.loading.rendering import Rendering
from rag.loading.xml_tree import local, parsed_xml
from rag.loading.zipped import Members, is_zip, members
from rag.types import Parsed

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = frozenset({"application/xhtml+xml", "text/html"})
_CHANGED = "dcterms:modified"
_EVENT = "{http://www.idpf.org/2007/opf}event"
_FRESH = "fetch it again"
_ENCODING = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w-]{1,40})")
# HTML knows no empty element but these: to it any other, such as <title/>, is still open.
_CLOSED = re.compile(
    r"<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)\b)"
    r"([a-zA-Z][\w:.-]*)((?:\s[^<>]*)?)/>"
)
_TAG, _MARK = "[^<>]{0,500}", r"\s*([^<>\s]{1,5})\s*"
# What refers to a note gets brackets: 28 days and note 1 would else read "28 days1".
_REFERENCE = re.compile(
    rf"<sup\b{_TAG}>\s*<a\b{_TAG}>{_MARK}</a>\s*</sup>"
    rf"|<a\b{_TAG}>\s*<sup\b{_TAG}>{_MARK}</sup>\s*</a>"
    rf"|<a\b{_TAG}\bnoteref\b{_TAG}>{_MARK}</a>"
)
_BACK = re.compile(rf"<a\b{_TAG}\bdoc-backlink\b{_TAG}>[^<>]{{0,20}}</a>")


class EpubReader:
    """Reads .epub: all chapters, headings by their elements, notes where the book has them.

    Left out are the table of contents and what pictures show. There are no pages: a reading
    device makes them.
    """

    loader = "epub/1"
    extensions = frozenset({".epub"})

    def matches(self, data: bytes) -> bool:
        return is_zip(data) and _CONTAINER in members(data)

    def read(self, data: bytes) -> Parsed:
        files = members(data)
        name, package = _package(files)
        rendering = Rendering()
        for chapter in _chapters(files, name, package):
            if chapter.strip():
                declared = _ENCODING.match(chapter)
                html = decode(chapter, declared[1].decode("ascii") if declared else None)
                html = _BACK.sub("", _REFERENCE.sub(_bracketed, html))
                add_page(_CLOSED.sub(r"<\1\2></\1>", html), rendering)
        if not rendering.offset:
            raise FileRefused("no text came out: are its pages pictures? run OCR on them first")
        about = _about(package)
        first = rendering.headings[0].text if rendering.headings else None
        return Parsed(
            text=rendering.text,
            loader=self.loader,
            title=one_line(about.get("title")) or one_line(first),
            date=iso_date(about.get("date")) or iso_date(about.get(_CHANGED)),
            language=language_tag(about.get("language")),
            headings=rendering.headings,
        )


def _bracketed(reference: re.Match[str]) -> str:
    mark = next(filter(None, reference.groups()))
    return mark if mark[0] in "[(" else f"[{mark}]"


def _package(files: Members) -> tuple[str, etree._Element]:
    """The part that says what the book is made of: its name and its XML."""
    for element in parsed_xml(files[_CONTAINER]).iter("{*}rootfile"):
        name = posixpath.normpath(element.get("full-path", ""))
        if name in files:
            return name, parsed_xml(files[name])
    raise FileRefused(f"damaged: what says which chapters it has is missing; {_FRESH}")


def _chapters(files: Members, name: str, package: etree._Element) -> Iterator[bytes]:
    folder = posixpath.dirname(name)
    items = {item.get("id", ""): item for item in package.iterfind("{*}manifest/{*}item")}
    locked = _locked(files)
    for reference in package.iterfind("{*}spine/{*}itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None:
            raise FileRefused(f"damaged: one of its chapters is missing; {_FRESH}")
        if item.get("media-type") not in _PAGES or "nav" in item.get("properties", "").split():
            continue
        part = posixpath.normpath(posixpath.join(folder, _path(item.get("href", ""))))
        if part in locked:
            raise FileRefused("its chapters are encrypted (DRM); add a copy without it")
        if part not in files:
            raise FileRefused(f"damaged: one of its chapters is missing; {_FRESH}")
        yield files[part]


def _locked(files: Members) -> frozenset[str]:
    """The parts that are encrypted; of most books these are fonts alone."""
    if _ENCRYPTION not in files:
        return frozenset()
    references = parsed_xml(files[_ENCRYPTION]).iter("{*}CipherReference")
    return frozenset(_path(reference.get("URI", "")) for reference in references)


def _path(reference: str) -> str:
    try:
        return unquote(urlsplit(reference).path)
    except ValueError:
        return ""


def _about(package: etree._Element) -> dict[str, str]:
    """What the book says about itself, by name; the first of each counts, of dates the one of
    publication.
    """
    found: dict[str, str] = {}
    for element in package.iterfind("{*}metadata//*"):
        name = element.get("property") or local(element)
        if element.get(_EVENT) == "publication":
            found[name] = element.text or ""
        found.setdefault(name, element.text or "")
    return found


READER: FormatReader = EpubReader()
