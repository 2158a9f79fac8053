"""What a file says about itself, made safe to show: titles, dates, languages."""

from __future__ import annotations

import re
from datetime import date

_LONGEST_TITLE = 300  # code points; it is shown in lists and encoded with each passage
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff"
                          "\ud800-\udfff]")  # fmt: skip
_DATE = re.compile(r"\s*(\d{4})-(\d\d)-(\d\d)(?!\d)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def printable(text: str) -> str:
    """The text without controls, lone surrogates, soft hyphens and zero-width marks.

    White space stays, and so do the joiners that make one emoji or one Persian word of several
    code points.
    """
    return _UNPRINTABLE.sub("", text)


def one_line(value: str | None) -> str | None:
    """The words of a title, single-spaced and cut to a length that lists can show."""
    words = " ".join(printable(value or "").split())
    if len(words) > _LONGEST_TITLE:
        words = words[: _LONGEST_TITLE - 1].rstrip() + "…"
    return words or None


def iso_date(value: str | None) -> str | None:
    """`YYYY-MM-DD` where the value begins with such a date, in whatever zone it is written."""
    found = _DATE.match(value or "")
    if not found:
        return None
    try:
        return date(*map(int, found.groups())).isoformat()
    except ValueError:
        return None


def language_tag(value: str | None) -> str | None:
    """A BCP 47 tag such as `en` or `pt-BR`, or None where the value is none."""
    tag = (value or "").strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None
