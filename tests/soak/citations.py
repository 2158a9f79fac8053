"""B: whatever a text holds, every citation of every reply points at exactly its words.

Held against the file's own bytes, decoded here, and against rules that are written anew here:
what a paragraph is, what SHA-256 says, and where graphemes end.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import regex
from apsw.unicode import grapheme_iter_with_offsets

from rag import answering, citing
from rag.entries import UPLOADS, document_id
from rag.payloads import reply_payload
from rag.service import Service
from rag.text import LONGEST_GRAPHEME
from rag.types import Citation, Place, Span, Status
from tests.soak.forking import Died, in_child
from tests.soak.rows import Anywhere, Bench, Case, Control, Sizes
from tests.soak.subject import opened, prepare

_BATCH = 50  # documents of one case
_READ_BY_MODEL = 100  # one batch in so many
_LARGE = 400  # one in so many documents has a paragraph of a megabyte
_AROUND = 32  # code points on either side of a quote
_LONGEST = 300.0  # seconds
_LONG_LINE = 10_000  # code points
_TREE = Path(__file__).parents[2]
_CORPORA = (_TREE / "data/corpus", _TREE.parent / "shared/corpus")
_LINE_ENDS = ("\n", "\r\n", "\r")
_JOINER = "\u200d"
_WORDS = (
    *("apple", "crate", "owl", "Straße", "naïve", "nai\u0308ve", "Å", "A\u030a", "ﬁn", "İstanbul"),
    *("\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f3f3\ufe0f\u200d\U0001f308"),
    *("\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd", "1\ufe0f\u20e3"),
    *("e\u0301\u0302\u0303", "\u0301apple", "क्षत्रिय", "நி", "각", "\u1100\u1161\u11a8", "ก็"),
    *("שלום", "مرحبا", "\u202eabc\u202c", "\u2067owl\u2069", "\u200fx", "zero\u200bwidth"),
    *(
        "soft\u00adhyphen",
        "word\u2060joiner",
        "日本語。",
        "中文。",
        "\ufeffmark",
        "a\u200d",
        _JOINER,
    ),
    *("\U0001f9d1\u200d", "Z\u0338\u034fa\u0334\u035dl\u0337", "\U000e0067", "\U0001d518x"),
    "\U0001f600" * 3,
)
_SPACES = (" ", " ", " ", " ", "\t", "\u00a0", "\u2003", "  ", "\u2028", "\u2029", "\x0b", "\x0c")
_STUCK = (
    "",
    "",
    "",
    "\u0301",
    "\ufe0f\u20e3",
    _JOINER,
    "\u200b",
    "%",
    "\u00a0",
    "\u0903",
    "\u0e33",
)
_ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16")


def text_of(chance: random.Random, number: int) -> str:
    """A text that answers a question about this number, among whatever a file may hold."""
    end = chance.choice([*_LINE_ENDS, ""])
    paragraphs = [_paragraph(chance, end) for _ in range(chance.randint(0, 4))]
    count = f"{chance.randrange(10, 1000)}{chance.choice(_STUCK)}"
    fact = f"{chance.choice(_STUCK)}Crate {number}x holds {count} plums{chance.choice(_STUCK)}."
    paragraphs.insert(chance.randint(0, len(paragraphs)), fact)
    if chance.randrange(_LARGE) == 0:
        paragraphs.append((chance.choice(_WORDS) * 10**6)[: 10**6])
    white = chance.choice(["", " ", "\t", "\u2003"])
    blank = f"{_ended(chance, end)}{white}{_ended(chance, end)}"
    return blank.join(paragraphs) + chance.choice(["", _ended(chance, end)])


def _paragraph(chance: random.Random, end: str) -> str:
    words = []
    for _ in range(chance.randint(0, 40)):
        words += [chance.choice(_WORDS), chance.choice(_SPACES)]
        if chance.random() < 0.1:
            words.append(chance.choice([". ", "? ", _ended(chance, end)]))
    return "".join(words)


def _ended(chance: random.Random, end: str) -> str:
    """The text's line end, or any one where it mixes them."""
    return end or chance.choice(_LINE_ENDS)


class Citations(Anywhere):
    """B. The first case are the corpora's files, the others batches of generated documents; one
    batch in a hundred is read by the reader that ships.
    """

    name = "B"
    title = "citations of generated documents, and of the sample corpus, are exact"
    sizes = Sizes(pr=2_000, nightly=50_000)
    first = "0"

    def __init__(self, planted: Callable[[], None] = lambda: None) -> None:
        self._planted = planted

    def case(self, bench: Bench, at: str) -> Case:
        number = int(at)
        home = bench.work / "home"
        with suppress(FileNotFoundError):
            shutil.rmtree(home)
        work = (lambda: _files(home)) if number == 0 else (lambda: self._batch(bench, home, number))
        try:
            told = in_child(work, _LONGEST)
        except Died as died:
            return Case(str(died), str(number + 1), counted=_BATCH)
        return Case(told["wrong"], str(number + 1), counted=told["documents"])

    def _batch(self, bench: Bench, home: Path, number: int) -> Any:
        chance = bench.chance("citations", number)
        texts = {}
        files = []
        for n in range(_BATCH):
            text, encoding = text_of(chance, n), chance.choice(_ENCODINGS)
            name = f"{n}.txt"
            files.append((name, text.encode(encoding)))
            # A mark at the very beginning is that of the encoding, whoever wrote it.
            marked = encoding == "utf-8" and text.startswith("\ufeff")
            texts[document_id("default", UPLOADS, name)] = text[1:] if marked else text
        prepare()
        self._planted()
        reader = "minilm-squad" if number % _READ_BY_MODEL == 1 else "sentence"
        with opened(home, reader=reader) as service:
            report = service.ingest_uploads(files)
            refused = [o for o in report.outcomes if o.status is Status.REFUSED]
            wrong = f"refused: {refused[0].source}, {refused[0].reason}" if refused else None
            found = 0
            for n in range(_BATCH):
                question = f"How many plums does crate {n}x hold?"
                reply = reply_payload(service.ask(question, min_confidence=0))
                found += reply["answered"]
                wrong = wrong or _wrong(reply, texts.__getitem__)
        if not wrong and found < _BATCH // 2:
            wrong = f"only {found} of {_BATCH} questions got an answer to judge"
        return {"documents": _BATCH, "wrong": wrong}

    def controls(self, bench: Bench) -> Sequence[Control]:
        found = [
            bool(Citations(planted).case(bench, "2").violation) for planted in (_shifted, _counted)
        ]
        return [
            Control("offsets that are 1 too high", found[0]),
            Control("paragraph numbers that are 1 too high", found[1]),
        ]


