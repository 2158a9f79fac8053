"""Documents full of addresses are read, and none of these is ever asked for anything."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fpdf import FPDF

from rag.assembly import build
from rag.settings import Settings
from rag.types import Status


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Somebody on this machine whom no document may make the server call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def _address(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def _html(address: str) -> bytes:
    return (
        f'<!doctype html><html manifest="{address}/a"><head><base href="{address}/">'
        f'<meta http-equiv=refresh content="0; url={address}/b"><title>Addresses</title>'
        f'<link rel=stylesheet href="c.css"><link rel=preload href="{address}/d" as=image>'
        f'<script src="{address}/e.js"></script><style>@import "{address}/f";</style></head>'
        f'<body background="{address}/g"><img src="{address}/h" srcset="{address}/i 2x">'
        f'<iframe src="{address}/j"></iframe><object data="{address}/k"></object>'
        f'<video src="{address}/l" poster="{address}/m"></video><embed src="{address}/n">'
        f'<svg><image href="{address}/o"/><use href="{address}/p#q"/></svg>'
        f"<p>Addresses of every kind stand here: {address}/r.</p></body></html>"
    ).encode()


def _markdown(address: str) -> bytes:
    return (
        f"# Addresses\n\n![picture]({address}/a) [link]({address}/b) <{address}/c>\n\n"
        f'![named][d] and <img src="{address}/e"> stand here.\n\n[d]: {address}/d "title"\n\n'
        f"```{{include}} {address}/f\n```\n"
    ).encode()


def _pdf(address: str) -> bytes:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    pdf.multi_cell(0, 6, f"Addresses stand here: {address}/a.", link=f"{address}/b")
    opened = b"/Type /Catalog /OpenAction <</S /URI /URI (%s/c)>>" % address.encode()
    whole = bytes(pdf.output()).replace(b"/Type /Catalog", opened)
    assert opened in whole
    return whole


def test_no_address_in_a_document_is_asked_for(tmp_path: Path, listening: socket.socket) -> None:
    address = _address(listening)
    folder = tmp_path / "folder"
    folder.mkdir()
    made = {
        "a.html": _html(address),
        "a.md": _markdown(address),
        "a.pdf": _pdf(address),
        "a.txt": f"Addresses such as {address}/a stand here.".encode(),
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    settings = Settings(
        home=tmp_path / "home", cache=tmp_path / "cache", embedder="hashing", reader="sentence"
    )
    with closing(build(settings)) as service:
        assert service.ingest([folder]).count(Status.ADDED) == len(made)
        assert service.ask(f"Which addresses stand at {address}?").passages
    with pytest.raises(BlockingIOError):
        listening.accept()


def test_whoever_is_asked_notices(listening: socket.socket) -> None:
    with socket.create_connection(listening.getsockname()):
        listening.accept()[0].close()
