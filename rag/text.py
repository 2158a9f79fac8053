"""Where paragraphs, sentences and graphemes stand in a text: pure functions over code points."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

from apsw.unicode import grapheme_next_break

from rag.types import Span

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def paragraphs(text: str) -> list[Span]:
    """The blocks that blank lines separate, in order, without the white space around them.

    A line ends in LF, CR LF or CR and in nothing else; a blank line holds white space only. A
    paragraph's number is its place in this list, counted from 1.
    """
    return [trimmed(text, block) for block in _blocks(text)]


def _blocks(text: str) -> Iterator[Span]:
    start: int | None = None
    end = 0
    for line in _LINE.finditer(text):
        if not line.group() or line.group().isspace():
            if start is not None:
                yield Span(start, end)
                start = None
        else:
            start = line.start() if start is None else start
            end = line.end()
    if start is not None:
        yield Span(start, end)


def trimmed(text: str, span: Span) -> Span:
    """The span without white space at either end; empty where there is nothing else."""
    covered = span.of(text)
    start = span.start + len(covered) - len(covered.lstrip())
    return Span(start, max(start, span.start + len(covered.rstrip())))


LONGEST_GRAPHEME = 256
"""Code points. A longer cluster is no letter of anybody's and may be cut anywhere: a megabyte of
joined signs, which is one, would otherwise be gone through again for every cut.
"""


def grapheme_floor(text: str, offset: int) -> int:
    """The last place at or before `offset` where a cut splits no grapheme cluster (UAX #29)."""
    offset = max(0, min(offset, len(text)))
    return _boundary(text, offset, range(offset, max(-1, offset - LONGEST_GRAPHEME - 1), -1))


def grapheme_ceiling(text: str, offset: int) -> int:
    """The first place at or after `offset` where a cut splits no grapheme cluster (UAX #29)."""
    offset = max(0, min(offset, len(text)))
    return _boundary(text, offset, range(offset, min(len(text), offset + LONGEST_GRAPHEME) + 1))


def _boundary(text: str, offset: int, places: Iterable[int]) -> int:
    """The first of the places between two clusters; `offset` where there is none."""
    ends = (0, len(text))
    return next((at for at in places if at in ends or _parts(text, at)), offset)


_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))


def _parts(text: str, at: int) -> bool:
    """Whether one cluster ends and another begins at `at`, inside the text.

    Two neighbours decide it, but for two flag letters, which pair up from the first one on, and
    after a mark or a joiner, where what it stands on decides, too. So however long a text is, only
    a few characters are looked at, or the flag letters counted.
    """
    left, right = text[at - 1], text[at]
    if left in _FLAG_LETTERS and right in _FLAG_LETTERS:
        return (at - len(text[:at].rstrip(_FLAG_LETTERS))) % 2 == 0
    if grapheme_next_break(left + right, 0) > 1:
        return False
    start = at - 1
    while start > 0 and _clings(text[start]):
        start -= 1
    around, end = text[start : at + 1], 0
    while end < at - start:
        end = grapheme_next_break(around, end)
    return end == at - start


@cache
def _clings(character: str) -> bool:
    """Whether it belongs to the cluster of what stands before it: a mark or a joiner."""
    return grapheme_next_break(f"a{character}", 0) > 1


