"""Requests as nobody should send them: each is a whole one of some route, with parts broken."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.api.test_hostile import _BODIES, _CHARSETS, _MULTIPARTS, _PART, _TYPES
from tests.soak.asgi import Header, Request
from tests.soak.fragments import (
    BOUNDARIES,
    HEADERS,
    JSON,
    METHODS,
    MOSTLY,
    NAMES,
    PATHS,
    PIECES,
)
from tests.soak.mutations import flipped, shifted, truncated

_TAKING = {"requestBody", "parameters"}
_HOLE = re.compile(rb'"@(\w+)@"')


@dataclass(slots=True)
class _Draft:
    method: str
    path: str
    query: list[tuple[str, str]]
    names: list[str]
    kind: bytes
    body: bytes
    headers: list[Header] = field(default_factory=list)

    def whole(self) -> Request:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        target = self.path + ("?" + query if query else "")
        headers: list[Header] = [(b"host", b"127.0.0.1:8000"), (b"content-type", self.kind)]
        if b"content-length" not in dict(self.headers):
            headers.append((b"content-length", str(len(self.body)).encode()))
        return Request(self.method, target.encode("ascii"), (*headers, *self.headers), self.body)


class Attacker:
    """Makes requests of an application from its own description."""

    def __init__(self, description: dict[str, Any], known: dict[str, str]) -> None:
        """`known` are good values of the parameters in paths, by name."""
        self._description = description
        self._known = known
        self._operations = [
            (path, method.upper(), operation)
            for path, operations in description["paths"].items()
            for method, operation in operations.items()
        ]

    def request(self, chance: random.Random) -> Request:
        """One request; one in ten is left whole."""
        draft = self._draft(chance)
        for _ in range(chance.choice([0, 1, 1, 1, 1, 1, 1, 2, 2, 3])):
            chance.choice([*_BREAKS, *[_break_query] * len(draft.names)])(draft, chance)
        return draft.whole()

    def _draft(self, chance: random.Random) -> _Draft:
        # Those that take most have most to break.
        weights = [6 if operation.keys() & _TAKING else 1 for *_, operation in self._operations]
        [(path, method, operation)] = chance.choices(self._operations, weights)
        for name, value in self._known.items():
            path = path.replace("{" + name + "}", value)
        parameters = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
        query = [
            (one["name"], quote(str(self._value(one["schema"], chance))))
            for one in parameters
            if chance.random() < 0.5
        ]
        kind, body = self._body(operation.get("requestBody", {}).get("content", {}), chance)
        return _Draft(method, path, query, [one["name"] for one in parameters], kind, body)

    def _body(self, contents: dict[str, Any], chance: random.Random) -> tuple[bytes, bytes]:
        if "multipart/form-data" in contents:
            return b"multipart/form-data; boundary=x", _upload(chance)
        if "application/json" in contents:
            tree = self._value(contents["application/json"]["schema"], chance)
            return b"application/json", _pierced(tree, chance)
        return b"", b""

    def _value(self, schema: dict[str, Any], chance: random.Random) -> Any:
        """One that the schema allows."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._value(self._description["components"]["schemas"][name], chance)
        if "anyOf" in schema:
            return self._value(chance.choice(schema["anyOf"]), chance)
        if "enum" in schema:
            return chance.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                needed = schema.get("required", ())
                return {
                    name: self._value(inner, chance)
                    for name, inner in schema.get("properties", {}).items()
                    if name in needed or chance.random() < 0.6
                }
            case "array":
                return [self._value(schema["items"], chance) for _ in range(chance.randint(1, 2))]
            case "string":
                return self._words(schema, chance)
            case "integer":
                least = schema.get("minimum", 0)
                return chance.randint(least, min(schema.get("maximum", 100), least + 100))
            case "number":
                return chance.random()
            case "boolean":
                return chance.random() < 0.5
        return None

    def _words(self, schema: dict[str, Any], chance: random.Random) -> str:
        pattern = schema.get("pattern", "")
        if "{32}" in pattern:
            return self._known["document_id"]
        if "{64}" in pattern:
            return "0" * 64
        if pattern:
            return self._known["name"]
        if schema.get("format") == "date":
            return "2025-03-01"
        return chance.choice(["Where", "How much leave?", "leave.md", "28 days", "copies", "md"])


