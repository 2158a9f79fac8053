"""PDF: page by page, lines rebuilt into paragraphs; a second library where the first gives up."""

from __future__ import annotations

import ctypes
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.metadata import iso_date, language_tag, one_line
from rag.loading.pdf.blocks import PAGE, Block
from rag.loading.pdf.headings import levels
from rag.loading.pdf.hyphens import Hyphens
from rag.loading.pdf.pages import blocks_of
from rag.loading.pdf.scans import Scans, read_scans
from rag.loading.rendering import Rendering, clean
from rag.text import paragraphs
from rag.types import Parsed

_HEADER = 1024  # bytes from the start within which readers look for the header
_TRAILER = 4096  # bytes from the end within which they look for the table of contents
_CREATED = re.compile(r"D:(\d{4})(\d\d)(\d\d)")
_MOST_NAMED = 10  # pages without text that the note names
# Titles that a word processor made up from a file's name.
_MADE_UP = re.compile(r"untitled.*|microsoft \w+ - .*|.*\.(docx?|odt|indd|tex|dvi|rtf|pdf)", re.I)


@dataclass(frozen=True, slots=True)
class _Contents:
    blocks: Sequence[Block]
    pages: int
    labels: tuple[str, ...]
    title: str | None
    created: str | None
    language: str | None
    scans: Scans = field(default_factory=Scans)


class PdfReader:
    """Reads .pdf with text in it; a picture of text is refused, not recognised."""

    loader = "pdf/2"
    extensions = frozenset({".pdf"})

    def matches(self, data: bytes) -> bool:
        return b"%PDF-" in data[:_HEADER]

    def read(self, data: bytes) -> Parsed:
        if b"startxref" not in data[-_TRAILER:]:
            # Libraries rescue some pages of such a file; the rest would be missing unnoticed.
            raise FileRefused("the end of the PDF is missing: a broken copy? fetch it again")
        contents = _by_pdfium(data)
        if contents is None or not contents.blocks:
            scans = contents.scans if contents else Scans()
            contents = replace(_by_pypdf(data), scans=scans)
        parsed = _parsed(contents, self.loader)
        if not parsed.text:
            pages = f"{len(parsed.pages)} page{'' if len(parsed.pages) == 1 else 's'}"
            help_ = contents.scans.why_not or "is it a scan? run OCR on it first, or set RAG_OCR"
            raise FileRefused(f"no text came out of {pages}; {help_}")
        return parsed


def _by_pdfium(data: bytes) -> _Contents | None:
    """None where pdfium can't read every page."""
    try:
        with pdfium.PdfDocument(data) as document:
            numbers = range(len(document))
            labels = tuple(document.get_page_label(number) for number in numbers)
            blocks = blocks_of(document)
            scans = read_scans(document, _without_text(blocks, len(document)))
            return _Contents(
                blocks=sorted([*blocks, *scans.blocks], key=lambda block: block.page),
                pages=len(document),
                scans=scans,
                labels=labels if any(labels) else (),
                title=document.get_metadata_value("Title"),
                created=document.get_metadata_value("CreationDate"),
                language=_language(document),
            )
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise _encrypted() from None
        return None


def _language(document: pdfium.PdfDocument) -> str:
    size = raw.FPDFCatalog_GetLanguage(document, None, 0)
    units = (ctypes.c_ushort * (size // 2))()
    raw.FPDFCatalog_GetLanguage(document, units, size)
    return bytes(units).decode("utf-16-le", "replace").rstrip("\0")


def _by_pypdf(data: bytes) -> _Contents:
    """Slower, and without positions: here only blank lines part paragraphs."""
    import pypdf  # noqa: PLC0415 - a third of a second to load, and hardly ever needed

    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise _encrypted()
        about: Mapping[str, object] = reader.metadata or {}
        return _Contents(
            blocks=[
                block
                for number, page in enumerate(reader.pages)
                for block in _plain_blocks(page.extract_text(), number)
            ],
            pages=len(reader.pages),
            labels=(),
            title=str(about.get("/Title", "")),
            created=str(about.get("/CreationDate", "")),
            language=str(reader.root_object.get("/Lang", "")),
        )
    except (FileRefused, MemoryError):
        raise
    except Exception:
        # pypdf raises whatever damaged input leads it to; no list of those would be complete.
        raise FileRefused("damaged PDF: its pages can't be read; export it again") from None


def _plain_blocks(text: str, page: int) -> list[Block]:
    return [Block(" ".join(span.of(text).split()), page) for span in paragraphs(text)]


def _encrypted() -> FileRefused:
    return FileRefused("encrypted PDF: remove the password and add it again")


def _parsed(contents: _Contents, loader: str) -> Parsed:
    hyphens = Hyphens(block.text for block in contents.blocks)
    rendering, starts = Rendering(), _Starts(contents.pages)
    for block, level in zip(contents.blocks, levels(contents.blocks), strict=True):
        first, *others = hyphens.mended(block.text).split(PAGE)
        starts.note(block.page, rendering.offset)
        for number, _ in enumerate(others, start=1):
            before = "".join([first, *others[: number - 1]])
            starts.note(block.page + number, rendering.offset + len(clean(before)))
        rendering.add("".join([first, *others]), level)
    text, headings = rendering.text, rendering.headings
    named, created = one_line(contents.title), _CREATED.match(contents.created or "")
    title = named if named and not _MADE_UP.fullmatch(named) else None
    return Parsed(
        text=text,
        loader=loader,
        title=title or (one_line(headings[0].text) if headings else None),
        date=iso_date("-".join(created.groups()) if created else None),
        language=language_tag(contents.language),
        headings=headings,
        pages=starts.all(len(text)),
        page_labels=tuple(one_line(label) or "" for label in contents.labels),
        note=_note(contents),
    )


class _Starts:
    """Where each page begins in the text; one without text where the next one does."""

    def __init__(self, pages: int) -> None:
        self._pages = pages
        self._found: list[int] = []

    def note(self, page: int, offset: int) -> None:
        self._found += [offset] * (page + 1 - len(self._found))

    def all(self, end: int) -> tuple[int, ...]:
        missing = self._pages - len(self._found)
        return tuple(min(offset, end) for offset in [*self._found, *[end] * missing])


def _without_text(blocks: Sequence[Block], pages: int) -> list[int]:
    full = {
        page
        for block in blocks
        for page in range(block.page, block.page + 1 + block.text.count(PAGE))
    }
    return [number for number in range(pages) if number not in full]


def _note(contents: _Contents) -> str | None:
    """Which pages are pictures that were read, and which gave no text."""
    sure = contents.scans.confidence
    said = []
    if sure:
        mean = sum(sure.values()) / len(sure)
        verb = "was" if len(sure) == 1 else "were"
        said.append(
            f"{_counted(list(sure), contents.pages, f'{verb} read by OCR, {mean:.0f} % sure')}"
        )
    if empty := _without_text(contents.blocks, contents.pages):
        have = "has" if len(empty) == 1 else "have"
        said.append(_counted(empty, contents.pages, f"{have} no text"))
        said += filter(None, [contents.scans.why_not])
    return "; ".join(said) or None


def _counted(numbers: Sequence[int], pages: int, what: str) -> str:
    shown = ", ".join(str(number + 1) for number in numbers[:_MOST_NAMED])
    more = ", …" if len(numbers) > _MOST_NAMED else ""
    return f"{len(numbers)} of {pages} pages {what}: {shown}{more}"


READER: FormatReader = PdfReader()
