"""Which reader reads which file: the extension proposes, the content must agree."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePosixPath

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.base import FormatReader
from rag.loading.legacy import check, instead_of
from rag.types import Parsed

# Modules, not readers: listing a folder must not load four parsing libraries.
_MODULES = {
    ".csv": "delimited",
    ".docm": "docx.reader",
    ".docx": "docx.reader",
    ".eml": "mail",
    ".epub": "epub",
    ".htm": "html.reader",
    ".html": "html.reader",
    ".jsonl": "json_lines",
    ".markdown": "markdown",
    ".md": "markdown",
    ".msg": "outlook",
    ".ndjson": "json_lines",
    ".odt": "odt.reader",
    ".ott": "odt.reader",
    ".pdf": "pdf.reader",
    ".ppsx": "pptx",
    ".pptm": "pptx",
    ".pptx": "pptx",
    ".rtf": "rtf.reader",
    ".tsv": "delimited",
    ".txt": "plain",
    ".xlsm": "xlsx",
    ".xlsx": "xlsx",
}
_LOCK = "~$"

EXTENSIONS = frozenset(_MODULES)
"""Every extension that has a reader: lower case, dot included."""


def extension_of(source: str) -> str:
    """The lower-case extension of a path, or "" where it has none."""
    return PurePosixPath(source).suffix.lower()


def why_unsupported(source: str) -> str | None:
    """The reason for which a path has no reader, or None where it has one."""
    if PurePosixPath(source).name.startswith(_LOCK):
        return "no document: a lock that Office leaves while the file is open; close it there"
    extension = extension_of(source)
    if extension in EXTENSIONS:
        return None
    if instead := instead_of(extension):
        return f"unsupported format {extension}; {instead}"
    kind = f"format {extension}" if extension else "format: no extension"
    return f"unsupported {kind}; supported: {', '.join(sorted(EXTENSIONS))}"


def reader_for(source: str) -> FormatReader:
    """The reader for a path's extension. Raises `UnsupportedFormat`."""
    if reason := why_unsupported(source):
        raise UnsupportedFormat(reason)
    module = import_module(f"rag.loading.{_MODULES[extension_of(source)]}")
    reader: FormatReader = module.READER
    return reader


def loader_of(source: str) -> str:
    """The name and version of the reader for a path's extension. Raises `UnsupportedFormat`."""
    return reader_for(source).loader


def parse(source: str, data: bytes) -> Parsed:
    """Reads a file in this process, without limits. Raises `FileRefused` or a library's error."""
    reader = reader_for(source)
    if not data.strip():
        raise FileRefused("empty file")
    check(extension_of(source), data)
    if not reader.matches(data):
        raise UnsupportedFormat(
            f"the content is no {extension_of(source)}: binary data, or another format; "
            "give it the right extension, or save text as UTF-8"
        )
    return reader.read(data)