def _pierced(tree: Any, chance: random.Random) -> bytes:
    """The tree in JSON, with up to two values that are something else."""

    def nasty(hole: re.Match[bytes]) -> bytes:
        return chance.choice(chance.choice([JSON, MOSTLY.get(hole[1].decode(), JSON)]))

    for _ in range(chance.choice([0, 0, 1, 1, 1, 2])):
        tree = _with_hole(tree, chance)
    return _HOLE.sub(nasty, json.dumps(tree).encode())


def _with_hole(tree: Any, chance: random.Random) -> Any:
    if chance.random() < 0.2 or not tree or not isinstance(tree, dict | list):
        return f"@{type(tree).__name__}@"
    if isinstance(tree, list):
        at = chance.randrange(len(tree))
        return [*tree[:at], _with_hole(tree[at], chance), *tree[at + 1 :]]
    key = chance.choice(sorted(tree))
    fate = chance.random()
    if fate < 0.1:
        return {name: value for name, value in tree.items() if name != key}
    if fate < 0.2:
        return {**tree, chance.choice(["", "\0", "\ud800", "x" * 9_000, "id"]): "@any@"}
    return {**tree, key: _with_hole(tree[key], chance)}


def _upload(chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return chance.choice(_MULTIPARTS)
    name = chance.choice(["a.txt", "b.md", "c.html", "d.pdf", "e/f.txt", "../g.txt", "\u202eh.txt"])
    text = chance.choice(
        [b"Some words.", b"", b" ", b"\0", b"\xff\xfe\0", b"<a>" * 99, b"%PDF-1.7"]
    )
    form = _PART + b'"files"; filename="' + name.encode() + b'"\r\n\r\n' + text + b"\r\n"
    if chance.random() < 0.5:
        wanted = chance.choice(["default", "other", "\0", "../a", "x" * 200, "", "\u202e"])
        form += _PART + b'"collection"\r\n\r\n' + wanted.encode() + b"\r\n"
    return form + b"--x--\r\n"


def _break_bytes(draft: _Draft, chance: random.Random) -> None:
    if draft.body:
        draft.body = chance.choice([flipped, truncated, shifted])(draft.body, chance)


def _break_body(draft: _Draft, chance: random.Random) -> None:
    draft.body = chance.choice([*_BODIES, *_MULTIPARTS, chance.choice(JSON)])


def _break_kind(draft: _Draft, chance: random.Random) -> None:
    boundary, charset = chance.choice(BOUNDARIES), chance.choice(_CHARSETS)
    form = f"multipart/form-data; boundary={boundary}"
    kinds = [*_TYPES, form, f"{form}; charset={charset}", f"application/json; charset={charset}"]
    draft.kind = chance.choice(kinds).encode("latin-1")


def _break_header(draft: _Draft, chance: random.Random) -> None:
    draft.headers.append(chance.choice(HEADERS))


def _break_query(draft: _Draft, chance: random.Random) -> None:
    name = chance.choice(chance.choice([NAMES, draft.names or NAMES]))
    one = name, chance.choice(chance.choice(PIECES))
    draft.query = [other for other in draft.query if other[0] != name]
    draft.query += [one] * chance.choice([1, 1, 1, 2, 100])


def _break_path(draft: _Draft, chance: random.Random) -> None:
    parts = draft.path.split("/")
    parts[chance.randrange(len(parts) > 1, len(parts))] = chance.choice(chance.choice(PIECES))
    draft.path = chance.choice(["/".join(parts), draft.path + "/", chance.choice(PATHS)])


def _break_method(draft: _Draft, chance: random.Random) -> None:
    draft.method = chance.choice(METHODS)


_BREAKS: Sequence[Callable[[_Draft, random.Random], None]] = (
    _break_bytes,
    _break_body,
    _break_kind,
    _break_header,
    _break_query,
    _break_path,
    _break_method,
)
