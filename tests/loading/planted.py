"""Files of every format with a fact planted in each: where it stands is known."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from html import escape

import docx
import pptx
from aspose.email_foss.msg import MapiMessage, PropertyId
from fpdf import FPDF
from openpyxl import Workbook
from pptx.util import Emu

from tests.loading.zips import epub, odt

_COLOURS = (
    *("Amber", "Azure", "Cobalt", "Copper", "Coral", "Crimson", "Ebony", "Emerald", "Golden"),
    *("Indigo", "Ivory", "Jade", "Ochre", "Olive", "Pearl", "Purple", "Ruby", "Scarlet"),
    *("Silver", "Violet"),
)
_ANIMALS = (
    *("Albatross", "Badger", "Cormorant", "Dolphin", "Eagle", "Falcon", "Gannet", "Heron"),
    *("Ibis", "Jackal", "Kestrel", "Lynx", "Marlin", "Narwhal", "Otter", "Puffin", "Raven"),
    *("Stork", "Tern", "Walrus"),
)
_FILLERS = (
    "The canteen opens in the morning and closes once the last crew has eaten.",
    "Whoever finds a lost glove takes it to the office beside the crane.",
    "Ropes are coiled clockwise, dried in the wind and hung up by their length.",
    "Visitors wear a helmet and stay behind the yellow line on the quay.",
    "In winter the lamps are lit an hour before it gets dark.",
    "Paint is kept in the shed, and brushes are washed where nobody drinks.",
)
_COLUMNS = ("Model", "Weight", "Price")
_CARGOES = ("timber", "wool", "salt", "oranges", "glass", "paper", "tea", "bricks")
_PAGE_OF = 2  # paragraphs of a generated page


@dataclass(frozen=True, slots=True)
class Planted:
    """A file, the question about its fact, words that the answer has to hold, and where they stand:
    the whole paragraph, the page if the format has any, the source of what is inside a mail.
    """

    kind: str
    name: str
    data: bytes
    question: str
    answer: str
    paragraph: str
    page: int | None
    source: str


@dataclass(frozen=True, slots=True)
class _Fact:
    """In prose of a ship, in a table of a model of one."""

    name: str
    number: int
    cargo: str

    @property
    def pier(self) -> str:
        return f"pier {self.number}"

    @property
    def sentence(self) -> str:
        return f"The {self.name} sails from {self.pier} with a load of {self.cargo}."

    @property
    def price(self) -> str:
        return f"{self.number} euros"

    @property
    def row(self) -> tuple[str, str, str]:
        return self.name, f"{self.number * 3} grams", self.price


@dataclass(frozen=True, slots=True)
class _Made:
    """A file, and what `Planted` tells of it; `inside` is what follows its name in the source."""

    data: bytes
    question: str
    answer: str
    paragraph: str
    page: int | None = None
    inside: str = ""


_Make = Callable[[_Fact, list[str], int, random.Random], _Made]


def planted(each: int, seed: int = 0) -> Iterator[Planted]:
    """So many files of each kind; no ship is in two of them."""
    chance = random.Random(seed)  # noqa: S311 - words, not secrets
    names = [f"{colour} {animal}" for colour in _COLOURS for animal in _ANIMALS]
    chance.shuffle(names)
    for kind, make in KINDS.items():
        for number in range(each):
            fact = _Fact(names.pop(), chance.randrange(10, 99), chance.choice(_CARGOES))
            blocks = chance.sample(_FILLERS, 4)
            made = make(fact, blocks, chance.randrange(len(blocks) + 1), chance)
            name = f"{kind.replace(' ', '-')}-{number}.{kind.split()[0]}"
            told = made.question, made.answer, made.paragraph, made.page, name + made.inside
            yield Planted(kind, name, made.data, *told)


def _told(fact: _Fact, data: bytes, page: int | None = None, inside: str = "") -> _Made:
    """A file with the fact's sentence."""
    question = f"From which pier does the {fact.name} sail?"
    return _Made(data, question, fact.pier, fact.sentence, page, inside)


def _prose(join: Callable[[Sequence[str]], bytes]) -> _Make:
    """Paragraphs, the fact one of them."""

    def make(fact: _Fact, blocks: list[str], at: int, _: random.Random) -> _Made:
        return _told(fact, join([*blocks[:at], fact.sentence, *blocks[at:]]))

    return make


