"""A10: whatever is written, in whatever order, a store says what a dict of the same texts says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import hypothesis.core
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from rag.store import faiss_index, following
from rag.store.embedded import EmbeddedStore
from tests.soak.forking import Died, in_child
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes
from tests.soak.subject import prepare
from tests.store.conftest import Author

WORDS = ("apple", "pear", "plum", "fig")
SOURCES = st.sampled_from(["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"])
PARAGRAPHS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), min_size=1, max_size=4
)
_BATCH = 10  # examples that one child runs
_LONGEST = 600.0  # seconds for a batch, shrinking included


class StoreAgainstDict(RuleBasedStateMachine):
    """Two objects over one home take turns in writing; `written` is what they should hold."""

    def __init__(self, work: Path) -> None:
        super().__init__()
        self.author = Author()
        self.folder = tempfile.TemporaryDirectory(dir=work)
        self.written: dict[str, list[str]] = {}
        self.stores = [self.opened(), self.opened()]

    def opened(self) -> EmbeddedStore:
        return EmbeddedStore(Path(self.folder.name))

    @rule(turn=st.booleans(), source=SOURCES, texts=PARAGRAPHS)
    def put(self, turn: bool, source: str, texts: list[str]) -> None:
        self.author.put(self.stores[turn], self.author.entry(source, *texts))
        self.written[source] = texts

    @rule(turn=st.booleans(), put=SOURCES, texts=PARAGRAPHS, removed=st.sets(SOURCES))
    def put_and_remove(self, turn: bool, put: str, texts: list[str], removed: set[str]) -> None:
        entry = self.author.entry(put, *texts)
        self.author.put(self.stores[turn], entry, remove=sorted(removed))
        for source in removed:
            self.written.pop(source, None)
        self.written[put] = texts

    @rule(turn=st.booleans(), source=SOURCES)
    def remove(self, turn: bool, source: str) -> None:
        self.stores[turn].remove("default", [self.author.id_of(source)])
        self.written.pop(source, None)

    @rule(turn=st.booleans())
    def rebuild(self, turn: bool) -> None:
        entries = [self.author.entry(source, *texts) for source, texts in self.written.items()]
        self.stores[turn].stage(self.author.vectors(*entries))
        self.stores[turn].replace_all("default", self.author.model, entries)

    @rule(turn=st.booleans())
    def compact(self, turn: bool) -> None:
        self.stores[turn].compact("default")

    @rule(turn=st.booleans())
    def reopen(self, turn: bool) -> None:
        self.stores[turn].close()
        self.stores[turn] = self.opened()

    @rule(turn=st.booleans())
    def ask(self, turn: bool) -> None:
        self.check(self.stores[turn])

    def check(self, store: EmbeddedStore) -> None:
        author = self.author
        entries = [author.entry(source, *texts) for source, texts in self.written.items()]
        vectors = author.vectors(*entries)
        question = author.vector("question")
        cosines = {
            (entry.document.origin.source, ordinal): float(
                vectors[key].astype(np.float16).astype(np.float32) @ question
            )
            for entry in entries
            for ordinal, key in enumerate(entry.vector_keys)
        }
        near = {
            (source, ordinal): score for source, ordinal, score in author.nearest(store, "question")
        }
        assert near == pytest.approx(cosines, abs=1e-5)
        for word in WORDS:
            assert {(source, ordinal) for source, ordinal, _ in author.worded(store, word)} == {
                (source, ordinal)
                for source, texts in self.written.items()
                for ordinal, text in enumerate(texts)
                if word in text
            }
        assert [document.text for document in store.everything("default")] == [
            "\n\n".join(texts) for _, texts in sorted(self.written.items())
        ]

    def teardown(self) -> None:
        last = self.opened()
        for store in (*self.stores, last):
            self.check(store)
            store.close()
        self.folder.cleanup()


class Model(Anywhere):
    """A10. A case is a batch of examples; compactions come often or never, in turn."""

    name = "A10"
    title = "a stateful model (Hypothesis): two stores over one home against a dict"
    sizes = Sizes(pr=100, nightly=2_000)
    first = "0"

    def __init__(self, steps: int, planted: Callable[[], None] = lambda: None) -> None:
        self._steps = steps
        self._planted = planted

    def case(self, bench: Bench, at: str) -> Case:
        number = int(at)
        seed = bench.chance("model", number).randrange(2**32)
        try:
            in_child(lambda: self._batch(bench.work, seed, eager=number % 2 == 0), _LONGEST)
            violation = None
        except Died as died:
            violation = str(died)
        return Case(violation, str(number + 1), counted=_BATCH)

    def _batch(self, work: Path, seed: int, *, eager: bool) -> None:
        prepare(eager=eager)
        self._planted()
        following._DEAD_SHARE = 0.5
        faiss_index.EXACT_UP_TO = 10**6
        hypothesis.core.global_force_seed = seed  # type: ignore[assignment]
        run_state_machine_as_test(
            lambda: StoreAgainstDict(work),  # type: ignore[arg-type]
            settings=settings(
                max_examples=_BATCH,
                stateful_step_count=self._steps,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

    def controls(self, bench: Bench) -> Sequence[Control]:
        found = any(Model(30, _stale).case(bench, str(n)).violation for n in range(6))
        return [Control("a store whose removals its caches don't follow", found)]


def _stale() -> None:
    """The planted fault: what was removed is still found."""
    following._tombstones = lambda *_: np.empty(0, np.int64)
