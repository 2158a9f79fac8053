"""Clients that are slow on purpose, against a real server process."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator

import pytest

from tests.served import Served, serving

_SECONDS = "1"
_REPLIES = 20


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    variables = {
        "RAG_TOKEN": "secret",
        "RAG_HEADER_SECONDS": _SECONDS,
        "RAG_BODY_SECONDS": _SECONDS,
    }
    with serving(tmp_path_factory.mktemp("slow") / "home", variables=variables) as served:
        yield served


@pytest.fixture
def port(served: Served) -> int:
    return served.port


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def _until_the_end(connection: socket.socket) -> bytes:
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionResetError:
        pass
    return received


def _sent_until_refused(connection: socket.socket, piece: bytes, pause: float) -> int:
    """How many bytes a client gets rid of before the connection is no more."""
    sent = 0
    try:
        while True:
            sent += connection.send(piece)
            time.sleep(pause)
    except (ConnectionResetError, BrokenPipeError):
        return sent


def test_idle_connections_stop_nobody_and_are_closed(served: Served) -> None:
    port = served.port
    idle = [_connected(port) for _ in range(300)]
    half = [_connected(port) for _ in range(50)]
    for connection in half:
        connection.sendall(b"GET /v1/status HTTP/1.1\r\nHost:")
    assert served.request("GET", "/healthz")[0] == 200
    assert {_until_the_end(connection) for connection in idle} == {b""}
    for connection in half:
        head, _, body = _until_the_end(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == 408
    for connection in (*idle, *half):
        connection.close()


def test_a_head_that_trickles_is_cut(port: int) -> None:
    with _connected(port) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        assert _sent_until_refused(connection, b"y", 0.1) < 100


def test_a_body_that_trickles_gets_a_problem(port: int) -> None:
    with _connected(port) as connection:
        connection.sendall(
            b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        reply = _until_the_end(connection)
    assert reply.startswith(b"HTTP/1.1 408 ")
    assert b"request_id" in reply


def test_what_is_no_http_gets_a_problem(port: int) -> None:
    with _connected(port) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        reply = _until_the_end(connection)
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in reply


@pytest.mark.parametrize(
    ("token", "status"), [(b"", b"401"), (b"Authorization: Bearer secret\r\n", b"413")]
)
def test_a_refused_gigabyte_is_not_taken(port: int, token: bytes, status: bytes) -> None:
    with _connected(port) as connection:
        connection.sendall(
            b"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n" + token + b"\r\n"
        )
        assert connection.recv(12) == b"HTTP/1.1 " + status
        sent = _sent_until_refused(connection, b"x" * 65_536, 0)
        assert sent < 30_000_000  # what the system itself holds of a connection


def test_a_reader_that_takes_nothing_is_closed(port: int) -> None:
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    slow.connect(("127.0.0.1", port))
    slow.settimeout(60)
    slow.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n" * _REPLIES)
    time.sleep(4)
    taken = _until_the_end(slow)
    slow.close()
    size = re.search(rb"content-length: (\d+)", taken)
    assert size
    assert int(size[1]) * _REPLIES > 10_000_000  # more than any socket's buffers hold
    assert len(taken) < int(size[1]) * _REPLIES
