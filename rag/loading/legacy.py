"""Formats that nobody reads here, each with what to do instead."""

from __future__ import annotations

from rag.errors import FileRefused, UnsupportedFormat

_WORD = "open it in Word or LibreOffice and save it as .docx"
_EXCEL = "open it in Excel or LibreOffice and save it as .xlsx"
_SLIDES = "open it in PowerPoint or LibreOffice and save it as .pptx"
_INSTEAD = {
    ".doc": _WORD,
    ".dot": _WORD,
    ".key": "open it in Keynote and export it as .pptx or .pdf",
    ".mobi": "convert it to .epub",
    ".numbers": "open it in Numbers and export it as .xlsx",
    ".odp": _SLIDES,
    ".ods": _EXCEL,
    ".pages": "open it in Pages and export it as .docx or .pdf",
    ".pot": _SLIDES,
    ".pps": _SLIDES,
    ".ppt": _SLIDES,
    ".wpd": _WORD,
    ".xls": _EXCEL,
    ".xlsb": _EXCEL,
    ".xlt": _EXCEL,
}
_COMPOUND = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # with which every Office file of before 2007 begins
)
# The streams of such a file, by which its program is told.
_STREAMS = (
    ("__properties_version1.0", "a .msg", "give it that extension"),
    ("WordDocument", "a .doc", _WORD),
    ("Workbook", "an .xls", _EXCEL),
    ("Book", "an .xls", _EXCEL),
    ("PowerPoint Document", "a .ppt", _SLIDES),
)


def instead_of(extension: str) -> str | None:
    """What to do with a file of this extension, if it is known and not read."""
    return _INSTEAD.get(extension)


def check(extension: str, data: bytes) -> None:
    """Raises `FileRefused` where the content is one of these, whatever the file is called."""
    if extension == ".msg" or not data.startswith(_COMPOUND):
        return  # the former is a compound file, too, and may hold any of the others
    if _name("EncryptedPackage") in data:
        raise FileRefused("encrypted: remove the password and add it again")
    for stream, kind, instead in _STREAMS:
        if _name(stream) in data:
            raise UnsupportedFormat(f"the content is {kind} under another name; {instead}")


def _name(stream: str) -> bytes:
    """A stream's name as the directory of a compound file has it."""
    return f"{stream}\0".encode("utf-16-le")
