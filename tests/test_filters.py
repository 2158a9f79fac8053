"""What filters can't mean is refused in words; what a source is filtered by."""

from __future__ import annotations

from typing import Any

import pytest

from rag.errors import InvalidInput
from rag.filters import EVERYTHING, Filters, folders_of, type_of


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        *(
            ({"folders": ("ok", name)}, "handbook/archive")
            for name in ("", "/", "/etc", "..", "a/../b", "./a", ".", "a//b", "a//")
        ),
        *(({"types": (name,)}, "such as pdf") for name in ("", ".pdf", "PDF", "a/b")),
        *(
            ({name: day}, "YYYY-MM-DD")
            for name in ("date_from", "date_to")
            for day in (
                "",
                "today",
                "2025-02-30",
                "20250131",
                "2025-W05-5",
                "2025-1-31",
                "２025-01-31",
            )
        ),
        ({"date_from": "2025-02-01", "date_to": "2025-01-31"}, "swap"),
        ({"folders": ("a",) * 101}, "more than 100"),
        ({"types": ("a",) * 101}, "more than 100"),
    ],
)
def test_what_can_not_be_meant(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Filters(**fields)


def test_what_can_be_meant() -> None:
    day = "2025-01-31"
    assert Filters(("a",) * 100, ("md",) * 100, day, day) != EVERYTHING
    assert Filters(("handbook/",)) == Filters(("handbook",))
    assert Filters(("... /%_", "a.b/..c")).folders == ("... /%_", "a.b/..c")


def test_a_source_is_filtered_by() -> None:
    assert list(folders_of("a/b.c/d.tar.GZ")) == ["a", "a/b.c"]
    assert list(folders_of("d.txt")) == []
    assert type_of("a/b.c/d.tar.GZ") == "gz"
    assert type_of("a.b/c") == ""
