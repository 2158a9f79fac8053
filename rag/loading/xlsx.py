"""XLSX: a sheet is a heading, a row a paragraph that names its columns.

Cells are shown as the program shows them where their format is a simple one, dates as ISO 8601;
formulas by the results that were stored with them. Hidden sheets, rows and columns are read, too:
nobody would look for what is missing. A merged cell has its words once, where it begins.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from openpyxl import load_workbook
from openpyxl.packaging.core import DocumentProperties

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.metadata import one_line
from rag.loading.records import lines
from rag.loading.rendering import Rendering
from rag.loading.zipped import is_zip, members
from rag.types import Parsed

_PROPERTIES = "docProps/core.xml"
_FORMAT = re.compile(r"(#,##)?0(\.0{1,15})?(%)?")
_DIGITS = 15  # significant ones, which is what the programs keep


class XlsxReader:
    """Reads .xlsx and .xlsm, whose macros are never looked at."""

    loader = "xlsx/1"
    extensions = frozenset({".xlsx", ".xlsm"})

    def matches(self, data: bytes) -> bool:
        return is_zip(data) and any(name.startswith("xl/") for name in members(data))

    def read(self, data: bytes) -> Parsed:
        described = _PROPERTIES in members(data)
        try:
            rendering, properties = _read(data)
        except MemoryError:
            raise
        except Exception:
            # The library raises whatever damaged input leads it to; no list would be complete.
            raise FileRefused(
                "damaged workbook: its cells can't be read; open it and save it afresh"
            ) from None
        if not rendering.offset:
            raise FileRefused("no text came out: its cells are empty")
        changed = properties.modified or properties.created
        return Parsed(
            text=rendering.text,
            loader=self.loader,
            title=one_line(properties.title),
            date=changed.date().isoformat() if described and changed else None,
            headings=rendering.headings,
        )


def _read(data: bytes) -> tuple[Rendering, DocumentProperties]:
    rendering = Rendering()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of features that have no words in them
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # which a file may state as it likes
            heading: str | None = sheet.title
            for line in lines(_rows(sheet.iter_rows())):
                if heading:
                    rendering.add(heading, level=1)
                    heading = None
                rendering.add(line)
    return rendering, book.properties


def _rows(rows: Iterable[Iterable[Any]]) -> Iterator[list[str]]:
    for row in rows:
        yield ["" if cell.value is None else _shown(cell) for cell in row]


def _shown(cell: Any) -> str:
    """A cell's value in words."""
    match value := cell.value:
        case bool():
            return str(value).upper()
        case int() | float():
            return _number(value, cell.number_format)
        case datetime():
            moment = value + timedelta(microseconds=500_000)  # days are stored as fractions
            return moment.isoformat(" ", "seconds").removesuffix(" 00:00:00").removesuffix(":00")
        case time():
            return value.isoformat("seconds").removesuffix(":00")
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _number(value: float, number_format: str) -> str:
    form = _FORMAT.fullmatch(number_format)
    if form is None:
        return str(value) if isinstance(value, int) else f"{value:.{_DIGITS}g}"
    grouped, decimals, percent = form.groups()
    exact = Decimal(f"{value:.{_DIGITS}g}") * (100 if percent else 1)
    rounded = exact.quantize(Decimal(1).scaleb(1 - len(decimals or ".")), ROUND_HALF_UP)
    grouping = "," if grouped else ""
    return f"{rounded + 0:{grouping}f}{percent or ''}"  # adding 0 takes a sign from 0


READER: FormatReader = XlsxReader()
