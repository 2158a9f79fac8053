"""Narrowing a question to folders, types and dates; what there is to name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

Problem = Callable[..., dict[str, Any]]

_QUESTION = "When does the harbour office close?"
_FILES = {
    "handbook/new/hours.md": "---\ndate: 2025-03-01\n---\nThe harbour office closes at 18:00.\n",
    "handbook/old/hours.md": "---\ndate: 2018-03-01\n---\nThe harbour office closes at 16:00.\n",
    "handbook/hours.txt": "The harbour office closes at noon on Sundays.\n",
    "handbook2/hours.txt": "The harbour office closes at 17:00 in winter.\n",
}


@pytest.fixture(scope="module")
def harbour(
    serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("harbour")
    for source, text in _FILES.items():
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        (folder / source).write_text(text)
    with serve(tmp_path_factory.mktemp("home"), paths=(folder,)) as client:
        yield client


def _found(client: TestClient, filters: Any) -> set[str]:
    """The sources of passages, the same for both routes and of answers, too."""
    body = {"question": _QUESTION, "filters": filters}
    reply, search = (client.post(f"/v1/{route}", json=body).json() for route in ("ask", "search"))
    places = [
        {c["source"] for p in passages for c in (p["citation"], *p["also_in"])}
        for passages in (reply["passages"], search["passages"], reply["answers"])
    ]
    assert places[0] == places[1] >= places[2]
    assert bool(places[0]) == bool(reply["answers"])
    return places[0]


@pytest.mark.parametrize(
    ("filters", "sources"),
    [
        (None, set(_FILES)),
        ({}, set(_FILES)),
        ({"folders": [], "types": [], "date_from": None, "date_to": None}, set(_FILES)),
        ({"folders": ["handbook2"]}, {"handbook2/hours.txt"}),
        ({"folders": ["handbook"]}, set(_FILES) - {"handbook2/hours.txt"}),
        ({"folders": ["handbook/new", "handbook/old/"]},
         {"handbook/new/hours.md", "handbook/old/hours.md"}),
        ({"types": ["md"]}, {"handbook/new/hours.md", "handbook/old/hours.md"}),
        ({"types": ["md", "txt"]}, set(_FILES)),
        ({"date_from": "2018-03-01"}, {"handbook/new/hours.md", "handbook/old/hours.md"}),
        ({"date_from": "2018-03-02"}, {"handbook/new/hours.md"}),
        ({"date_to": "2018-03-01"}, {"handbook/old/hours.md"}),
        ({"date_from": "2025-03-01", "date_to": "2025-03-01"}, {"handbook/new/hours.md"}),
        ({"folders": ["handbook"], "types": ["txt"]}, {"handbook/hours.txt"}),
    ],
)  # fmt: skip
def test_filters(harbour: TestClient, filters: Any, sources: set[str]) -> None:
    assert _found(harbour, filters) == sources


@pytest.mark.parametrize(
    "filters",
    [{"folders": ["HANDBOOK"]}, {"folders": ["hand%"]}, {"types": ["docx"]},
     {"date_to": "1999-12-31"}, {"folders": ["handbook2"], "types": ["md"]}],
)  # fmt: skip
def test_nothing_found(harbour: TestClient, filters: Any) -> None:
    reply = harbour.post("/v1/ask", json={"question": _QUESTION, "filters": filters}).json()
    assert (reply["reason"], reply["passages"]) == ("no_passage", [])


def test_a_passage_keeps_its_score(harbour: TestClient) -> None:
    def scores(filters: Any) -> dict[str, float]:
        body = {"question": _QUESTION, "filters": filters}
        passages = harbour.post("/v1/search", json=body).json()["passages"]
        return {p["citation"]["source"]: p["score"] for p in passages}

    every, some = scores(None), scores({"types": ["txt"]})
    assert some == {source: score for source, score in every.items() if source.endswith("txt")}


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({"folders": [""]}, "handbook/archive"),
        ({"folders": ["/etc"]}, "absolute"),
        ({"folders": ["a", "../b"]}, ".. parts"),
        ({"folders": ["\0"]}, "filters.folders.0: holds a NUL"),
        ({"folders": "handbook"}, "filters.folders: "),
        ({"folders": ["a"] * 101}, "at most 100"),
        ({"types": ["a"] * 101}, "at most 100"),
        ({"types": [".pdf"]}, "without the dot"),
        ({"date_from": "yesterday"}, "YYYY-MM-DD"),
        ({"date_from": "2025-02-30"}, "YYYY-MM-DD"),
        ({"date_to": 20250131}, "filters.date_to: "),
        ({"date_from": "2025-02-01", "date_to": "2025-01-01"}, "swap"),
        ({"folder": ["handbook"]}, "filters.folder: "),
        ("handbook", "filters: "),
    ],
)
@pytest.mark.parametrize("route", ["ask", "search"])
def test_bad_filters(
    client: TestClient, check_problem: Problem, route: str, filters: Any, told: str
) -> None:
    response = client.post(f"/v1/{route}", json={"question": _QUESTION, "filters": filters})
    assert told in check_problem(response, 422)["detail"]


def test_what_filters_can_name(harbour: TestClient) -> None:
    overview = harbour.get("/v1/collections/default").json()
    (listed,) = harbour.get("/v1/collections").json()["collections"]
    assert overview == listed | {
        "folders": [
            {"folder": "handbook", "documents": 3},
            {"folder": "handbook2", "documents": 1},
            {"folder": "handbook/new", "documents": 1},
            {"folder": "handbook/old", "documents": 1},
        ],
        "types": [{"type": "md", "documents": 2}, {"type": "txt", "documents": 2}],
        "date_from": "2018-03-01",
        "date_to": "2025-03-01",
    }


@pytest.mark.parametrize("name", ["none", "NONE", "x" * 64, "%00", "%ff%fe", "..%2f..%2fetc"])
def test_unknown_collections(client: TestClient, check_problem: Problem, name: str) -> None:
    assert len(check_problem(client.get(f"/v1/collections/{name}"), 404)["detail"]) < 200