# A sentence ends in one of these, with the quotes, brackets, emphasis marks and footnote numbers
# that close it. A quote may stand after a space, as in French, unless it opens the next word.
_STOPS = ".!?…؟۔।॥‼⁇⁈⁉。！？｡"
_STOPS_WITHOUT_SPACE = "。！？｡"
_NEVER_FIRST = frozenset(_STOPS + "|,;:)%")
_CLOSERS = "\"'”’»«›）】」』〉》)]}*_`¹²³⁴⁵⁶⁷⁸⁹⁰"
_END = re.compile(
    rf"(?P<stop>[{_STOPS}]+)"
    rf"(?P<close>(?:[{re.escape(_CLOSERS)}]|\[[^\[\]\s]{{1,9}}(?: [^\[\]\s]{{1,9}})?\]"
    r"|[ \u00a0\u202f]?(?:[“”»›](?!\w)|\[\d{1,3}\]))*)"
)
_BEFORE_WORD = re.compile(r"\s*[\"'“”‘’«»‹›「『（(\[{*_`¿¡—–-]{0,8}[ \u00a0\u202f]?")
_WORD = re.compile(r"[^\W_]+")
_WORD_BEFORE = re.compile(r"(?<![\w@/.])[^\W_]+(?:[.’'][^\W_]+)*$")
_MARKER = re.compile(r"[#>*+•\s(-]{0,4}(?:\d{1,3}(?:\.\d{1,3}){0,3}|[A-Za-z]|[ivxIVX]{1,5})")
_INNER_MARKER = re.compile(r"[;:]\s+(?:and |or )?\(?\d{1,2}$")
_DOTTED = re.compile(r"[^\W\d_]{1,2}(?:\.[^\W\d_]{1,3})+|[^\W\d_]")
_GLUED_LEFT = re.compile(r"(?:^|[\s\"'“”‘’«(\[-])[^\W\d_]*(?P<end>[^\W\d_]{2})$")
_GLUED_RIGHT = re.compile(r"[^\W\d_]{2,}(?=[\s,;:!?”»)]|\Z|\.(?:\s|\Z))")
_LOOK_BACK = 24  # characters; longer words are no abbreviations


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Never the last word of a sentence.
_BEFORE_NAME = _words(
    "mr mrs ms dr fr prof gen sen rep st ste lt col sgt capt cmdr adm gov pres rev hon messrs mme "
    "mlle mt ft e.g i.e cf vs v viz ca approx esp incl al"
)
# Abbreviations before a number or a single letter only.
_BEFORE_NUMBER = _words(
    "no nos fig figs vol vols pp p eq eqs sec ch chap art arts par para ex op tab pt nr est tel "
    "ext jan feb mar apr jun jul aug sep sept oct nov dec"
)
# Sentences may end with these, and do where the next word is one that sentences begin with.
_MAYBE_LAST = _words("jr sr inc ltd co corp bros dept univ assn ave blvd rd ed eds")
_OPENERS = _words(
    "a after all also although an and as at because before both but by during each for from he "
    "her here his how however i if in it its many most my no not on one other our several she "
    "since so some such that the their then there these they this those though through to today "
    "under until we what when where which while who why with you your"
)

_ITEM = re.compile(
    r"(?:[-*+•‣◦▪●]|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})\)|\d{1,3}\.|\[[ xX]\])\s"
    r"|\[\d{1,3}\]\s+[^a-z]|#{1,6}\s|[|]"
)
_ROW = re.compile(r"#{1,6}\s|[|]|[^|]*\s[|]\s|\S[^\t]*\t")
_RULE = re.compile(r"[-=_*~+:`\s]{3,}")
_LABEL = re.compile(r"[^\W\d_][^:]{0,30}:(?:\s|\Z)")
_RUNNING_ON = re.compile(
    r"[,;(/–—-]$|\b(?:a|an|and|as|at|by|for|from|in|is|of|on|or|that|the|to|was|with)$"
)
_WRAPPED = 0.8  # of the longest line; a next word that fits in less was not wrapped for room


def sentences(text: str, within: Span) -> list[Span]:
    """The sentences of one paragraph, in order, without the white space around them.

    `within` is the paragraph's span in `text`, and so are the results. Together they hold every
    character of the paragraph that is not white space, once, and no cut between them splits a
    grapheme cluster. Where a rule is in doubt it joins: two sentences shown as one still read
    well, half a sentence does not.
    """
    found = []
    start = _after_space(text, within.start, within.end)
    for cut in _cuts(text, within):
        end, following = _before_space(text, start, cut), _after_space(text, cut, within.end)
        if (
            start < end
            and following < within.end
            and all(_parts(text, at) for at in (end, following))
        ):
            found.append(Span(start, end))
            start = following
    rest = trimmed(text, Span(start, within.end))
    return [*found, rest] if rest.start < rest.end else found


def _cuts(text: str, within: Span) -> Iterator[int]:
    cased = within.of(text) != within.of(text).lower()
    for stretch in _stretches(text, within):
        start = stretch.start
        for end in _END.finditer(text, stretch.start, stretch.end):
            if _ends_sentence(text, end, Span(start, stretch.end), cased):
                yield end.end()
                start = end.end()
        yield stretch.end


