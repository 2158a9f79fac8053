"""What a server says while it runs: one line for each event, for people or as JSON.

No line holds a document's text, a question or the name of a document's file. A traceback comes
without the error's own message, which may quote one of them.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TypeAlias

FORMATS = ("text", "json")
_Raised: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


def tell(
    log: logging.Logger, event: str, message: str, level: int = logging.INFO, **facts: Any
) -> None:
    """Logs an event: `message` for people, its stable name and its facts for machines."""
    log.log(level, "%s", message, extra={"event": event, "facts": facts})


def configure(kind: str) -> None:
    """Sends what every library logs to stderr in this format, warnings included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if kind == "json" else _Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    for name in ("api", "rag"):
        logging.getLogger(name).setLevel(logging.INFO)


class _Lines(logging.Formatter):
    """`2026-11-25T08:00:00.000Z INFO what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - logging's name
        return _traceback(ei)


class _JsonLines(logging.Formatter):
    """An object on one line; what has no event of its own is a `message` of its logger."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname.lower()}
        if event := getattr(record, "event", None):
            line |= {"event": event, **getattr(record, "facts", {})}
        else:
            message = record.getMessage().strip()
            line |= {"event": "message", "logger": record.name, "message": message}
        if record.exc_info:
            line["traceback"] = _traceback(record.exc_info)
        return json.dumps(line, default=str)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")


def _traceback(raised: _Raised) -> str:
    """Where errors were raised, the first cause first, and of what kind they are."""
    error, parts = raised[1], list[str]()
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"{frames}{type(error).__qualname__}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(reversed(parts))