def _files(home: Path) -> Any:
    """Every file of the corpora, asked with sentences of its own."""
    prepare()
    documents, wrong = 0, None
    with opened(home) as service:
        service.ingest([corpus for corpus in _CORPORA if corpus.is_dir()])
        for record in service.all_documents():
            documents += 1
            text = service.document(record.origin.document_id)[0].text
            for question in _questions(text):
                reply = reply_payload(service.ask(question))
                wrong = wrong or _wrong(reply, lambda name: _stored(service, name))
    return {"documents": documents, "wrong": wrong}


def _stored(service: Service, name: str) -> str:
    return service.document(name)[0].text


def _questions(text: str) -> Iterator[str]:
    """Words of every tenth line or so."""
    for line in [line for line in text.splitlines() if len(line) > 30][::10][:20]:
        yield f"{line[:200]}?"


def _wrong(reply: Any, text_of: Callable[[str], str]) -> str | None:
    for item in [*reply["answers"], *reply["passages"]]:
        for citation in (item["citation"], *item["also_in"]):
            text = text_of(citation["document_id"])
            if what := _misquoted(citation, text):
                return f"{reply['question']}: {what}: {citation}"
        if item["text"] != item["citation"]["quote"]:
            return f"{reply['question']}: shown is {item['text']!r}: {item['citation']}"
    return None


def _misquoted(citation: Any, text: str) -> str | None:
    start, end = citation["start"], citation["end"]
    starts, boundaries = _facts(text)
    if not 0 <= start < end <= len(text):
        return "it stands outside its text"
    if text[start:end] != citation["quote"]:
        return "its words do not stand there"
    if citation["text_sha256"] != hashlib.sha256(text.encode()).hexdigest():
        return "the text has another hash"
    whole = (text[max(0, start - _AROUND) : start], text[end : end + _AROUND])
    if (citation["prefix"], citation["suffix"]) != whole:
        return "other words stand around it"
    numbers = (bisect_right(starts, start), bisect_right(starts, end - 1))
    if (citation["paragraph"], citation["paragraph_end"]) != numbers:
        return f"it stands in the paragraphs {numbers}"
    ends = {start, end, citation["sentence_start"], citation["sentence_end"]} - {None}
    if not ends <= boundaries:
        return f"it ends inside a grapheme, at {sorted(ends - boundaries)}"
    return None


@cache
def _facts(text: str) -> tuple[list[int], frozenset[int]]:
    """Where paragraphs begin, white space left out, and where graphemes end."""
    starts: list[int] = []
    was_blank = True
    for line in regex.finditer(r"[^\r\n]*(?:\r\n|\r|\n|$)", text):
        is_blank = not line.group().strip()
        if was_blank and not is_blank:
            starts.append(line.start() + len(line.group()) - len(line.group().lstrip()))
        was_blank = is_blank
    # Neither library follows UAX #29 in every corner; where they differ, either is right. The
    # first takes quadratic time over a long row of flags.
    ends = {0, len(text)} | {start for start, _, _ in grapheme_iter_with_offsets(text)}
    for line in regex.finditer(r"[^\r\n]+|\r\n|\r|\n", text):
        if len(line.group()) < _LONG_LINE:
            ends |= {line.start() + match.end() for match in regex.finditer(r"\X", line.group())}
    for start, end in pairwise(sorted(ends)):
        if end - start > LONGEST_GRAPHEME:
            ends |= set(range(start, end))
    return starts, frozenset(ends)


def _shifted() -> None:
    """The planted fault, at every citation of an answer."""
    cite = citing.cite

    def cited(place: Place, span: Span, sentence: Span | None = None) -> Citation:
        return cite(place, span.shifted(1), sentence)

    answering.cite = cited  # type: ignore[attr-defined]


def _counted() -> None:
    """The planted fault, at every passage."""
    cite = citing.cite

    def cited(place: Place, span: Span, sentence: Span | None = None) -> Citation:
        right = cite(place, span, sentence)
        return replace(right, paragraph=right.paragraph + 1, paragraph_end=right.paragraph_end + 1)

    answering.cite = cited  # type: ignore[attr-defined]
