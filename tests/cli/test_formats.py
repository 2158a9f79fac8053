"""One file of each format that people's programs make, from the folder to the cited paragraph."""

from __future__ import annotations

import io
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from aspose.email_foss.msg import MapiMessage
from openpyxl import Workbook

Run: TypeAlias = Callable[..., Any]

TABLE = [["room", "seats", "phone"], ["Elm", "12", "4411"], ["Oak", "40", "4423"]]


def _delimited(delimiter: str) -> bytes:
    return "\r\n".join(delimiter.join(row) for row in TABLE).encode()


def _workbook() -> bytes:
    file, book = io.BytesIO(), Workbook()
    book.active.title = "Rooms"
    for row in TABLE:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def _mail(attached: bytes | None = None) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ada@example.org", "Rooms"
    mail.set_content("Hello.\n\nRoom Oak has the phone number 4423.\n")
    if attached:
        mail.set_content("See below.")
        mail.add_attachment(attached, "text", "csv", filename="rooms.csv")
    return bytes(mail)


ROW = "room: Oak; seats: 40; phone: 4423"
JSON = b'{"room": "Elm", "phone": 4411}\n{"room": "Oak", "phone": 4423}\n'
FILES = {
    "a.csv": (_delimited(";"), "a.csv", 2, ROW),
    "a.tsv": (_delimited("\t"), "a.tsv", 2, ROW),
    "a.jsonl": (JSON, "a.jsonl", 2, "room: Oak; phone: 4423"),
    "a.xlsx": (_workbook(), "a.xlsx", 3, ROW),
    "a.eml": (_mail(), "a.eml", 3, "Room Oak has the phone number 4423."),
    "b.eml": (_mail(_delimited(",")), "b.eml/rooms.csv", 2, ROW),
    "a.msg": (
        MapiMessage.create("Rooms", "Hello.\r\n\r\nRoom Oak has the phone 4423.").to_bytes(),
        *("a.msg", 3, "Room Oak has the phone 4423."),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_question_finds_the_paragraph_of_its_answer(run: Run, folder: Path, name: str) -> None:
    data, source, paragraph, sentence = FILES[name]
    (folder / name).write_bytes(data)
    assert run("ingest", folder).status == 0
    answer = run("ask", "What is the phone number of room Oak?", "--json").json["answer"]
    assert answer["sentence"] == sentence
    assert (answer["citation"]["source"], answer["citation"]["paragraph"]) == (source, paragraph)
    assert run("doctor").status == 0
    again = run("ingest", folder, "--json").json["results"]
    assert {result["status"] for result in again} == {"unchanged"}
