"""What is tried: the real service over small text files, with the light embedder and reader.

Only the parser's child process is left out: it touches no stored file, and its start would take
most of the time.
"""

from __future__ import annotations

import gc
import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import apsw

# Some are imported before any fork only so that no child does.
import embeddings.models  # noqa: F401
import rag.reading.models  # noqa: F401
from embeddings.hashing import HashingEmbedder
from rag import assembly
from rag.analysis import terms
from rag.payloads import reply_payload
from rag.service import Service
from rag.settings import Settings
from rag.store import following, rows, sqlite, word_index
from rag.text import sentences
from rag.types import Span, Status
from tests.in_process import InProcessParser

State = dict[str, str]
"""Texts by source."""

SUBJECTS = (
    *("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ilex", "Juniper"),
    *("Koa", "Larch", "Maple", "Nutmeg", "Oak", "Pine", "Quince", "Rowan", "Spruce", "Teak"),
)
QUESTIONS = tuple(f"How many umbrellas does the locker of {name} hold?" for name in SUBJECTS)
_FIRST_ORIGIN = (  # what the hash of a document's row was made from
    "document_id, collection, root, source, title, date, language, sha256, text_sha256, loader"
)
_LARGE = 7  # one in so many documents spans several pages of the database


def source_of(subject: int) -> str:
    return f"{SUBJECTS[subject].lower()}.txt"


@cache
def text_of(subject: int, version: int) -> str:
    """A document about one subject, another one in each version, long for some."""
    name = SUBJECTS[subject]
    chance = random.Random(f"{subject} {version}")  # noqa: S311 - words, not secrets
    length = 450 if (subject + version) % _LARGE == 0 else 8
    words = " ".join(f"{name.lower()}{chance.randrange(10**6)}" for _ in range(length))
    count = 100 + 20 * version + subject
    return (
        f"Notes on {name}, version {version}\n\n"
        f"The locker of {name} holds {count} umbrellas.\n\nAlso {words}.\n"
    )


def prepare(*, eager: bool = True) -> None:
    """Makes this process, a child, one in which the service is cheap, and its caches on disk."""
    logging.disable()  # what it says of damage is expected
    assembly.Parser = InProcessParser  # type: ignore[assignment,attr-defined]
    word_index._HEAP_BYTES = 15_000_000  # the least: making room takes most of the time
    if eager:
        following._REPLAYED_AT_MOST = 0


def settings_of(home: Path, reader: str = "sentence") -> Settings:
    return Settings(home=home, cache=home, embedder="hashing", reader=reader)


@contextmanager
def opened(home: Path, busy_seconds: float = 5.0, reader: str = "sentence") -> Iterator[Service]:
    with closing(assembly.build(settings_of(home, reader), busy_seconds)) as service:
        yield service


@dataclass(frozen=True, slots=True)
class Step:
    """One change: versions to put by subject, subjects to remove; neither makes it a rebuild."""

    put: tuple[tuple[int, int], ...] = ()
    removed: tuple[int, ...] = ()
    rebuild: bool = False

    def applied(self, state: State) -> State:
        """The state after it."""
        new = {source_of(subject): text_of(subject, version) for subject, version in self.put}
        gone = {source_of(subject) for subject in self.removed}
        return {source: text for source, text in {**state, **new}.items() if source not in gone}

    def run(self, service: Service) -> None:
        """Does it; what it says afterwards was acknowledged."""
        if self.rebuild:
            service.rebuilds.run()
        if self.put:
            files = [(source_of(s), text_of(s, v).encode()) for s, v in self.put]
            report = service.ingest_uploads(files)
            if report.count(Status.REFUSED):
                raise AssertionError(report)
        for subject in self.removed:
            service.remove(service.find(source_of(subject)))
        finish(service)


def finish(service: Service) -> None:
    """Waits for what runs in the background, so that every run makes the same calls."""
    service._compacting.submit(int).result()


