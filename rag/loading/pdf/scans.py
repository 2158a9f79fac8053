"""Pages that are pictures of text, read by the program tesseract where that is wanted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pypdfium2 as pdfium

from rag.loading import ocr
from rag.loading.pdf.blocks import Block
from rag.loading.pdf.lines import HYPHEN

_PROGRAM = "tesseract"
_DPI = 300
_MOST_PIXELS = 25_000_000  # of a page's picture; larger pages are drawn coarser
_PAGE_SECONDS = 20.0
_ALL_SECONDS = 40.0  # for a file: its reader has 60 altogether
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "TESSDATA_PREFIX", "LANG")
_WORD_LEVEL = "5"  # of the program's table: a line of it is a word
_BROKEN = re.compile(r"(?<=\w)-$")


@dataclass(slots=True)
class Scans:
    """What was read of a document's pictures: blocks, and how sure of each page, from 0 to 100.

    `why_not` says why pages stayed unread, and what helps.
    """

    blocks: list[Block] = field(default_factory=list)
    confidence: dict[int, float] = field(default_factory=dict)
    why_not: str | None = None


def read_scans(document: pdfium.PdfDocument, pages: Sequence[int]) -> Scans:
    """Reads pages that have no text. Raises `PdfiumError`."""
    scans = Scans()
    if ocr.languages is None or not pages:
        return scans
    program = shutil.which(_PROGRAM)
    if program is None:
        scans.why_not = "the program tesseract is missing: install tesseract-ocr"
        return scans
    deadline = time.monotonic() + _ALL_SECONDS
    for number in pages:
        left = deadline - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            words = _words(program, _picture(document[number]), min(left, _PAGE_SECONDS))
        except (subprocess.TimeoutExpired, TimeoutError):
            scans.why_not = "reading pictures took too long: split the file"
            continue
        except subprocess.CalledProcessError:
            scans.why_not = (
                f"tesseract failed; does it have RAG_OCR={ocr.languages}? install its data"
            )
            continue
        if words:
            scans.blocks += _blocks(words, number)
            letters = sum(len(word.text) for word in words)
            sure = sum(word.confidence * len(word.text) for word in words)
            scans.confidence[number] = sure / letters
    return scans


def _picture(page: pdfium.PdfPage) -> bytes:
    """The page in shades of grey, as the format PGM."""
    width, height = page.get_size()
    scale = min(_DPI / 72, (_MOST_PIXELS / max(1.0, width * height)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    rows = memoryview(bitmap.buffer)
    lines = [
        rows[start : start + bitmap.width]
        for start in range(0, bitmap.stride * bitmap.height, bitmap.stride)
    ]
    return b"".join([b"P5 %d %d 255\n" % (bitmap.width, bitmap.height), *lines])


@dataclass(frozen=True, slots=True)
class _Word:
    paragraph: tuple[str, ...]
    line: str
    text: str
    confidence: float


def _words(program: str, picture: bytes, seconds: float) -> list[_Word]:
    command = [program, "stdin", "stdout", "-l", str(ocr.languages), "--dpi", str(_DPI), "tsv"]
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    done = subprocess.run(  # noqa: S603 - no part of it comes from the file
        command,
        input=picture,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment | {"OMP_THREAD_LIMIT": "1"},
        timeout=seconds,
        check=True,
    )
    return list(_parsed(done.stdout.decode("utf-8", "replace")))


def _parsed(table: str) -> Iterator[_Word]:
    """The words of the program's table of tab-separated values."""
    for row in table.splitlines():
        fields = row.split("\t")
        if len(fields) == 12 and fields[0] == _WORD_LEVEL and fields[11].strip():
            yield _Word(tuple(fields[1:4]), fields[4], fields[11].strip(), float(fields[10]))


def _blocks(words: Sequence[_Word], page: int) -> Iterator[Block]:
    paragraphs: dict[tuple[str, ...], list[_Word]] = defaultdict(list)
    for word in words:
        paragraphs[word.paragraph].append(word)
    for inside in paragraphs.values():
        parts: list[str] = []
        for word, following in zip(inside, [*inside[1:], None], strict=True):
            ends = following is not None and following.line != word.line
            broken = ends and _BROKEN.search(word.text)
            parts.append(_BROKEN.sub(HYPHEN, word.text) if broken else f"{word.text} ")
        yield Block("".join(parts).strip(), page)
