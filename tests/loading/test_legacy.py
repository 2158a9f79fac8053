"""Files of older formats are refused with what to do, under whatever name they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.files import Found, Refused, walk
from rag.loading.formats import EXTENSIONS, parse
from rag.loading.legacy import _INSTEAD
from rag.loading.parser import Parser

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def compound(*streams: str) -> bytes:
    """What a compound file with these streams begins with."""
    return COMPOUND + b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)


@pytest.mark.parametrize("extension", sorted(set(_INSTEAD) - EXTENSIONS))
def test_by_extension_before_a_file_is_opened(extension: str, tmp_path: Path) -> None:
    (tmp_path / f"A{extension.upper()}").write_bytes(b"x")
    (found,) = walk(tmp_path, 100)
    assert not isinstance(found, Found)
    assert isinstance(found, Refused)
    assert found.reason == f"unsupported format {extension}; {_INSTEAD[extension]}"


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.txt", "a.csv", "a.pdf", "a.eml"])
@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        ("WordDocument", "the content is a .doc under another name; .* save it as .docx"),
        ("Workbook", "the content is an .xls under another name; .* save it as .xlsx"),
        ("Book", "the content is an .xls under another name; .* save it as .xlsx"),
        ("__properties_version1.0", "the content is a .msg under another name; give it that"),
        ("PowerPoint Document", "the content is a .ppt under another name; .* save it as .pptx"),
    ],
)
def test_by_content(parser: Parser, name: str, stream: str, reason: str) -> None:
    if Path(name).suffix in EXTENSIONS:
        with pytest.raises(UnsupportedFormat, match=reason):
            parser.parse(name, compound("Root Entry", stream))


def test_behind_a_password() -> None:
    with pytest.raises(FileRefused, match="encrypted: remove the password"):
        parse("a.xlsx", compound("Root Entry", "EncryptedPackage", "EncryptionInfo"))


@pytest.mark.parametrize("name", ["a.xlsx", "a.txt", "a.eml"])
def test_of_no_known_program(name: str) -> None:
    with pytest.raises(FileRefused):
        parse(name, COMPOUND)
