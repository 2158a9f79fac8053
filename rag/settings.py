"""The only place that names RAG_* variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from rag.errors import InvalidInput
from rag.logs import FORMATS

LONGEST_QUESTION = 2_000  # characters; no model reads that far
MOST_PASSAGES = 100
_USUAL_PASSAGES = 5  # that clients ask for who say nothing of it
_MEGABYTE = 1_000_000
_LANGUAGES = re.compile(r"[A-Za-z]\w*(?:\+[A-Za-z]\w*)*")


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be configured.

    `home` holds the index. `cache` holds what is made once from a model and may be deleted any
    time. `embedder` and `reader` are a model's name or folder. `token` opens everything over HTTP;
    where it or a named token is set, every client needs one. `paths` are ingested when the server
    starts. The limits are bytes, characters, passages, requests and seconds; `max_waiting` are
    those beside the ones at work, `rate` is such as "120/minute", None for no limit. With
    `read_only` nothing in `home` is ever written. `log` is how a server says what it does: `text`
    or `json`. `ocr` are the languages that scans are read in, as tesseract names them.
    """

    home: Path
    cache: Path = field(default_factory=lambda: user_cache_path("rag-verbatim"))
    embedder: str = "all-MiniLM-L6-v2"
    reader: str = "minilm-squad"
    max_file_bytes: int = 50 * _MEGABYTE
    max_upload_bytes: int = 100 * _MEGABYTE
    max_json_bytes: int = _MEGABYTE
    max_store_bytes: int | None = None
    max_question_chars: int = LONGEST_QUESTION
    max_top_k: int = MOST_PASSAGES
    max_waiting: int = 32
    rate: str | None = None
    header_seconds: float = 5.0
    body_seconds: float = 30.0
    token: str | None = None
    paths: tuple[Path, ...] = ()
    read_only: bool = False
    log: str = "text"
    ocr: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Settings from RAG_* variables. Raises `InvalidInput` for a value that can't be used."""
        defaults = cls(home=_home(environment))
        return cls(
            home=defaults.home,
            cache=Path(environment.get("RAG_CACHE") or defaults.cache).expanduser().absolute(),
            embedder=environment.get("RAG_EMBEDDER") or defaults.embedder,
            reader=environment.get("RAG_READER") or defaults.reader,
            **_limits(environment),
            token=environment.get("RAG_TOKEN") or None,
            paths=tuple(Path(p) for p in environment.get("RAG_PATHS", "").split("\n") if p),
            read_only=_is_on(environment, "RAG_READ_ONLY"),
            log=_one_of(environment, "RAG_LOG", FORMATS),
            ocr=_languages(environment),
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
            "RAG_MAX_JSON_MB": str(self.max_json_bytes / _MEGABYTE),
            "RAG_MAX_STORE_MB": str((self.max_store_bytes or 0) / _MEGABYTE or ""),
            "RAG_MAX_QUESTION_CHARS": str(self.max_question_chars),
            "RAG_MAX_TOP_K": str(self.max_top_k),
            "RAG_MAX_WAITING": str(self.max_waiting),
            "RAG_RATE": self.rate or "",
            "RAG_HEADER_SECONDS": str(self.header_seconds),
            "RAG_BODY_SECONDS": str(self.body_seconds),
            "RAG_TOKEN": self.token or "",
            "RAG_PATHS": "\n".join(map(str, self.paths)),
            "RAG_READ_ONLY": str(int(self.read_only)),
            "RAG_LOG": self.log,
            "RAG_OCR": self.ocr or "",
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


def _languages(environment: Mapping[str, str]) -> str | None:
    text = environment.get("RAG_OCR")
    if text and not _LANGUAGES.fullmatch(text):
        raise InvalidInput(
            f"RAG_OCR is {text!r}: give languages as tesseract names them, such as eng or eng+deu"
        )
    return text or None


def _limits(environment: Mapping[str, str]) -> dict[str, Any]:
    """Those that are set."""
    limits: dict[str, Any] = {
        "max_file_bytes": _megabytes(environment, "RAG_MAX_FILE_MB"),
        "max_upload_bytes": _megabytes(environment, "RAG_MAX_UPLOAD_MB"),
        "max_json_bytes": _megabytes(environment, "RAG_MAX_JSON_MB"),
        "max_store_bytes": _megabytes(environment, "RAG_MAX_STORE_MB"),
        "max_question_chars": _count(environment, "RAG_MAX_QUESTION_CHARS", 1, LONGEST_QUESTION),
        "max_top_k": _count(environment, "RAG_MAX_TOP_K", _USUAL_PASSAGES, MOST_PASSAGES),
        "max_waiting": _count(environment, "RAG_MAX_WAITING", 0, 10_000),
        "rate": _rate(environment),
        "header_seconds": _above_zero(environment, "RAG_HEADER_SECONDS", "seconds", "5"),
        "body_seconds": _above_zero(environment, "RAG_BODY_SECONDS", "seconds", "30"),
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


def _megabytes(environment: Mapping[str, str], name: str) -> int | None:
    size = _above_zero(environment, name, "megabytes", "50")
    return None if size is None else round(size * _MEGABYTE)


def _above_zero(environment: Mapping[str, str], name: str, unit: str, example: str) -> float | None:
    text = environment.get(name)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise InvalidInput(
            f"{name} is {text!r}: give a number of {unit} above 0, such as {example}"
        )
    return number


def _count(environment: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = environment.get(name)
    if not text:
        return None
    if not text.isdecimal() or not least <= int(text[:9]) <= most:
        raise InvalidInput(f"{name} is {text!r}: give a whole number from {least} to {most}")
    return int(text)


def _rate(environment: Mapping[str, str]) -> str | None:
    text = environment.get("RAG_RATE")
    if not text:
        return None
    from limits import parse  # noqa: PLC0415 - few set a rate, and every command reads settings

    try:
        amount = parse(text).amount
    except ValueError:
        amount = 0
    if not amount:
        raise InvalidInput(f"RAG_RATE is {text!r}: give a number and a time, such as 120/minute")
    return text
