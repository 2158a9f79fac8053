"""A9: the database or its log is changed in any way; the doctor sees every change to what is
cited, and no answer is ever of another text.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import apsw

from api.errors import status_of
from rag import assembly
from rag.errors import RagError
from rag.payloads import reply_payload
from rag.service import Service
from rag.store import rows
from rag.store.rows import DOCUMENT_COLUMNS, PASSAGE_COLUMNS
from tests.soak.forking import Died, in_child
from tests.soak.mutations import damaged
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes
from tests.soak.subject import (
    QUESTIONS,
    State,
    Step,
    answers,
    finish,
    opened,
    prepare,
    settings_of,
    written,
)

_STEPS = (
    *(Step(put=((subject, 3 * subject),)) for subject in range(10)),
    Step(put=((2, 77), (5, 78))),
    Step(removed=(3,)),
    Step(put=((12, 79),)),
)
_CHECKPOINTED = 8  # steps; the later ones stand in the log alone
_UNCITED = {"splitter", "ingested_at", "paragraphs", "passages"}
_UNAVAILABLE = 503
_CONTROLS = 200  # cases

CITED = {
    "documents": [c for c in DOCUMENT_COLUMNS.split(", ") if c not in _UNCITED],
    "passages": [*PASSAGE_COLUMNS.split(", "), "collection", "vector_key"],
}


@dataclass(frozen=True, slots=True)
class _Made:
    """A store with a log and the same one without, their files at an earlier time, all that is
    cited at each time, the texts of every time by hash, and the right answers.
    """

    homes: tuple[Path, Path]
    former: dict[str, list[bytes]]
    times: list[str]
    answers: Any


def cited(home: Path) -> str:
    """A hash of all that citations are made from, as any reader of the file gets it."""
    digest = hashlib.sha256()
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        for table, columns in CITED.items():
            query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid"  # noqa: S608
            digest.update(repr(connection.execute(query).fetchall()).encode())
    return digest.hexdigest()


@cache
def _texts() -> dict[tuple[str, str], str]:
    """Every text that ever was there, by source and hash."""
    states: list[State] = [written(_STEPS[:n]) for n in range(1, len(_STEPS) + 1)]
    return {
        (source, hashlib.sha256(text.encode()).hexdigest()): text
        for state in states
        for source, text in state.items()
    }


class DatabaseDamage(Anywhere):
    """A9. A case is a number."""

    name = "A9"
    title = "a changed database or log"
    sizes = Sizes(pr=500, nightly=5_000)
    first = "0"

    def __init__(self, planted: Callable[[], None] = lambda: None) -> None:
        self._planted = planted
        self._made: _Made | None = None

    def case(self, bench: Bench, at: str) -> Case:
        made = self._stores(bench)
        chance = bench.chance("database", at)
        home = bench.work / "home"
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
        shutil.copytree(chance.choice(made.homes), home)
        log = home / "index.sqlite-wal"
        if log.exists() and chance.random() < 0.05:
            what = "the log deleted"
            log.unlink()
        else:
            file = chance.choice([path for path in (home / "index.sqlite", log) if path.exists()])
            what, now = damaged(file.read_bytes(), made.former[file.name], chance)
            what = f"{file.name} {what}"
            file.write_bytes(now)
        violation = self._judged(home, made)
        return Case(violation and f"{what}: {violation}", str(int(at) + 1))

    def _judged(self, home: Path, made: _Made) -> str | None:
        try:
            facts = in_child(lambda: _facts(home, self._planted))
        except Died as died:
            return str(died)
        if facts["wrong"]:
            return str(facts["wrong"])
        if facts["found"]:
            return None
        if facts["cited"] not in made.times:  # an older state as a whole is no damage
            return "what is cited is another, and the doctor does not see it"
        if facts["cited"] == made.times[-1] and facts["answers"] != made.answers:
            return "answers differ, and the doctor does not see why"
        return None

    def _stores(self, bench: Bench) -> _Made:
        if self._made is None:
            folder = bench.work / "databases"
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)
            logged, plain = folder / "logged", folder / "plain"
            times = in_child(lambda: _built(logged, folder))
            shutil.copytree(logged, plain)
            in_child(lambda: _opened_and_closed(plain))
            former = {
                name: [(folder / at / name).read_bytes() for at in ("early", "middle")]
                for name in ("index.sqlite", "index.sqlite-wal")
            }
            right = in_child(lambda: _answers(plain))
            self._made = _Made((logged, plain), former, times, right)
        return self._made

    def controls(self, bench: Bench) -> Sequence[Control]:
        trusting = DatabaseDamage(_trusting)
        trusting._made = self._stores(bench)
        found = any(trusting.case(bench, str(n)).violation for n in range(_CONTROLS))
        return [Control("a store that doesn't check its rows' hashes", found)]


def _trusting() -> None:
    """The planted fault: rows are believed."""
    rows._check = lambda *_: None


def _built(home: Path, folder: Path) -> list[str]:
    """Makes the store, its earlier files beside it; returns all that was cited at each time."""
    prepare()
    service = assembly.build(settings_of(home))
    times = [cited(home)]
    for number, step in enumerate(_STEPS):
        if number == _CHECKPOINTED:
            service.close()
            service = assembly.build(settings_of(home))
        step.run(service)
        times.append(cited(home))
        if number in (_CHECKPOINTED // 2, _CHECKPOINTED + 1):
            shutil.copytree(home, folder / ("early" if number < _CHECKPOINTED else "middle"))
    return times


def _opened_and_closed(home: Path) -> None:
    prepare()
    with opened(home) as service:
        finish(service)


def _answers(home: Path) -> Any:
    prepare()
    with opened(home) as service:
        return answers(service)


def _facts(home: Path, planted: Callable[[], None]) -> Any:
    prepare()
    planted()
    found, wrong, said = False, None, None
    try:
        with closing(assembly.doctor(settings_of(home))) as doctor:
            found = bool(doctor.check(lambda *_: None).left)
        with opened(home) as service:
            wrong = next(filter(None, (_wrong(service, q) for q in QUESTIONS)), None)
            said = None if found or wrong else answers(service)
    except RagError as error:
        found, wrong = True, _unlike_unavailable(error)
    return {"found": found, "wrong": wrong, "answers": said, "cited": _cited_or_none(home)}


def _wrong(service: Service, question: str) -> str | None:
    """What is wrong with the reply to a question: an error that is no 503, or another's text."""
    try:
        reply: Any = reply_payload(service.ask(question))
    except RagError as error:
        return _unlike_unavailable(error)
    for item in [*reply["answers"], *reply["passages"]]:
        for citation in (item["citation"], *item["also_in"]):
            text = _texts().get((citation["source"], citation["text_sha256"]))
            if text is None:
                return f"{question} cites a text that never was: {citation}"
            if text[citation["start"] : citation["end"]] != citation["quote"]:
                return f"{question} misquotes: {citation}"
        if item["text"] != item["citation"]["quote"]:
            return f"{question} shows other words than it cites: {item}"
    return None


def _unlike_unavailable(error: RagError) -> str | None:
    status = status_of(type(error))
    return None if status == _UNAVAILABLE else f"a client would get {status}: {error!r}"


def _cited_or_none(home: Path) -> str | None:
    try:
        return cited(home)
    except (apsw.Error, UnicodeDecodeError):
        return None
