"""Who may do what: named tokens, kept hashed in a file of the index's folder.

A token is 256 random bits, so its SHA-256 can stand for it: there is no list of likely tokens to
try, which is what slow password hashes are for. Whoever reads the file can't make a token of it.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.durability import sync
from rag.errors import Conflict, InvalidInput, NotFound, StoreFull, StoreUnreadable

FILE = "tokens.json"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
_BYTES = 32
_PREFIX = "rag_"  # by which scanners for leaked secrets know one


@dataclass(frozen=True, slots=True)
class Access:
    """What a client may do. `name` is its token's, None where it has no named one; `collections`
    None means all, those that are yet to come included.
    """

    name: str | None = None
    writes: bool = True
    collections: frozenset[str] | None = None

    def sees(self, collection: str) -> bool:
        return self.collections is None or collection in self.collections


UNRESTRICTED = Access()


@dataclass(frozen=True, slots=True)
class Token:
    """A named token as it is kept. `collections` None means all."""

    name: str
    sha256: str
    writes: bool
    collections: list[str] | None
    created_at: str

    @property
    def access(self) -> Access:
        within = None if self.collections is None else frozenset(self.collections)
        return Access(self.name, self.writes, within)


def hashed(secret: bytes) -> str:
    """What stands for a token, so that none is compared or kept as it is."""
    return hashlib.sha256(secret).hexdigest()


class Tokens:
    """The tokens of an index. Any thread and any process may change them; a change counts at once.

    Raises `StoreUnreadable` where the file is there and can't be understood: nobody gets in then.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._tokens: list[Token] = []

    def all(self) -> list[Token]:
        """Every token, by name."""
        with self._lock:
            state = self._state()
            if state != self._seen:
                self._tokens = self._read() if state else []
                self._seen = state
            return self._tokens

    def access(self, secret: bytes) -> Access | None:
        """What the bearer of a token may do; None for a token that is none."""
        given = hashed(secret)
        found = None
        # All are compared: how long it takes says nothing of where a match was.
        for token in self.all():
            if hmac.compare_digest(token.sha256, given):
                found = token.access
        return found

    def add(self, name: str, *, writes: bool, collections: Sequence[str] | None) -> str:
        """Makes a token; what is returned is not to be had again.

        Raises `InvalidInput` for a name that can't be one and `Conflict` for one that is taken.
        """
        if not re.fullmatch(NAME, name):
            raise InvalidInput(
                f"{name!r} can't name a token: use up to 63 letters, digits, _, . or -, "
                "the first a letter or digit"
            )
        secret = _PREFIX + secrets.token_urlsafe(_BYTES)
        token = Token(
            name=name,
            sha256=hashed(secret.encode()),
            writes=writes,
            collections=None if collections is None else sorted(set(collections)),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._change(lambda tokens: _with(tokens, token))
        return secret

    def remove(self, name: str) -> None:
        """Takes a token back: from now on it opens nothing. Raises `NotFound`."""
        self._change(lambda tokens: _without(tokens, name))

    def _state(self) -> tuple[int, ...] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(self.path) from error
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _read(self) -> list[Token]:
        try:
            tokens = [Token(**row) for row in json.loads(self.path.read_bytes())["tokens"]]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise _unreadable(self.path) from error
        return sorted(tokens, key=lambda token: token.name)

    def _change(self, changed: Callable[[list[Token]], list[Token]]) -> None:
        """Reads, changes and writes as one step, whatever other processes do."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._held():
                self._write(changed(self.all()))
        except OSError as error:
            raise StoreFull(f"{self.path} can't be written: {error.strerror}") from error

    @contextmanager
    def _held(self) -> Iterator[None]:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _write(self, tokens: list[Token]) -> None:
        text = json.dumps({"tokens": [asdict(token) for token in tokens]}, indent=2) + "\n"
        # A new file in the old one's place: there is no moment with half of one, nor an open mode.
        handle, name = tempfile.mkstemp(prefix=f".{FILE}.", dir=self.path.parent)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path)
        except BaseException:
            os.unlink(name)
            raise
        sync(self.path.parent)


def _unreadable(path: Path) -> StoreUnreadable:
    return StoreUnreadable(
        f"{path} can't be read, so nobody gets in: mend it, or move it away and make the tokens "
        "anew with `rag token add`"
    )


def _with(tokens: list[Token], token: Token) -> list[Token]:
    if any(one.name == token.name for one in tokens):
        raise Conflict(f"there is a token {token.name!r} already: remove it first, or name another")
    return [*tokens, token]


def _without(tokens: list[Token], name: str) -> list[Token]:
    left = [token for token in tokens if token.name != name]
    if len(left) == len(tokens):
        raise NotFound(f"there is no token {name!r}: `rag token list` lists them")
    return left
