"""Zip containers made on the spot: documents whose XML a test writes itself."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterable
from copy import deepcopy

from hypothesis import strategies as st
from lxml import etree

_OPEN_XML = "http://schemas.openxmlformats.org"
_RELATIONS = f"{_OPEN_XML}/officeDocument/2006/relationships"
W = f"{_OPEN_XML}/wordprocessingml/2006/main"
_NAMES = (
    f'xmlns:w="{W}" xmlns:r="{_RELATIONS}" '
    f'xmlns:m="{_OPEN_XML}/officeDocument/2006/math" '
    f'xmlns:mc="{_OPEN_XML}/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:v="urn:schemas-microsoft-com:vml" mc:Ignorable="wps"'
)


A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'


def packed(entries: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files, in this order; a name may stand there twice."""
    kept = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(kept, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return kept.getvalue()


def contents(data: bytes) -> list[tuple[str, bytes]]:
    """The files in a zip, in order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def relations(targets: Iterable[tuple[str, str]]) -> bytes:
    """The part that says which others there are: pairs of a kind and a target."""
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    names = f"{_OPEN_XML}/package/2006/relationships"
    return f'<Relationships xmlns="{names}">{each}</Relationships>'.encode()


def word(body: str, **parts: str) -> bytes:
    """A DOCX of this body; each other part by name, such as `styles`, and what its root holds."""
    files = {
        "_rels/.rels": relations([("officeDocument", "word/document.xml")]),
        "word/document.xml": part("document", f"<w:body>{body}</w:body>"),
        "word/_rels/document.xml.rels": relations((name, f"{name}.xml") for name in parts),
    }
    files |= {f"word/{n}.xml": part(n, inner) for n, inner in parts.items()}
    return packed(files.items())


def part(root: str, inner: str) -> bytes:
    """The XML of a part, with the names that Word declares."""
    return f"<w:{root} {_NAMES}>{inner}</w:{root}>".encode()


def slides(trees: list[str], **more: bytes) -> bytes:
    """A presentation of these shape trees; other parts by name, each referred to by slide 1."""
    rel = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    dgm = 'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
    ids = "".join(f'<p:sldId id="{n}" r:id="rId{n}"/>' for n in range(1, len(trees) + 1))
    files = {
        "_rels/.rels": relations([("officeDocument", "ppt/presentation.xml")]),
        "ppt/presentation.xml": f"<p:presentation {P} {rel}><p:sldIdLst>{ids}</p:sldIdLst>"
        "</p:presentation>".encode(),
        "ppt/_rels/presentation.xml.rels": relations(
            ("slide", f"slides/slide{n}.xml") for n in range(1, len(trees) + 1)
        ),
        "ppt/slides/_rels/slide1.xml.rels": relations((name, f"{name}.xml") for name in more),
    }
    for number, tree in enumerate(trees, start=1):
        inner = f"<p:cSld><p:spTree>{tree}</p:spTree></p:cSld>"
        slide = f"<p:sld {P} {A} {rel} {dgm}>{inner}</p:sld>"
        files[f"ppt/slides/slide{number}.xml"] = slide.encode()
    files |= {f"ppt/slides/{name}.xml": content for name, content in more.items()}
    return packed(files.items())


ODT_KIND = b"application/vnd.oasis.opendocument.text"
_ODT_NAMES = (
    " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for short, name in (
            *(("office", "office"), ("text", "text"), ("table", "table"), ("style", "style")),
            *(("draw", "drawing"), ("meta", "meta"), ("fo", "xsl-fo-compatible")),
        )
    )
    + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def odt_part(kind: str, inner: str) -> bytes:
    """The XML of a part, with the names that LibreOffice declares."""
    return f"<office:document-{kind} {_ODT_NAMES}>{inner}</office:document-{kind}>".encode()


def odt(body: str, automatic: str = "", styles: str = "", meta: str = "") -> bytes:
    """A file of this body, with styles of its own and those that it comes with."""
    own = f"<office:automatic-styles>{automatic}</office:automatic-styles>"
    text = f"<office:body><office:text>{body}</office:text></office:body>"
    return packed(
        [
            ("mimetype", ODT_KIND),
            ("content.xml", odt_part("content", own + text)),
            ("styles.xml", odt_part("styles", f"<office:styles>{styles}</office:styles>")),
            ("meta.xml", odt_part("meta", f"<office:meta>{meta}</office:meta>")),
            ("META-INF/manifest.xml", b"<manifest/>"),
        ]
    )


CONTAINER = (
    b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    b'<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
CHAPTER = (
    '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "x">'
    '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><link href="x"/>'
    '<script src="x"/></head><body>{}</body></html>'
)


def opf(items: str, spine: str, about: str = "") -> bytes:
    """The part that says what a book is made of."""
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:opf="http://www.idpf.org/2007/opf" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata>{about}</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    ).encode()


def item(name: str, href: str, more: str = "") -> str:
    """A chapter, as a book lists it."""
    return f'<item id="{name}" href="{href}" media-type="application/xhtml+xml" {more}/>'


def epub(*chapters: str, about: str = "", **more: bytes) -> bytes:
    """A book of these bodies; more parts by the names that they have beside the container."""
    names = [f"c{number}" for number in range(len(chapters))]
    items = "".join(item(name, f"text/{name}.xhtml") for name in names)
    spine = "".join(f'<itemref idref="{name}"/>' for name in names)
    files = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": opf(items, spine, about),
    }
    for name, body in zip(names, chapters, strict=True):
        files[f"OEBPS/text/{name}.xhtml"] = CHAPTER.format(body).encode()
    files |= {f"META-INF/{name}.xml": content for name, content in more.items()}
    return packed(files.items())


@st.composite
def mangled(draw: st.DrawFn, data: bytes, name: str) -> bytes:
    """A container in which elements of one part were taken out, doubled, moved or stripped."""
    files = dict(contents(data))
    root = etree.fromstring(files[name])
    for _ in range(draw(st.integers(1, 6))):
        elements = list(root.iter())
        one, other = (elements[draw(st.integers(0, len(elements) - 1))] for _ in range(2))
        what = draw(st.sampled_from(["strip", "value", "drop", "double", "move"]))
        if what in ("strip", "value"):
            for attribute in list(one.attrib):
                one.attrib[attribute] = draw(st.sampled_from(["", "-1", "9" * 5000, "x", "²"]))
            if what == "strip":
                one.attrib.clear()
        elif what == "double":
            other.append(deepcopy(one))
        elif what == "move" and one not in (other, *other.iterancestors()):
            other.append(one)
        elif what == "drop" and (parent := one.getparent()) is not None:
            parent.remove(one)
    return packed({**files, name: etree.tostring(root)}.items())
