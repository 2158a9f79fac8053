"""Zip containers made on the spot, and Word documents whose XML a test writes itself."""

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