def compact(service: Service) -> None:
    """Makes the caches anew, however little has changed."""
    following._REPLAYED_AT_MOST = -1
    following._REPLAYED_SHARE = 0
    following._DEAD_SHARE = -1
    service._store.compact("default")


def random_step(chance: random.Random, state: State) -> Step:
    """An addition, a replacement, several at once, a removal or a rebuild."""
    there = [n for n in range(len(SUBJECTS)) if source_of(n) in state]
    kind = chance.choice(["put", "put", "replace", "several", "remove", "rebuild"])
    if kind == "remove" and there:
        return Step(removed=(chance.choice(there),))
    if kind == "rebuild" and there:
        return Step(rebuild=True)
    if kind == "several":
        subjects = chance.sample(range(len(SUBJECTS)), 3)
        return Step(put=tuple((s, chance.randrange(100)) for s in subjects))
    subject = chance.choice(there) if kind == "replace" and there else chance.randrange(20)
    return Step(put=((subject, chance.randrange(100)),))


def written(steps: Sequence[Step]) -> State:
    """What is there after the steps."""
    state: State = {}
    for step in steps:
        state = step.applied(state)
    return state


def build(home: Path, steps: Sequence[Step], *, closed: bool = True) -> None:
    """Makes a store by steps. Not closed, its log is left behind as by a process that died."""
    prepare()
    service = assembly.build(settings_of(home))
    for step in steps:
        step.run(service)
    if closed:
        service.close()


def warm() -> None:
    """Does in this process, before any fork, what every child would have to do first. Starts no
    thread.
    """
    embedder = HashingEmbedder()
    texts = [text_of(subject, version) for subject in range(len(SUBJECTS)) for version in range(9)]
    embedder.embed_passages([*texts, *QUESTIONS])
    for text in texts[:20]:
        terms(text)
        sentences(text, Span(0, len(text)))
    gc.collect()
    gc.freeze()


def answers(service: Service, subjects: Sequence[int] = range(len(SUBJECTS))) -> list[Any]:
    """What the fixed questions get: every answer and citation, without what may differ between
    two stores of the same documents: times, generations and scores.
    """
    return [_told(reply_payload(service.ask(QUESTIONS[subject]))) for subject in subjects]


def _told(reply: Any) -> Any:
    given = [{k: v for k, v in a.items() if k != "confidence"} for a in reply["answers"]]
    passages = [[p["text"], p["citation"], p["also_in"]] for p in reply["passages"][:1]]
    return {"answers": given, "reason": reply["reason"], "nearest": passages if given else []}


def downgrade(home: Path) -> None:
    """Turns a closed store into one of schema version 1."""
    new, old = home / "index.sqlite", home / "old.sqlite"
    new.rename(old)
    with closing(apsw.Connection(str(new))) as connection:
        connection.execute(sqlite._STEPS[1])
        connection.execute("ATTACH ? AS old", (str(old),))
        connection.execute("PRAGMA foreign_keys = OFF")
        tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table'"
        for (table,) in connection.execute(tables).fetchall():
            if table != "sqlite_sequence":
                facts = connection.execute(f"PRAGMA main.table_info({table})").fetchall()
                columns = ", ".join(f'"{fact[1]}"' for fact in facts)
                connection.execute(
                    f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM old.{table}"  # noqa: S608
                )
        connection.execute(
            "UPDATE main.sqlite_sequence SET seq = (SELECT max(seq) FROM old.sqlite_sequence)"
        )
        connection.execute("DETACH old")
        facts = connection.execute(f"SELECT {_FIRST_ORIGIN} FROM documents").fetchall()  # noqa: S608
        connection.executemany(
            "UPDATE documents SET record_sha256 = ? WHERE document_id = ?",
            [(rows._digest(row), row[0]) for row in facts],
        )
        connection.pragma("application_id", sqlite._APPLICATION)
        connection.pragma("user_version", 1)
        connection.pragma("journal_mode", "wal")
    old.unlink()
