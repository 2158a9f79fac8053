"""A8: files of the search caches are changed in any way; nothing crashes, no answer is another."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import apsw

from embeddings.hashing import HashingEmbedder
from rag.store.caches import Base, CacheFolder
from rag.store.upkeep import Upkeep
from tests.soak.forking import Died, in_child
from tests.soak.mutations import damaged
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes
from tests.soak.subject import Step, answers, build, compact, opened, prepare

_STEPS = tuple(Step(put=((subject, 3 * subject),)) for subject in range(12))
_OLDER = _STEPS[:7]
_MADE_ANEW = 10  # in one of so many cases the caches are written again, and must be sound then
_CONTROLS = 60  # cases


def _other_model() -> None:
    """Another embedder of the same size, whose vectors are the other way round."""
    embed = HashingEmbedder.embed_question
    HashingEmbedder.fingerprint = "hashing-other"
    HashingEmbedder.embed_question = lambda self, text: embed(self, text)[::-1]  # type: ignore[method-assign]


def _trusting() -> None:
    """The planted fault: a base is opened whatever its hashes are."""

    def sound(self: CacheFolder, name: str) -> Base:
        return Base(self._folder / name)

    CacheFolder.sound = sound  # type: ignore[method-assign]


class CacheDamage(Anywhere):
    """A8. A case is a number."""

    name = "A8"
    title = "a changed file of the search caches"
    sizes = Sizes(pr=500, nightly=10_000)
    first = "0"

    def __init__(self, planted: Callable[[], None] = lambda: None) -> None:
        self._planted = planted
        self._made: tuple[Path, list[Path], Any] | None = None

    def case(self, bench: Bench, at: str) -> Case:
        good, others, right = self._stores(bench)
        chance = bench.chance("cache", at)
        home = bench.work / "home"
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
        shutil.copytree(good, home)
        base = _base(home)
        file = chance.choice(_files(base))
        name = file.relative_to(base)
        former = [_like(_base(other), name).read_bytes() for other in others]
        if chance.random() < 0.05:
            what = "the whole base swapped"
            shutil.rmtree(base)
            shutil.copytree(_base(chance.choice(others)), base)
        else:
            what, now = damaged(file.read_bytes(), former, chance)
            what = f"{name} {what}"
            file.write_bytes(now)
        violation = self._judged(home, right, what, made_anew=int(at) % _MADE_ANEW == 0)
        return Case(violation, str(int(at) + 1))

    def _judged(self, home: Path, right: Any, what: str, *, made_anew: bool) -> str | None:
        try:
            facts = in_child(lambda: _facts(home, self._planted, made_anew=made_anew))
        except Died as died:
            return f"{what}: {died}"
        if facts["answers"] != right:
            return f"{what}: answers differ"
        if not facts["detected"]:
            return f"{what}: the doctor does not see it"
        return (
            f"{what}: left after the caches were made anew: {facts['left']}"
            if facts["left"]
            else None
        )

    def _stores(self, bench: Bench) -> tuple[Path, list[Path], Any]:
        """A sound store, an older one, and one of another model; the right answers."""
        if self._made is None:
            folder = bench.work / "caches"
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)
            good, older, other = (folder / name for name in ("good", "older", "other"))
            in_child(lambda: _built(good, _STEPS))
            in_child(lambda: _built(older, _OLDER))
            in_child(lambda: _built(other, _STEPS, _other_model))
            right = in_child(lambda: _answers(good))
            self._made = (good, [older, other], right)
        return self._made

    def controls(self, bench: Bench) -> Sequence[Control]:
        trusting = CacheDamage(_trusting)
        trusting._made = self._stores(bench)
        cases = (trusting.case(bench, str(n)).violation or "" for n in range(_CONTROLS))
        found = any("does not see" not in violation for violation in cases if violation)
        return [Control("a store that doesn't check its caches' hashes", found)]


def _built(home: Path, steps: Sequence[Step], planted: Callable[[], None] = lambda: None) -> None:
    planted()
    build(home, steps)


def _base(home: Path) -> Path:
    """The base that the database names."""
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        name = connection.execute("SELECT base FROM collections WHERE name = 'default'").get
    return home / "caches/default" / str(name)


def _files(base: Path) -> list[Path]:
    return [p for p in sorted(base.rglob("*")) if p.is_file() and p.suffix != ".lock"]


def _like(base: Path, name: Path) -> Path:
    """The file of another base that has the same part."""
    same = [p for p in _files(base) if p.name == name.name or p.suffix == name.suffix != ""]
    return (same or _files(base))[0]


def _answers(home: Path) -> Any:
    prepare()
    with opened(home) as service:
        return answers(service)


def _facts(home: Path, planted: Callable[[], None], *, made_anew: bool) -> Any:
    prepare()
    planted()
    with opened(home) as service:
        said = answers(service)
        detected = bool(_wrong(home))
        left = []
        if made_anew:
            compact(service)
            left = _wrong(home)
    return {"answers": said, "detected": detected, "left": left}


def _wrong(home: Path) -> list[str]:
    """What the doctor says of the caches."""
    with closing(Upkeep(home, 1.0)) as upkeep, upkeep.examination() as examined:
        return [what for state in examined.collections() for what in examined.cache(state).wrong]
