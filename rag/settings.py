"""The only place that names RAG_* variables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path

from rag.errors import InvalidInput
from rag.logs import FORMATS

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be configured.

    `home` holds the index. `cache` holds what is made once from a model and may be deleted any
    time. `embedder` and `reader` are a model's name or folder. `token`, where one is set, is asked
    of every HTTP client. `paths` are ingested when the server starts. With `read_only` nothing in
    `home` is ever written. `log` is how a server says what it does: `text` or `json`.
    """

    home: Path
    cache: Path = field(default_factory=lambda: user_cache_path("rag-verbatim"))
    embedder: str = "all-MiniLM-L6-v2"
    reader: str = "minilm-squad"
    max_file_bytes: int = 50 * _MEGABYTE
    max_upload_bytes: int = 100 * _MEGABYTE
    token: str | None = None
    paths: tuple[Path, ...] = ()
    read_only: bool = False
    log: str = "text"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Settings from RAG_* variables. Raises `InvalidInput` for a value that can't be used."""
        defaults = cls(home=_home(environment))
        return cls(
            home=defaults.home,
            cache=Path(environment.get("RAG_CACHE") or defaults.cache).expanduser().absolute(),
            embedder=environment.get("RAG_EMBEDDER") or defaults.embedder,
            reader=environment.get("RAG_READER") or defaults.reader,
            max_file_bytes=_megabytes(environment, "RAG_MAX_FILE_MB", defaults.max_file_bytes),
            max_upload_bytes=_megabytes(
                environment, "RAG_MAX_UPLOAD_MB", defaults.max_upload_bytes
            ),
            token=environment.get("RAG_TOKEN") or None,
            paths=tuple(Path(p) for p in environment.get("RAG_PATHS", "").split("\n") if p),
            read_only=_is_on(environment, "RAG_READ_ONLY"),
            log=_one_of(environment, "RAG_LOG", FORMATS),
        )

    def to_environment(self) -> dict[str, str]:
        """The variables from which `from_environment` makes the same settings."""
        return {
            "RAG_HOME": str(self.home),
            "RAG_CACHE": str(self.cache),
            "RAG_EMBEDDER": self.embedder,
            "RAG_READER": self.reader,
            "RAG_MAX_FILE_MB": str(self.max_file_bytes / _MEGABYTE),
            "RAG_MAX_UPLOAD_MB": str(self.max_upload_bytes / _MEGABYTE),
            "RAG_TOKEN": self.token or "",
            "RAG_PATHS": "\n".join(map(str, self.paths)),
            "RAG_READ_ONLY": str(int(self.read_only)),
            "RAG_LOG": self.log,
        }


def _home(environment: Mapping[str, str]) -> Path:
    """RAG_HOME, else the nearest .rag upwards, else .rag here."""
    if environment.get("RAG_HOME"):
        return Path(environment["RAG_HOME"]).expanduser().absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".rag").is_dir():
            return folder / ".rag"
    return here / ".rag"


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    return _one_of(environment, name, ("0", "1")) == "1"


def _one_of(environment: Mapping[str, str], name: str, values: Sequence[str]) -> str:
    """The setting, or the first of `values` where it is not set."""
    value = environment.get(name) or values[0]
    if value not in values:
        raise InvalidInput(f"{name} is {value!r}: give {' or '.join(values)}")
    return value


def _megabytes(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name)
    if not text:
        return default
    try:
        size = float(text)
    except ValueError:
        size = 0.0
    if not 0 < size < float("inf"):
        raise InvalidInput(f"{name} is {text!r}: give a number of megabytes above 0, such as 50")
    return round(size * _MEGABYTE)