def _ends_sentence(text: str, end: re.Match[str], stretch: Span, cased: bool) -> bool:
    """Whether a stop ends the sentence that begins with `stretch`."""
    at = end.end()
    if at == stretch.end or end["stop"][-1] in _STOPS_WITHOUT_SPACE:
        return True
    if not text[at].isspace():
        return _glued(text, end, stretch)
    opening = _BEFORE_WORD.match(text, at, stretch.end)
    first = text[opening.end() : opening.end() + 2] if opening else ""
    if first[:1] in _NEVER_FIRST or (cased and first.islower()):
        return False
    if end["stop"] != "." or end["close"]:
        return True
    return not _abbreviates(text, end.start(), at, stretch)


def _glued(text: str, end: re.Match[str], stretch: Span) -> bool:
    """Whether two sentences meet without a space: "the country.Then they"."""
    left = _GLUED_LEFT.search(text[max(stretch.start, end.start() - _LOOK_BACK) : end.start()])
    right = _GLUED_RIGHT.match(text, end.end(), stretch.end)
    return bool(left and left["end"].islower() and right and right.group().istitle())


def _abbreviates(text: str, dot: int, after: int, stretch: Span) -> bool:
    """Whether the full stop at `dot` belongs to an abbreviation, an initial or a list marker."""
    if dot - stretch.start < _LOOK_BACK and _MARKER.fullmatch(text[stretch.start : dot].strip()):
        return True
    left = text[max(stretch.start, dot - _LOOK_BACK) : dot]
    if _INNER_MARKER.search(left):
        return True
    before = _WORD_BEFORE.search(left)
    opening = _BEFORE_WORD.match(text, after, stretch.end)
    following = _WORD.match(text, opening.end(), stretch.end) if opening else None
    if not before or not following:
        return False
    word, upcoming = before.group().lower(), following.group()
    if word in _BEFORE_NAME:
        return True
    if word in _BEFORE_NUMBER and (upcoming[0].isdigit() or len(upcoming) == 1):
        return True
    if word not in _MAYBE_LAST and not _DOTTED.fullmatch(word):
        return False
    initial = len(upcoming) == 1 and text[following.end() : following.end() + 1] == "."
    return initial or upcoming.lower() not in _OPENERS


def _stretches(text: str, within: Span) -> Iterator[Span]:
    """The paragraph, cut at the line breaks that end a sentence by themselves."""
    ends, lines = [], []
    for line in _LINE.finditer(text, within.start, within.end):
        if stripped := line.group().strip():
            ends.append(line.end())
            lines.append(stripped)
    width = max(map(len, lines), default=0)
    prose = _reads_as_prose(lines)
    start = within.start
    for end, (left, right) in zip(ends, pairwise(lines), strict=False):
        if _breaks(left, right, width, prose):
            yield Span(start, end)
            start = end
    yield Span(start, within.end)


def _reads_as_prose(lines: list[str]) -> bool:
    if any(line[0].islower() for line in lines[1:]):
        return True
    return bool(lines) and lines[-1].rstrip(_CLOSERS).endswith(tuple(_STOPS))


def _breaks(left: str, right: str, width: int, prose: bool) -> bool:
    """Whether a line break is meant (a list, a table, a menu) and not wrapped running text."""
    if _ITEM.match(right) or _ROW.match(left) or _ROW.match(right):
        return True
    if _RULE.fullmatch(left) or _RULE.fullmatch(right):
        return True
    if right[0].islower() or _RUNNING_ON.search(left[-6:]):
        return False
    if not prose or (_LABEL.match(left) and _LABEL.match(right)):
        return True
    return (
        right[0].isupper() and len(left) + 1 + len(right.split(maxsplit=1)[0]) <= _WRAPPED * width
    )


def _before_space(text: str, start: int, at: int) -> int:
    while at > start and text[at - 1].isspace():
        at -= 1
    return at


def _after_space(text: str, at: int, end: int) -> int:
    while at < end and text[at].isspace():
        at += 1
    return at
