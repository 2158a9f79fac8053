"""Tables, lines of JSON, mail and workbooks made by hand to hurt whoever reads them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import NamedTuple

from aspose.email_foss.msg import MapiMessage
from openpyxl import Workbook

_SHEET = "xl/worksheets/sheet1.xml"
_ENTITIES = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
_LAUGHS = b'<!DOCTYPE x [<!ENTITY e0 "lol">' + _ENTITIES + b"]>"


class Sheet(NamedTuple):
    """The extension of a file, what is to come of it as in `nasty.py`, and how it is built."""

    suffix: str
    outcome: str
    make: Callable[[], bytes]


def workbook(change: Callable[[bytes], bytes] = lambda sheet: sheet) -> bytes:
    """A workbook of two sheets; `change` may make another of the first one's XML."""
    book, file, changed = Workbook(), io.BytesIO(), io.BytesIO()
    for row in (["A title"], ["name", "size, m"], ["East", 1.5], ["West", True]):
        book.active.append(row)
    book.create_sheet("Second").append(["one", "two"])
    book.save(file)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == _SHEET else content)
    return changed.getvalue()


def message() -> bytes:
    """A message of Outlook with a recipient, an attachment and another message in it."""
    made = MapiMessage.create("Subject", "Words.\r\n\r\nMore.")
    made.add_recipient("bob@example.org", display_name="Bob")
    made.add_attachment("a.txt", b"x")
    made.add_embedded_message_attachment(MapiMessage.create("Inner", "Words."))
    return bytes(made.to_bytes())


def _csv(outcome: str, content: bytes) -> Sheet:
    return Sheet(".csv", outcome, lambda: content)


def _json(outcome: str, content: bytes) -> Sheet:
    return Sheet(".jsonl", outcome, lambda: content)


def _mail(outcome: str, content: bytes) -> Sheet:
    return Sheet(".eml", outcome, lambda: b"From: a\n" + content)


def _xlsx(outcome: str, change: Callable[[bytes], bytes]) -> Sheet:
    return Sheet(".xlsx", outcome, lambda: workbook(change))


SHEETS = {
    "quotes that nothing closes": _csv("ok", b"a,b\n" + b'"x,' * 200_000),
    "nothing but delimiters": _csv("ok", b",;\t|" * 200_000),
    "nothing but empty cells": _csv("empty", b",,,\n" * 50_000),
    "a cell of at signs": _csv("ok", b"a,b\n" + b"@" * 200_000 + b" ,1\n"),
    "a cell of digits": _csv("ok", b"a,b\n" + b"1 " * 200_000 + b"x,1\n"),
    "twenty thousand columns": _csv("ok", b"x," * 20_000 + b"\n" + b"1," * 20_000),
    "a binary table": _csv("unsupported", b"a,b\0\n"),
    "arrays in arrays": _json("corrupt", b"[" * 1_000_000),
    "objects in objects": _json("corrupt", b'{"a":' * 100_000),
    "a key of a megabyte": _json("ok", b'{"' + b"k" * 1_000_000 + b'": 1}'),
    "a number of a megabyte": _json("ok", b'{"a": ' + b"9" * 1_000_000 + b"}"),
    "half an object": _json("corrupt", b'{"a": 1}\n{"a": '),
    "an array of arrays": _json("ok", b'{"a": [' + b",".join([b"[1]"] * 100_000) + b"]}"),
    "parts in parts": _mail(
        "corrupt",
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3_000)
        ),
    ),
    "many parts": _mail(
        "too_large", b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 20_000
    ),
    "a To of a megabyte": _mail("ok", b"To: " + b"<a@b>, " * 150_000 + b"\n\nx"),
    "a subject of encoded words": _mail("ok", b"Subject: " + b"=?utf-8?q?a?= " * 5_000 + b"\n\nx"),
    "comments in comments": _mail("ok", b"Date: " + b"(" * 50_000 + b"\n\nx"),
    "many headers": _mail("ok", b"".join(b"X-%d: a\n" % n for n in range(50_000)) + b"\nx"),
    "a name that leads outside": _mail(
        "ok", b'Content-Disposition: attachment; filename="../../a.txt"\n\nx'
    ),
    "an encrypted mail": _mail("unsupported", b"Content-Type: multipart/encrypted\n\nx"),
    "a thousand million laughs": _xlsx(
        "corrupt", lambda sheet: _LAUGHS + sheet.replace(b"<v>1.5</v>", b"<v>&e9;</v>")
    ),
    "a file of the system in a cell": _xlsx(
        "corrupt",
        lambda sheet: (
            b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
            + sheet.replace(b"<v>1.5</v>", b"<v>&f;</v>")
        ),
    ),
    "a sheet that swells": _xlsx(
        "too_large", lambda sheet: sheet.replace(b"<v>1.5</v>", b"<v>1.5</v>" + b" " * 60_000_000)
    ),
    "a sheet that says it is larger": _xlsx(
        "ok",
        lambda sheet: sheet.replace(b'<dimension ref="A1:B4"', b'<dimension ref="A1:XFD1048576"'),
    ),
    "cells in the last column": _xlsx("ok", lambda sheet: sheet.replace(b'r="B', b'r="XFD')),
    "half a sheet": _xlsx("corrupt", lambda sheet: sheet[: len(sheet) // 2]),
    "most of a message": Sheet(".msg", "corrupt", lambda: message()[: len(message()) * 9 // 10]),
    "a message without a directory": Sheet(
        ".msg", "unsupported", lambda: message()[:512] + bytes(len(message()) - 512)
    ),
}
"""By what is wrong with it."""
