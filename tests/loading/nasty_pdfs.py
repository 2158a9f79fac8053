"""PDFs made by hand to hurt whoever reads them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import NamedTuple

from fpdf import FPDF


class Made(NamedTuple):
    """What is to come of a file, as in `nasty.py`, and how it is built."""

    outcome: str
    make: Callable[[], bytes]


_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R%s>>"
_FONT = b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>%s>>"
_WORDS = b"BT /F1 12 Tf 50 700 Td (words) Tj ET\n"


def _pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1 on; the first is the catalogue."""
    data, starts = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        starts.append(len(data))
        data += b"%d 0 obj%s\nendobj\n" % (number, content)
    table = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % start for start in starts)
    data += b"trailer<</Root 1 0 R/Size %d%s>>\n" % (len(objects) + 1, trailer)
    return bytes(data + b"startxref\n%d\n%%%%EOF" % table)


def _stream(content: bytes, filters: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), filters, content)


def _one_page(
    contents: bytes,
    *more: bytes,
    pages: bytes = b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    catalogue: bytes = b"",
    resources: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    page = _PAGE % (_FONT % resources)
    root = b"<</Type/Catalog/Pages 2 0 R%s>>" % catalogue
    return _pdf(root, pages, page, contents, *more, trailer=trailer)


def _bomb(megabytes: int, times: int) -> bytes:
    """A page of words and of so much white space, packed once or more often."""
    packer = zlib.compressobj(9)
    packed = packer.compress(_WORDS)
    packed += b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes))
    packed += packer.flush()
    for _ in range(times - 1):
        packed = zlib.compress(packed, 9)
    return _one_page(_stream(packed, b"/Filter[%s]" % (b"/FlateDecode" * times)))


def _many_pages(count: int) -> bytes:
    pages = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"3 0 R " * count, count)
    return _one_page(_stream(_WORDS), pages=pages)


def _written(password: str = "") -> bytes:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    for number in range(40):
        pdf.write(6, f"Sentence {number} of a document that is whole. ")
    if password:
        pdf.set_encryption(owner_password="owner", user_password=password)  # noqa: S106
    return bytes(pdf.output())


def _cut(percent: int) -> Made:
    def make() -> bytes:
        whole = _written()
        return whole[: len(whole) * percent // 100]

    return Made("corrupt", make)


_GOOD = _stream(_WORDS)
PDFS = {
    "zip": Made("unsupported", lambda: b"PK\x03\x04" + bytes(1_000)),
    "no objects": Made("corrupt", lambda: b"%PDF-1.7\nstartxref\n0\n%%EOF"),
    **{f"cut at {percent} %": _cut(percent) for percent in (10, 50, 90, 99)},
    "a good one": Made("ok", lambda: _one_page(_GOOD)),
    "encrypted": Made("unsupported", lambda: _written("secret")),
    "pages that hold themselves": Made(
        "corrupt", lambda: _one_page(_GOOD, pages=b"<</Type/Pages/Kids[2 0 R]/Count 9>>")
    ),
    "pages that hold each other": Made(
        "corrupt",
        lambda: _one_page(
            _GOOD,
            b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 9>>",
            pages=b"<</Type/Pages/Parent 5 0 R/Kids[5 0 R]/Count 9>>",
        ),
    ),
    "more pages than there are": Made(
        "ok", lambda: _one_page(_GOOD, pages=b"<</Type/Pages/Kids[3 0 R]/Count 2147483647>>")
    ),
    "one page many times": Made("ok", lambda: _many_pages(2_000)),
    "a table of contents before itself": Made("ok", lambda: _one_page(_GOOD, trailer=b"/Prev 9")),
    "a length that names itself": Made(
        "ok",
        lambda: _one_page(b"<</Length 5 0 R>>stream\n" + _WORDS + b"endstream", b" 5 0 R"),
    ),
    "labels that hold themselves": Made(
        "corrupt",
        lambda: _one_page(_GOOD, b"<</Kids[5 0 R 5 0 R]>>", catalogue=b"/PageLabels 5 0 R"),
    ),
    "a form that draws itself": Made(
        "corrupt",
        lambda: _one_page(
            _stream(_WORDS + b"/X Do"),
            _stream(
                b"/X Do /X Do",
                b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>",
            ),
            resources=b"/XObject<</X 5 0 R>>",
        ),
    ),
    "arrays in arrays": Made("ok", lambda: _one_page(_stream(_WORDS + b"[" * 100_000))),
    "strings in strings": Made("ok", lambda: _one_page(_stream(_WORDS + b"(" * 1_000_000))),
    "states in states": Made("ok", lambda: _one_page(_stream(_WORDS + b"q " * 500_000))),
    "a page of no size": Made(
        "ok",
        lambda: _one_page(_GOOD).replace(b"[0 0 600 800]", b"[9e9 0 -9 1]  "),
    ),
    "one filter many times": Made(
        "ok",
        lambda: _one_page(_stream(_WORDS, b"/Filter[%s]" % (b"/ASCIIHexDecode" * 1_000))),
    ),
    "a bomb": Made("ok", lambda: _bomb(60, 1)),
}
"""By what is wrong with it."""

HUGE_PDFS = {
    "10,000 pages": Made("ok", lambda: _many_pages(10_000)),
    "a bomb of 1 GB": Made("corrupt", lambda: _bomb(1_000, 2)),  # pdfium ends at once
}
