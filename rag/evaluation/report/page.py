"""One HTML file that shows people a run: figures, plots, and each question beside its gold.

Nothing is fetched and nothing outside the file is needed. What the questions and files say is
hostile until shown otherwise: it is escaped, and the page's policy runs its own script alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from rag.evaluation.report import labels, plots, rows

_FEW = 500  # rows that are printed opened; more would be a book
# What HTML can't hold, or what would act on a terminal that shows the file.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_PICTURES = 0x2400  # the signs for control characters begin here


class Choice(NamedTuple):
    """An entry of a filter, and how many questions it keeps."""

    value: str
    label: str
    questions: int


class Link(NamedTuple):
    """A question that changed, and its row if there is one."""

    question: str
    number: int | None


def render(run: Mapping[str, Any], comparison: Mapping[str, Any] | None = None) -> str:
    """The whole report of a run.json's content, and of what a comparison with another run found.

    The same input gives the same bytes. matplotlib's settings are changed while it draws, so this
    is not for two threads at once.
    """
    tags = Counter(tag for row in run["rows"] for tag in row["tags"])
    numbers = {tag: number for number, tag in enumerate(sorted(tags))}
    views = rows.views(run, _changed(comparison), numbers)
    style, script = _asset("report.css"), _asset("report.js")
    return _template().render(
        run=run,
        date=_date(run["date"]),
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - the package's own, as is the script
        script=Markup(script),  # noqa: S704
        headlines=labels.headlines(run, comparison, len(views)),
        groups=labels.groups(run),
        plots=plots.drawn(run),
        causes=[(name, cause, run["causes"].get(name, 0)) for name, cause in labels.CAUSES.items()],
        comparison=comparison and _compared(run, comparison),
        outcomes=_outcomes(views),
        answerable=_answerable(views),
        tags=[Choice(str(numbers[tag]), tag, tags[tag]) for tag in sorted(tags)],
        rows=views,
        few=len(views) <= _FEW,
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(_asset("report.html"))


@cache
def _asset(name: str) -> str:
    return (resources.files("rag.evaluation.report") / name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _visible(value: object) -> object:
    """Control characters as signs, and halves of surrogate pairs replaced."""
    if isinstance(value, str) and not isinstance(value, Markup) and _CONTROL.search(value):
        return _CONTROL.sub(_picture, value)
    return value


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(_PICTURES + code)
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else "\N{REPLACEMENT CHARACTER}"


def _date(written: str) -> str:
    return f"{datetime.fromisoformat(written).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _changed(comparison: Mapping[str, Any] | None) -> dict[str, str]:
    if comparison is None:
        return {}
    return dict.fromkeys(comparison["fixed"], "fixed") | dict.fromkeys(
        comparison["broken"], "broken"
    )


def _compared(run: Mapping[str, Any], comparison: Mapping[str, Any]) -> dict[str, Any]:
    places = {row["id"]: (number, row) for number, row in enumerate(run["rows"], start=1)}

    def link(key: str) -> Link:
        number, row = places.get(key, (None, {"question": key}))
        return Link(row["question"], number)

    lists = {name: [link(key) for key in comparison[name]] for name in ("fixed", "broken")}
    date = comparison["baseline"]["date"]
    return {
        **comparison,
        **lists,
        "changes": labels.changes(comparison),
        "date": date and _date(date),
    }


def _outcomes(views: list[rows.Row]) -> list[Choice]:
    counts = Counter(outcome for row in views for outcome in row.outcomes.split())
    names = {
        "right": "right",
        "wrong": "wrong",
        **{name: cause.title.lower() for name, cause in labels.CAUSES.items()},
        "unjudged": "not judged",
        "refused": "refused",
        "changed": "changed",
        "fixed": "fixed",
        "broken": "broken",
    }
    return [Choice(name, label, counts[name]) for name, label in names.items() if counts[name]]


def _answerable(views: list[rows.Row]) -> list[Choice]:
    counts = Counter(row.answerable for row in views)
    names = {"yes": "answered by the files", "no": "not answered by the files",
             "unjudged": "not known"}  # fmt: skip
    return [Choice(name, label, counts[name]) for name, label in names.items() if counts[name]]
