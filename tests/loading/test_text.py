from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.formats import parse

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(deadline=None)
@given(text=WORDS.filter(str.strip).filter(lambda text: text[0] != "\ufeff"))
@pytest.mark.parametrize("suffix", [".txt", ".md"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_the_text_is_the_file_itself(text: str, mark: bytes, suffix: str) -> None:
    if not text.startswith("%PDF-"):
        assert parse("file" + suffix, mark + text.encode()).text == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_are_honoured_and_left_out(encoding: str) -> None:
    text = "Grüße,\r\nκόσμε\r\u2028日本 \U0001f469\u200d\U0001f52c\n\n"
    assert parse("a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Die Grüße der Straße waren schön – „sehr“ schön. " * 3),
        ("cp1251", "Привет, мир. Это обычный русский текст для проверки. " * 3),
        ("shift_jis", "これは日本語のテキストです。文字コードを調べます。" * 3),
    ],
)
def test_legacy_encodings_are_recognised(encoding: str, text: str) -> None:
    assert parse("a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize(
    "data", [b"", b" \r\n\t\n", codecs.BOM_UTF8, b"\xef\xbb\xbf \n", b"\xff\xfe"]
)
def test_nothing_but_white_space_is_an_empty_file(data: bytes) -> None:
    with pytest.raises(FileRefused, match="empty file"):
        parse("a.txt", data)


@pytest.mark.parametrize(
    "data", [b"a\0b", "Hello".encode("utf-16-le"), b"PK\x03\x04\0\0", b"%PDF-1.7\n"]
)
def test_binary_content_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.txt"):
        parse("a.txt", data)


def test_nul_characters_behind_a_mark_are_refused() -> None:
    with pytest.raises(FileRefused, match="NUL"):
        parse("a.txt", "a\0b".encode("utf-16"))


@pytest.mark.parametrize(
    "data", [codecs.BOM_UTF16_LE + b"\x00\xd8a\x00", codecs.BOM_UTF16_BE + b"a"]
)
def test_damaged_unicode_is_refused(data: bytes) -> None:
    with pytest.raises(FileRefused, match="save it as UTF-8"):
        parse("a.txt", data)


def test_a_text_has_no_title_and_no_structure() -> None:
    parsed = parse("a.txt", b"A first line\n\nTitle: x\n")
    assert (parsed.loader, parsed.title, parsed.headings) == ("text/1", None, ())
