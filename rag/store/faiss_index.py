"""The vector half of a collection's caches: an immutable base and what came after it.

Two tiers, by the figures of a comparison on two cores at 384 dimensions (recall@10 / ms for one
thread): half-precision flat, exact for the half-precision vectors that the store holds, 1 / 4.7 at
100,000 rows; IVF with 8-bit codes, .974 / 0.47 at 100,000 and .977 / 1.05 at a million. Both can
leave out removed rows while searching; the faster fast-scan tiers can't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.store.base import Scored, Vector

EXACT_UP_TO = 100_000  # rows
_PROBES = 64
_TRAINING_ROWS_PER_LIST = 64

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class VectorView:
    """The vectors of one generation: never changed, so that any thread may search it.

    `base` is the index as it was built, if there is one; `delta` holds the rows added since, `dead`
    the ids removed since from either, which `living` leaves out.
    """

    base: faiss.Index | None = None
    delta: faiss.Index | None = None
    dead: Ids = field(default_factory=lambda: np.empty(0, np.int64))
    living: faiss.IDSelector | None = None

    @property
    def pending(self) -> int:
        """How many rows and removals the base does not hold."""
        return len(self.dead) + (self.delta.ntotal if self.delta else 0)

    @property
    def base_rows(self) -> int:
        return self.base.ntotal if self.base else 0

    def search(self, question: Vector, limit: int, among: Ids | None = None) -> Scored:
        """The nearest rows by inner product, which is the cosine for unit vectors.

        `among` are living rows to choose from; then every list is probed, for a few rows may lie
        in any.
        """
        wanted = self.living if among is None else _bitmap(among)
        probes = _PROBES if among is None else None
        found = [
            hit
            for index in (self.base, self.delta)
            if index
            for hit in _search(index, question, limit, _parameters(index, wanted, probes))
        ]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:limit]

    def changed(self, added: Iterable[tuple[Ids, Vector]], removed: Ids) -> VectorView:
        """A view with rows added and removed; this one stays as it is."""
        delta = faiss.clone_index(self.delta) if self.delta else None
        for ids, vectors in added:
            delta = delta or _exact(vectors.shape[1])
            delta.add_with_ids(vectors, ids)
        dead = np.union1d(self.dead, removed)
        # Made once: with 100,000 ids it takes longer than a search.
        living = faiss.IDSelectorNot(faiss.IDSelectorBatch(dead)) if len(dead) else None
        return VectorView(self.base, delta, dead, living)


def _search(
    index: faiss.Index, question: Vector, limit: int, parameters: Any
) -> Iterator[tuple[int, float]]:
    scores, ids = index.search(question[None, :], min(limit, index.ntotal), params=parameters)
    # FAISS pads with -1 where fewer rows are found than asked for.
    yield from ((int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0)


def _bitmap(ids: Ids) -> faiss.IDSelector:
    """Selects ids at a bit each, which takes far less time than a set of many."""
    wanted = np.zeros(ids.max(initial=0) + 1, np.bool_)
    wanted[ids] = True
    # FAISS takes an array, which its type stubs do not know.
    make: Any = faiss.IDSelectorBitmap
    selector: faiss.IDSelector = make(np.packbits(wanted, bitorder="little"))
    return selector


def _parameters(index: faiss.Index, wanted: faiss.IDSelector | None, probes: int | None) -> Any:
    """`probes` are how many lists are searched, None for all."""
    # FAISS takes these fields by keyword, which its type stubs do not know.
    fields: dict[str, Any] = {"sel": wanted}
    kind: Any = faiss.SearchParameters
    if isinstance(index, faiss.IndexIVF):
        kind = faiss.SearchParametersIVF
        fields["nprobe"] = probes or index.nlist
    return kind(**fields)


def _exact(dimension: int) -> faiss.Index:
    return faiss.index_factory(dimension, "IDMap,SQfp16", faiss.METRIC_INNER_PRODUCT)


def build(rows: int, batches: Callable[[], Iterable[tuple[Ids, Vector]]]) -> faiss.Index:
    """An index of the tier that suits the number of rows.

    `batches` gives the same rows at each call. At least one row is needed.
    """
    if rows <= EXACT_UP_TO:
        dimension = next(vectors.shape[1] for _, vectors in batches())
        index = _exact(dimension)
    else:
        index = _trained(rows, batches())
    for ids, vectors in batches():
        index.add_with_ids(vectors, ids)
    return index


def _trained(rows: int, batches: Iterable[tuple[Ids, Vector]]) -> faiss.Index:
    lists = 2 ** round(np.log2(4 * np.sqrt(rows)))
    share = lists * _TRAINING_ROWS_PER_LIST / rows
    rng = np.random.default_rng(0)
    sample = np.concatenate([vectors[rng.random(len(vectors)) < share] for _, vectors in batches])
    index = faiss.index_factory(sample.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(sample)
    return index


def save(index: faiss.Index, path: Path) -> None:
    """Raises OSError where that fails: FAISS itself takes a close that failed for none."""
    with path.open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]


def load(path: Path) -> faiss.Index:
    """Only ever called for a file whose hash the store's own manifest confirms."""
    return faiss.read_index(str(path))


def rows_of(index: faiss.Index) -> tuple[Ids, Vector | None]:
    """The ids that an index holds and, in the exact tier, their vectors in the same order."""
    inner: Any = index
    if isinstance(index, faiss.IndexIVF):
        lists = inner.invlists
        ids = [
            faiss.rev_swig_ptr(lists.get_ids(n), size).copy()
            for n in range(lists.nlist)
            if (size := lists.list_size(n))
        ]
        return np.concatenate([np.empty(0, np.int64), *ids]), None
    return faiss.vector_to_array(inner.id_map), inner.index.reconstruct_n(0, inner.ntotal)
