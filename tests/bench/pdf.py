"""How many paragraphs of a PDF arrive exactly as they were written, in order.

    python -m tests.bench.pdf [--seeds 100-159] [--producers fpdf2 reportlab chromium]

Prints Markdown: for each producer and number of columns the share of paragraphs (headings and list
items included) that arrive, and how many arrive that nobody wrote.
"""

from __future__ import annotations

import argparse
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from rag.loading.pdf.reader import READER
from rag.text import paragraphs
from tests.bench.pdf_pages import Made, make
from tests.bench.pdf_producers import by_chromium, by_reportlab


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Of `written` paragraphs `exact` arrived in order; `extra` arrived that were not written."""

    written: int
    exact: int
    extra: int

    def __add__(self, other: Fidelity) -> Fidelity:
        return Fidelity(
            self.written + other.written, self.exact + other.exact, self.extra + other.extra
        )

    @property
    def share(self) -> float:
        return self.exact / self.written


def arrived(data: bytes) -> list[str]:
    text = READER.read(data).text
    return [span.of(text) for span in paragraphs(text)]


def judged(made: Made) -> Fidelity:
    """Reads a document and compares it with what was written."""
    found = arrived(made.data)
    return Fidelity(len(made.paragraphs), _in_order(made.paragraphs, found),
                    len(set(found) - set(made.paragraphs)))  # fmt: skip


def _in_order(written: Sequence[str], found: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    places: dict[str, list[int]] = {}
    for number, text in enumerate(found):
        places.setdefault(text, []).append(number)
    ends: list[int] = []
    for text in written:
        for place in reversed(places.get(text, [])):
            where = bisect_left(ends, place)
            ends[where : where + 1] = [place]
    return len(ends)


def _by_fpdf2(seeds: Sequence[int], columns: int) -> list[Made]:
    return [make(seed, columns) for seed in seeds]


def _by_reportlab(seeds: Sequence[int], columns: int) -> list[Made]:
    return [by_reportlab(seed, columns) for seed in seeds]


_PRODUCERS = {"fpdf2": _by_fpdf2, "reportlab": _by_reportlab, "chromium": by_chromium}


def main() -> None:
    """Prints the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", default="100-159")
    options.add_argument("--producers", nargs="+", choices=_PRODUCERS, default=["fpdf2"])
    arguments = options.parse_args()
    first, last = map(int, arguments.seeds.split("-"))
    print("| producer | columns | documents | paragraphs | exact | extra |")
    print("|" + "---|" * 6)
    for producer, columns in product(arguments.producers, (1, 2)):
        made = _PRODUCERS[producer](range(first, last + 1), columns)
        total = sum((judged(one) for one in made), Fidelity(0, 0, 0))
        print(f"| {producer} | {columns} | {len(made)} | {total.written} | {total.share:.2%} "
              f"| {total.extra} |")  # fmt: skip


if __name__ == "__main__":
    main()
