"""D: hostile and damaged files of every format; each is read or refused, at its own cost only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fpdf import FPDF

from rag.errors import FileRefused
from rag.loading.parser import Parser
from rag.types import Parsed
from tests.loading.nasty import HUGE, NASTY
from tests.loading.test_hostile import GOOD, MOST_GROWTH, check, resident
from tests.soak.mutations import damaged
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes

_SIZES = Sizes(pr=300, nightly=20_000)
_MADE = dict(enumerate(NASTY.values())) | dict(enumerate(HUGE.values(), _SIZES.pr))
_CONTROLS = 60  # cases


class _Leaking(Parser):
    """A planted fault: NUL reaches the text."""

    def parse(self, source: str, data: bytes) -> Parsed:
        parsed = super().parse(source, data)
        return replace(parsed, text=parsed.text + "\0")


class _Raising(Parser):
    """A planted fault: a refusal is an error of no kind that is reported."""

    def parse(self, source: str, data: bytes) -> Parsed:
        try:
            return super().parse(source, data)
        except FileRefused as refused:
            raise ValueError(str(refused)) from None


class DamagedDocuments(Anywhere):
    """D. A case is a number: a file made by hand, else mutations of good ones."""

    name = "D"
    title = "a hostile or damaged file is loaded"
    sizes = _SIZES
    first = "0"

    def __init__(self, parser: type[Parser] = Parser) -> None:
        self._parser = parser()  # its child lives on from file to file, as in the product
        self._good = {**GOOD, ".pdf": _pdf()}
        self._memory: int | None = None

    def case(self, bench: Bench, at: str) -> Case:
        suffix, data = self._file(bench, int(at))
        return Case(self._violation(suffix, data), str(int(at) + 1))

    def controls(self, bench: Bench) -> Sequence[Control]:
        self._parser.close()
        return [
            Control("NUL in the text", _is_found(bench, _Leaking)),
            Control("an error that is no refusal", _is_found(bench, _Raising)),
        ]

    def close(self) -> None:
        self._parser.close()

    def _file(self, bench: Bench, number: int) -> tuple[str, bytes]:
        if nasty := _MADE.get(number):
            return nasty.suffix, nasty.make()
        chance = bench.chance("document", number)
        suffix = chance.choice(sorted(self._good))
        others = [data for other, data in self._good.items() if other != suffix]
        data = self._good[suffix]
        for _ in range(chance.randint(1, 4)):
            _, data = damaged(data, others, chance)
        return suffix, data

    def _violation(self, suffix: str, data: bytes) -> str | None:
        try:
            check(self._parser.parse("file" + suffix, data), suffix)
        except FileRefused as refused:
            if str(Path(__file__).parents[2]) in str(refused) or "Traceback" in str(refused):
                return f"a refusal shows the server: {refused}"
        except Exception as error:
            return f"{suffix}: {type(error).__name__}: {error}"
        try:
            if self._parser.parse("a.txt", b"next").text != "next":
                return f"{suffix}: the next file is read otherwise"
        except Exception as error:
            return f"{suffix}: the next file fails: {error}"
        now = resident() - len(data)
        self._memory = self._memory or now
        grown = now - self._memory
        return f"memory grew by {grown} bytes" if grown > MOST_GROWTH else None


def _is_found(bench: Bench, parser: type[Parser]) -> bool:
    row = DamagedDocuments(parser)
    try:
        return any(row.case(bench, str(at)).violation for at in range(_CONTROLS))
    finally:
        row.close()


def _pdf() -> bytes:
    pdf = FPDF()
    for words in ("One paragraph of it.", "Another page."):
        pdf.add_page()
        pdf.set_font("Helvetica", size=11)
        pdf.multi_cell(0, 6, words)
    return bytes(pdf.output())
