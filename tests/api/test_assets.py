"""The page as it goes over the wire."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

PAGE = Path(__file__).parents[2] / "api" / "page"
ROUTES = {"index.html": "/", "docs.html": "/docs"}
FILES = sorted(path.name for path in PAGE.iterdir())


def test_the_whole_page_is_small(client: TestClient) -> None:
    sizes = {}
    for name in FILES:
        route = ROUTES.get(name, f"/page/{name}")
        with client.stream("GET", route, headers={"Accept-Encoding": "gzip"}) as reply:
            sizes[name] = len(b"".join(reply.iter_raw()))
    assert set(sizes) >= {"index.html", "page.css", "page.js"}
    assert sum(sizes.values()) < 35_000, sizes


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_the_same_packed_and_as_it_is(client: TestClient, name: str) -> None:
    route = ROUTES.get(name, f"/page/{name}")
    with client.stream("GET", route, headers={"Accept-Encoding": "gzip, br"}) as packed:
        raw = b"".join(packed.iter_raw())
    plain = client.get(route, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == plain.content == (PAGE / name).read_bytes()


@pytest.mark.parametrize("given", ["bytes=0-0,1-1", "bytes=99999999999999999999-", "x", "bytes=-"])
@pytest.mark.parametrize("route", ["/", "/docs", "/page/page.js", "/docs/swagger-ui.css"])
def test_a_part_is_never_given(client: TestClient, route: str, given: str) -> None:
    whole = client.get(route, headers={"Accept-Encoding": "identity"})
    part = client.get(route, headers={"Accept-Encoding": "identity", "Range": given})
    assert (part.status_code, part.content) == (200, whole.content)
