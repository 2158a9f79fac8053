"""One file of each format of word processors, slides and books, from the folder to the citation."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import docx
import pptx
import pytest

from tests.loading.zips import epub, odt

Run: TypeAlias = Callable[..., Any]

FACT = "Room Oak has the phone number 4423."


def _docx() -> bytes:
    made, file = docx.Document(), io.BytesIO()
    made.add_heading("Rooms", 1)
    for text in ("Hello.", FACT):
        made.add_paragraph(text, style="List Number")
    made.save(file)
    return file.getvalue()


def _pptx() -> bytes:
    made, file = pptx.Presentation(), io.BytesIO()
    for title, text in (("Hello", "Nothing here."), ("Rooms", f"Two rooms.\n{FACT}")):
        slide = made.slides.add_slide(made.slide_layouts[1])
        for place, words in zip(slide.placeholders, (title, text), strict=True):
            place.text = words
    made.save(file)
    return file.getvalue()


# By name: the file, and what its answer's citation says: paragraph, page, headings, sentence.
FILES: dict[str, tuple[bytes, int, int | None, list[str], str]] = {
    "a.docx": (_docx(), 3, None, ["Rooms"], f"2. {FACT}"),
    "a.pptx": (_pptx(), 5, 2, ["Rooms"], FACT),
    "a.odt": (
        odt(f'<text:h text:outline-level="1">Rooms</text:h><text:p>{FACT}</text:p>'),
        *(2, None, ["Rooms"], FACT),
    ),
    "a.epub": (epub("<h1>One</h1><p>x</p>", f"<h1>Two</h1><p>{FACT}</p>"), 4, None, ["Two"], FACT),
    "a.rtf": (
        rb"{\rtf1\ansi\pard\outlinelevel0 Rooms\par\pard Hello.\par %s}" % FACT.encode(),
        *(3, None, ["Rooms"], FACT),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_question_finds_the_paragraph_of_its_answer(run: Run, folder: Path, name: str) -> None:
    data, paragraph, page, heading, sentence = FILES[name]
    (folder / name).write_bytes(data)
    (folder / f"~${name}").write_bytes(bytes(162))
    told = run("ingest", folder, "--json").json["results"]
    reasons = {result["source"]: result["reason"] for result in told}
    assert reasons[f"~${name}"].startswith("no document: a lock")
    assert reasons[name] is None
    answer = run("ask", "What is the phone number of room Oak?", "--json").json["answer"]
    citation = answer["citation"]
    assert answer["sentence"] == sentence
    assert (citation["source"], citation["paragraph"], citation["page"]) == (name, paragraph, page)
    assert citation["heading"] == heading
    assert run("doctor").status == 0
    again = run("ingest", folder, "--json").json["results"]
    assert {r["status"] for r in again if r["source"] == name} == {"unchanged"}
