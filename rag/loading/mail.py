"""Mail as .eml: its headers, its text, and its attachments as files of their own.

The headers that people read are the first paragraph. Of a text that is there both plain and as
HTML the plain one is taken; HTML goes through the reader of web pages. Every other part is an
attachment, but for pictures that only decorate the HTML and for signatures, which are left out.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import TypeAlias

from rag.errors import FileRefused, TooLarge
from rag.loading.attachments import Names
from rag.loading.base import FormatReader
from rag.loading.decoding import decode, is_text
from rag.loading.html.reader import READER as HTML
from rag.loading.metadata import one_line
from rag.loading.rendering import Rendering
from rag.text import paragraphs
from rag.types import Attachment, Parsed

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_BEGINNING = re.compile(rb"(?:From [^\r\n]*\s+)?[!-9;-~]{1,76}[ \t]*:")
_MAIL = re.compile(
    rb"^(?:from|to|date|subject|received|message-id|mime-version)[ \t]*:", re.I | re.M
)
_TOP = 1 << 16  # bytes within which a mail has one of these headers
_MOST_PARTS = 1_000
_BODIES = frozenset({"text/plain", "text/html", "text/rfc822-headers", "message/delivery-status"})
_SIGNATURES = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    }
)
_SEALED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
# Encodings that look like another one, or like binary data, to whoever guesses.
_DECLARED = re.compile(r"iso-2022-[\w-]+|ks_c_5601-1987|utf-16(?:le|be)?|utf-7", re.I)
# As it came: no line is folded anew, and no "From " at a line's start quoted. The newer policy
# parses addresses that nobody asks for, in quadratic time, and stumbles over some.
VERBATIM = policy.compat32.clone(mangle_from_=False, max_line_length=None)
Part: TypeAlias = "Message[str, str]"  # only type checkers know its parameters


class MailReader:
    """Reads .eml; the subject is the title, and the day that it was sent on the date."""

    loader = "eml/1"
    extensions = frozenset({".eml"})

    def matches(self, data: bytes) -> bool:
        top = _without_mark(data[:_TOP])
        return is_text(top) and bool(_BEGINNING.match(top)) and bool(_MAIL.search(top))

    def read(self, data: bytes) -> Parsed:
        try:
            return parsed(message_from_bytes(_without_mark(data), policy=VERBATIM), self.loader)
        except RecursionError:
            raise FileRefused("its parts nest too deep; save it afresh") from None


def _without_mark(data: bytes) -> bytes:
    return data.removeprefix(codecs.BOM_UTF8).lstrip()


def parsed(mail: Part, loader: str) -> Parsed:
    """What a mail holds. Raises `FileRefused` where that is no word, or sealed."""
    if mail.get_content_type() in _SEALED:
        raise FileRefused("encrypted or sealed: open it in the mail program and save it without")
    rendering = Rendering()
    headers = ((name, _header(mail, name)) for name in _HEADERS)
    rendering.add("\n".join(f"{name}: {words}" for name, words in headers if words))
    names, attachments = Names(), list[Attachment]()
    for number, part in enumerate(_parts(mail)):
        if number == _MOST_PARTS:
            raise TooLarge(f"has more than {_MOST_PARTS:,} parts; save its attachments as files")
        if not _is_body(part):
            attachments.append(_attachment(part, names))
        elif part.get_content_type() == "text/html":
            _add_page(rendering, _text(part))
        else:
            rendering.add(_text(part))
    if not rendering.offset:
        raise FileRefused("neither headers nor text in it; save its attachments as files")
    return Parsed(
        text=rendering.text,
        loader=loader,
        title=one_line(_header(mail, "Subject")),
        date=_date(_header(mail, "Date")),
        headings=rendering.headings,
        attachments=tuple(attachments),
    )


def _header(part: Part, name: str) -> str:
    """The words of a header, decoded, on one line."""
    raw = next((value for key, value in part.raw_items() if key.lower() == name.lower()), "")
    return _decoded(str(raw))


def _decoded(raw: str) -> str:
    # Latin-1 stands for the bytes themselves, which is what the library gives back unencoded.
    octets = raw.encode("utf-8", "surrogateescape").decode("latin-1")
    try:
        pieces = decode_header(octets)
    except (ValueError, MessageError):
        pieces = [(octets, None)]
    return " ".join("".join(_piece(*piece) for piece in pieces).split())


def _piece(piece: str | bytes, charset: str | None) -> str:
    octets = piece.encode("latin-1") if isinstance(piece, str) else piece
    for encoding in (charset, "utf-8"):
        with suppress(LookupError, UnicodeError):
            if encoding:
                return octets.decode(encoding)
    return octets.decode("cp1252", "replace")


def _date(words: str) -> str | None:
    try:
        return parsedate_to_datetime(words).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _parts(mail: Part) -> Iterator[Part]:
    """Every part that counts and holds no others, in order."""
    waiting = [mail]
    while waiting:
        part = waiting.pop()
        kind = part.get_content_type()
        if kind.startswith("multipart/") and part.is_multipart():
            waiting += reversed(_chosen(part) if kind == "multipart/alternative" else _inner(part))
        elif kind not in _SIGNATURES and not _decorates(part):
            yield part


def _inner(part: Part) -> list[Part]:
    inner = part.get_payload()
    return [one for one in inner if isinstance(one, Message)] if isinstance(inner, list) else []


def _chosen(alternatives: Part) -> list[Part]:
    """The best of several forms of one text, and what the others have attached."""
    forms = _inner(alternatives)
    best = next(
        (form for kind in ("text/plain", "text/html") for form in forms if _has(form, kind)), None
    )
    if best is None:
        return forms
    kept: list[Part] = []
    for form in forms:
        kept += [form] if form is best else [part for part in _parts(form) if _name(part)]
    return kept


def _has(form: Part, kind: str) -> bool:
    """Whether there is such a text with words in it."""
    return any(
        part.get_content_type() == kind and _is_body(part) and _octets(part).strip()
        for part in form.walk()
    )


def _is_body(part: Part) -> bool:
    if part.get_content_disposition() == "attachment" or _name(part):
        return False
    # A mail that calls itself multipart and shows no parts is its text.
    return part.get_content_type() in _BODIES or part.get_content_maintype() == "multipart"


def _decorates(part: Part) -> bool:
    return (
        part.get_content_maintype() == "image"
        and "content-id" in part
        and part.get_content_disposition() != "attachment"
    )


def _octets(part: Part) -> bytes:
    """What a part holds, decoded from its transfer encoding; other mails as they came."""
    if part.is_multipart():
        try:
            return b"\n\n".join(one.as_bytes(policy=VERBATIM) for one in _inner(part))
        except (ValueError, MessageError):
            return b""  # so damaged that the library can't write what it has read
    octets = part.get_payload(decode=True)
    return octets if isinstance(octets, bytes) else b""


def _text(part: Part) -> str:
    return decoded(_octets(part), part.get_content_charset())


def decoded(octets: bytes, declared: str | None) -> str:
    """Words in the encoding that was declared for them, where they can be; blank ones are none."""
    if declared and _DECLARED.fullmatch(declared):
        try:
            return octets.decode(declared)
        except (LookupError, UnicodeDecodeError):
            pass  # a wrong declaration; the content decides
    octets = octets.replace(b"\0", b"")
    try:
        return decode(octets, declared) if octets.strip() else ""
    except FileRefused:
        # Replies quote bytes of every encoding: what can be read counts more than the rest.
        return octets.decode("utf-8", "replace")


def _add_page(rendering: Rendering, page: str) -> None:
    try:
        parsed = HTML.read(codecs.BOM_UTF8 + page.encode("utf-8", "replace"))
    except FileRefused:
        return  # no words in it
    levels = {heading.span: heading.level for heading in parsed.headings}
    for paragraph in paragraphs(parsed.text):
        rendering.add(paragraph.of(parsed.text), levels.get(paragraph))


def _name(part: Part) -> str | None:
    """What it says of its file's name, not yet decoded."""
    with suppress(Exception):  # what the library raises here has no list
        return part.get_filename()
    return None


def _attachment(part: Part, names: Names) -> Attachment:
    kind, name = part.get_content_type(), _name(part)
    if kind == "message/rfc822" and (inner := _inner(part)):
        name = name or _header(inner[0], "Subject").replace("/", " ") or "message"
        name = f"{name.removesuffix('.msg').removesuffix('.eml')}.eml"
    return Attachment(names.give(name and _decoded(name), kind), _octets(part))


READER: FormatReader = MailReader()
