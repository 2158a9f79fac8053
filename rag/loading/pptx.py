"""PPTX: a slide is a page, its title a heading, its shapes' words paragraphs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lxml import etree

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.drawing import A, languages, table_grid, text_paragraphs
from rag.loading.metadata import language_tag, one_line
from rag.loading.office import ALTERNATIVES, RELATIONSHIP, Package, chosen
from rag.loading.rendering import Rendering
from rag.loading.tables import lines
from rag.loading.zipped import is_zip, members
from rag.types import Parsed

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_DATA = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"
_TITLES = {"ctrTitle": 1, "title": 2}  # of the whole, of a slide: how deep such a heading is
_ON_EVERY_SLIDE = frozenset({"dt", "ftr", "hdr", "sldNum", "sldImg"})
_CONNECTIONS = frozenset({"parTrans", "pres", "sibTrans"})  # no words of their own in a diagram
_NOTES = "Notes: "


class PptxReader:
    """Reads .pptx: each slide's title, then its shapes in the order in which PowerPoint itself
    reads them out, tables row by row, then the speaker's notes, each marked as such. Slides that
    are hidden in the show are read and counted, too.

    Left out are footers, dates and slide numbers, what stands on the master, comments, charts and
    what pictures show.
    """

    loader = "pptx/1"
    extensions = frozenset({".pptx", ".pptm", ".ppsx"})

    def matches(self, data: bytes) -> bool:
        return is_zip(data) and any(name.startswith("ppt/") for name in members(data))

    def read(self, data: bytes) -> Parsed:
        package = Package(data)
        rendering, starts, spoken = Rendering(), [], Counter[str]()
        for part in _slides(package):
            starts.append(rendering.offset)
            slide = package.root(part)
            spoken.update(languages(slide))
            for text, level in _blocks(package, part, slide):
                rendering.add(text, level)
        text, about = rendering.text, package.properties()
        if not text:
            slides = f"{len(starts)} slide{'' if len(starts) == 1 else 's'}"
            raise FileRefused(f"no text came out of {slides}: pictures? run OCR on them first")
        first = rendering.headings[0].text if rendering.headings else None
        most = spoken.most_common(1)
        return Parsed(
            text=text,
            loader=self.loader,
            title=about.title or one_line(first),
            date=about.date,
            language=about.language or language_tag(most[0][0] if most else None),
            headings=rendering.headings,
            pages=tuple(min(start, len(text)) for start in starts),
        )


def _slides(package: Package) -> Iterator[str]:
    """The names of the slides' parts, in the order in which they are shown."""
    known = package.targets(package.main)
    for slide in package.root(package.main).iterfind(f"{_P}sldIdLst/{_P}sldId"):
        target = known.get(slide.get(RELATIONSHIP, ""))
        if target is None or target.part not in package:
            raise FileRefused("damaged: a slide is missing; open it in PowerPoint and save it")
        yield target.part


def _blocks(package: Package, part: str, slide: etree._Element) -> Iterator[tuple[str, int | None]]:
    """The paragraphs of a slide and of its notes, each with its level if it is a title."""
    shapes = list(_shapes(slide.find(f"{_P}cSld/{_P}spTree")))
    for shape in sorted(shapes, key=lambda shape: _place(shape) not in _TITLES):
        level = _TITLES.get(_place(shape))
        if _place(shape) not in _ON_EVERY_SLIDE:
            for text in _paragraphs(package, part, shape):
                yield text, level
    for notes in package.related(part, "notesSlide"):
        for shape in _shapes(package.root(notes).find(f"{_P}cSld/{_P}spTree")):
            if _place(shape) not in _ON_EVERY_SLIDE:
                for text in text_paragraphs(shape.find(_P + "txBody")):
                    yield _NOTES + text, None


def _shapes(tree: etree._Element | None) -> Iterator[etree._Element]:
    """The shapes and frames under an element, those in groups among them."""
    for element in () if tree is None else tree:
        if element.tag == _P + "grpSp":
            yield from _shapes(element)
        elif element.tag == ALTERNATIVES:
            yield from _shapes(chosen(element))
        elif element.tag in (_P + "sp", _P + "graphicFrame"):
            named = element.find(f"*/{_P}cNvPr")
            if named is None or named.get("hidden") not in ("1", "true"):
                yield element


def _place(shape: etree._Element) -> str:
    """The kind of place on the layout that a shape fills, or "" where it fills none."""
    place = shape.find(f"*/{_P}nvPr/{_P}ph")
    return "" if place is None else place.get("type", "obj")


def _paragraphs(package: Package, part: str, shape: etree._Element) -> Iterator[str]:
    yield from text_paragraphs(shape.find(_P + "txBody"))
    for table in shape.iter(A + "tbl"):
        yield from lines(table_grid(table))
    for reference in shape.iter(_DIAGRAM + "relIds"):
        data = package.targets(part).get(reference.get(_DATA, ""))
        if data is not None and data.part in package:
            for point in package.root(data.part).iter(_DIAGRAM + "pt"):
                if point.get("type") not in _CONNECTIONS:
                    yield from text_paragraphs(point.find(_DIAGRAM + "t"))


READER: FormatReader = PptxReader()