def _paged(join: Callable[[Sequence[Sequence[str]]], bytes]) -> _Make:
    """Pages of paragraphs, the fact on one of them."""

    def make(fact: _Fact, blocks: list[str], at: int, _: random.Random) -> _Made:
        blocks = [*blocks[:at], fact.sentence, *blocks[at:]]
        pages = [blocks[n : n + _PAGE_OF] for n in range(0, len(blocks), _PAGE_OF)]
        return _told(fact, join(pages), page=at // _PAGE_OF + 1)

    return make


def _table(join: Callable[[Sequence[Sequence[str]]], bytes]) -> _Make:
    """Rows under the names of their columns, the fact one of them."""

    def make(fact: _Fact, _: list[str], at: int, chance: random.Random) -> _Made:
        others = [
            _Fact(f"Tug {chance.randrange(10**6)}", chance.randrange(10, 99), "") for _ in range(4)
        ]
        rows = [_COLUMNS, *(one.row for one in [*others[:at], fact, *others[at:]])]
        shown = "; ".join(
            f"{name}: {value}" for name, value in zip(_COLUMNS, fact.row, strict=True)
        )
        question = f"What is the price of the {fact.name}?"
        return _Made(join(rows), question, fact.price, shown)

    return make


def _html(body: str) -> bytes:
    page = f"<html><head><title>Harbour</title></head><body><article>{body}</article></body></html>"
    return page.encode()


def _html_table(rows: Sequence[Sequence[str]]) -> bytes:
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    lines[0] = lines[0].replace("td>", "th>")
    return _html("<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>")


def _pdf(pages: Sequence[Sequence[str]]) -> bytes:
    file = FPDF()
    file.set_font("Helvetica", size=11)
    for page in pages:
        file.add_page()
        for block in page:
            file.multi_cell(0, 6, block, new_x="LMARGIN", new_y="NEXT")
            file.ln(6)
    return bytes(file.output())


def _docx(blocks: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> bytes:
    file = docx.Document()
    for block in blocks:
        file.add_paragraph(block)
    if rows:
        table = file.add_table(len(rows), len(rows[0]))
        for row, cells in zip(table.rows, rows, strict=True):
            for cell, value in zip(row.cells, cells, strict=True):
                cell.text = value
    return _bytes(file.save)


def _pptx(pages: Sequence[Sequence[str]]) -> bytes:
    file = pptx.Presentation()
    for page in pages:
        slide = file.slides.add_slide(file.slide_layouts[1])
        slide.placeholders[0].text = "Harbour"
        slide.placeholders[1].text = "\n".join(page)
    return _bytes(file.save)


def _notes(fact: _Fact, blocks: list[str], at: int, _: random.Random) -> _Made:
    """A fact among a speaker's notes."""
    file = pptx.Presentation()
    for number, block in enumerate(blocks):
        slide = file.slides.add_slide(file.slide_layouts[6])
        slide.shapes.add_textbox(Emu(0), Emu(0), Emu(9), Emu(9)).text_frame.text = block
        if number == at % len(blocks):
            slide.notes_slide.notes_text_frame.text = fact.sentence
    told = _told(fact, _bytes(file.save), page=at % len(blocks) + 1)
    return replace(told, paragraph=f"Notes: {fact.sentence}")


def _delimited(delimiter: str) -> Callable[[Sequence[Sequence[str]]], bytes]:
    def join(rows: Sequence[Sequence[str]]) -> bytes:
        lines = io.StringIO()
        csv.writer(lines, delimiter=delimiter).writerows(rows)
        return lines.getvalue().encode()

    return join


def _xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    return _bytes(book.save)


def _records(rows: Sequence[Sequence[str]]) -> bytes:
    records = (dict(zip(rows[0], row, strict=True)) for row in rows[1:])
    return "\n".join(json.dumps(record) for record in records).encode()


def _mail(blocks: Sequence[str], attached: str = "") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ada@example.org", "bob@example.org", "Harbour"
    mail.set_content("\n\n".join(blocks))
    if attached:
        mail.add_attachment(attached, filename="ship.txt")
    return mail.as_bytes()


def _attachment(fact: _Fact, blocks: list[str], at: int, _: random.Random) -> _Made:
    words = "\n\n".join([*blocks[:at], fact.sentence, *blocks[at:]])
    return _told(fact, _mail(blocks, words), inside="/ship.txt")


def _outlook(blocks: Sequence[str]) -> bytes:
    made = MapiMessage.create("Harbour", "\r\n\r\n".join(blocks))
    made.set_property(PropertyId.SENDER_NAME, "Ada")
    made.set_property(PropertyId.MESSAGE_DELIVERY_TIME, datetime(2024, 3, 5, tzinfo=UTC))
    return bytes(made.to_bytes())


def _bytes(save: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


KINDS: dict[str, _Make] = {
    "txt": _prose(lambda blocks: "\r\n\r\n".join(blocks).encode()),
    "md": _prose(lambda blocks: ("# Harbour\n\n" + "\n\n".join(blocks)).encode()),
    "html": _prose(lambda blocks: _html("".join(f"<p>{escape(block)}</p>" for block in blocks))),
    "html table": _table(_html_table),
    "pdf": _paged(_pdf),
    "docx": _prose(_docx),
    "docx table": _table(lambda rows: _docx((), rows)),
    "odt": _prose(lambda blocks: odt("".join(f"<text:p>{escape(one)}</text:p>" for one in blocks))),
    "rtf": _prose(lambda blocks: (r"{\rtf1\ansi " + r"\par ".join(blocks) + "}").encode()),
    "pptx": _paged(_pptx),
    "pptx notes": _notes,
    "epub": _prose(lambda blocks: epub(*(f"<p>{escape(block)}</p>" for block in blocks))),
    "csv": _table(_delimited(";")),
    "tsv": _table(_delimited("\t")),
    "xlsx": _table(_xlsx),
    "jsonl": _table(_records),
    "eml": _prose(_mail),
    "eml attachment": _attachment,
    "msg": _prose(_outlook),
}
