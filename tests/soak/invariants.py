"""Invariant set I: what must hold of a store whatever has happened to it.

1. Every acknowledged document is there, once, and no other.
2. None is half there: every hash, passage and vector agrees.
3. SQLite's integrity check finds nothing.
4. The search caches hold every living passage and nothing else.
5. Twenty fixed questions get the same answers and citations as from a clean build. Where the
   caches hold words of removed passages, which count in BM25, that is the best answer to each;
   all of them once the caches are made anew.
And it goes on: one more document can be added and is found.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rag import assembly
from rag.diagnosing.findings import Fault
from rag.service import Service
from rag.store import following
from tests.soak.forking import Died, in_child
from tests.soak.subject import (
    SUBJECTS,
    State,
    answers,
    compact,
    finish,
    opened,
    prepare,
    settings_of,
    source_of,
)

_EVERY = 10**4
_NO_FAULT = {Fault.LEFTOVERS}  # folders of a process that died; the next write sweeps them
_LATER = "The shed by the gate holds 7 wheelbarrows."


Unlike = Callable[[State], str | None]


def one_of(*allowed: State) -> Unlike:
    """The documents must be those of one of the states."""

    def unlike(found: State) -> str | None:
        return None if found in allowed else _difference(found, allowed)

    return unlike


class Judge:
    """Checks stores against clean builds, which it makes once for each state, in `work`."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._clean: dict[str, Any] = {}

    def violation(
        self, home: Path, unlike: Unlike, faults: frozenset[Fault] = frozenset()
    ) -> str | None:
        """What does not hold of the store; `unlike` says what is wrong with its documents.

        `faults` are those that what has happened may leave behind, such as a lost cache.
        """
        try:
            facts = in_child(lambda: _facts(home, _NO_FAULT | faults))
        except Died as died:
            return f"it can't be opened and read: {died}"
        if facts["wrong"]:
            return "; ".join(facts["wrong"])
        if wrong := unlike(facts["state"]):
            return f"documents: {wrong}"
        clean = self.clean(facts["state"])
        there = _there(facts["state"])
        best = [reply["answers"][:1] for reply in facts["before"]]
        expected = [clean[subject]["answers"][:1] for subject in there[: len(best)]]
        return _other_answer(best, expected) or _other_answer(facts["answers"], clean)

    def clean(self, state: State) -> Any:
        """The answers of a store that was made of these documents alone, in this order."""
        key = json.dumps(state, sort_keys=True)
        if key not in self._clean:
            with tempfile.TemporaryDirectory(dir=self._work) as folder:
                self._clean[key] = in_child(lambda: _clean_answers(Path(folder), state))
        return self._clean[key]


def _there(state: State) -> list[int]:
    """The subjects that have a document."""
    return [subject for subject in range(len(SUBJECTS)) if source_of(subject) in state]


def _other_answer(given: Sequence[Any], clean: Sequence[Any]) -> str | None:
    for one, other in zip(given, clean, strict=True):
        if one != other:
            return f"a question gets {one}, and from a clean build {other}"
    return None


def _clean_answers(home: Path, state: State) -> Any:
    prepare()
    with opened(home) as service:
        service.ingest_uploads([(source, text.encode()) for source, text in state.items()])
        return answers(service)


def _facts(home: Path, no_fault: set[Fault]) -> Any:
    prepare()
    wrong: list[str] = []
    with opened(home) as service:
        state, twice = state_of(service)
        wrong += twice
        with closing(assembly.doctor(settings_of(home))) as doctor:
            found = doctor.check(lambda *_: None).left
        wrong += [f"{f.fault}: {f.what} ({f.source})" for f in found if f.fault not in no_fault]
        wrong += _in_caches(service)
        before = []
        if _has_dead(service):
            before = answers(service, _there(state))
            compact(service)
        said = answers(service)
        wrong += _goes_on(service)
    return {"state": state, "wrong": wrong, "before": before, "answers": said}


def state_of(service: Service) -> tuple[State, list[str]]:
    """The documents that are listed, and what is wrong with the list."""
    records = list(service.all_documents("default"))
    texts: State = {}
    twice = []
    for record in records:
        source = record.origin.source
        if source in texts:
            twice.append(f"{source} is there twice")
        texts[source] = service.document(record.origin.document_id)[0].text
    return texts, twice


def _has_dead(service: Service) -> bool:
    with service._store.snapshot("default", service.embedder.fingerprint) as snapshot:
        return len(snapshot._view.vectors.dead) > 0  # type: ignore[attr-defined]


def _in_caches(service: Service) -> list[str]:
    question = service.embedder.embed_question("umbrellas")
    with service._store.snapshot("default", service.embedder.fingerprint) as snapshot:
        by_meaning = {i for i, _ in snapshot.search_vectors(question, _EVERY)}
        by_words = set(snapshot._view.words.ids())  # type: ignore[attr-defined]
        living = snapshot.places(by_meaning | by_words).keys()
        count = snapshot.passages
    wrong = []
    for name, ids in (("meaning", by_meaning), ("words", by_words)):
        if len(ids) != count or ids != living:
            wrong.append(f"the cache by {name} has {len(ids)} passages, the store {count}")
    return wrong


def _goes_on(service: Service) -> list[str]:
    following._REPLAYED_AT_MOST = _EVERY  # no cache of it: this store is done with
    service.ingest_uploads([("later.txt", _LATER.encode())])
    finish(service)
    reply = service.ask("How many wheelbarrows does the shed by the gate hold?")
    found = [a.citation.origin.source for a in reply.answers[:1]]
    return [] if found == ["later.txt"] else ["a document that was added later is not found"]


def _difference(found: State, allowed: Sequence[State]) -> str:
    """Against the nearest of the allowed states."""

    def words(state: State) -> list[str]:
        lost = [f"{source} is lost" for source in state.keys() - found.keys()]
        extra = [f"{source} is there" for source in found.keys() - state.keys()]
        both = state.keys() & found.keys()
        other = [
            f"{source} is another version" for source in both if state[source] != found[source]
        ]
        return [*lost, *extra, *other]

    said = sorted((words(state) for state in allowed), key=len)
    return ", ".join(said[0])
