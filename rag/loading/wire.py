"""What passes between the parser and its child process: framed messages, JSON, no pickle."""

from __future__ import annotations

import json
import socket
import time
from base64 import b64decode, b64encode
from dataclasses import asdict, replace
from typing import Any

from rag.types import Attachment, Heading, Parsed, Span

_HEADER = 8  # bytes: the length of what follows, big-endian
_PIECE = 1 << 20


def send(channel: socket.socket, message: bytes) -> None:
    """Sends one message whole. Raises `OSError` where nobody takes it in time."""
    channel.sendall(len(message).to_bytes(_HEADER, "big"))
    channel.sendall(message)


def receive(channel: socket.socket, at_most: int, seconds: float | None = None) -> bytes:
    """The next message. Raises `OSError`: `TimeoutError` when late, `ConnectionError` at the end
    of the stream or for a message of more than `at_most` bytes.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    size = int.from_bytes(_exactly(channel, _HEADER, deadline), "big")
    if size > at_most:
        raise ConnectionError("message too long")
    return _exactly(channel, size, deadline)


def _exactly(channel: socket.socket, size: int, deadline: float | None) -> bytes:
    message = bytearray()
    while len(message) < size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            channel.settimeout(left)
        piece = channel.recv(min(_PIECE, size - len(message)))
        if not piece:
            raise ConnectionError("the other side has gone")
        message += piece
    return bytes(message)


def packed(content: dict[str, Any]) -> bytes:
    """A JSON object as UTF-8. Raises `UnicodeEncodeError` for lone surrogates."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def unpacked(message: bytes) -> dict[str, Any]:
    """The JSON object in a message. Raises `ValueError`."""
    content = json.loads(message)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content


def parsed_to_json(parsed: Parsed) -> dict[str, Any]:
    """The fields by name; the inverse of `parsed_from_json`."""
    attachments = [
        {"name": one.name, "data": b64encode(one.data).decode()} for one in parsed.attachments
    ]
    return {**asdict(replace(parsed, attachments=())), "attachments": attachments}


def parsed_from_json(fields: dict[str, Any]) -> Parsed:
    """The inverse of `parsed_to_json`. Raises `TypeError` or `KeyError` for anything else."""
    headings = (Heading(Span(**h["span"]), h["level"], h["text"]) for h in fields["headings"])
    return Parsed(
        **{
            **fields,
            "headings": tuple(headings),
            "pages": tuple(fields["pages"]),
            "page_labels": tuple(fields["page_labels"]),
            "skipped": tuple(Span(**span) for span in fields["skipped"]),
            "attachments": tuple(
                Attachment(one["name"], b64decode(one["data"])) for one in fields["attachments"]
            ),
        }
    )
