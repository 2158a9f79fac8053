"""Outlook's .msg: the same mail in Microsoft's container, read as if it were an .eml.

What a message holds are numbered properties (MS-OXMSG, MS-OXPROPS): each text or block of bytes is
a stream of its own, numbers and times stand together in one. Recipients, attachments and messages
inside the message are folders of such streams.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import HeaderParser
from email.utils import format_datetime

import olefile

from rag.errors import FileRefused
from rag.loading.base import FormatReader
from rag.loading.mail import VERBATIM, Part, decoded, parsed
from rag.types import Parsed

_COMPOUND = olefile.MAGIC
_PROPERTIES = "__properties_version1.0"
_SUBJECT, _HEADERS, _BODY, _HTML, _RTF = 0x0037, 0x007D, 0x1000, 0x1013, 0x1009
_SENDER, _SENDER_SMTP, _SENDER_ADDRESS = 0x0C1A, 0x5D01, 0x0C1F
_SENT, _DELIVERED = 0x0039, 0x0E06
_NAME, _SMTP, _ADDRESS, _RECIPIENT_TYPE = 0x3001, 0x39FE, 0x3003, 0x0C15
_DATA, _FILE_NAME, _SHORT_NAME, _MEDIA_TYPE, _CONTENT_ID = 0x3701, 0x3707, 0x3704, 0x370E, 0x3712
_CODE_PAGE, _BODY_CODE_PAGE = 0x3FFD, 0x3FDE
_CHARSETS = {
    **{page: f"windows-{page}" for page in range(1250, 1259)},
    **{28590 + part: f"iso-8859-{part}" for part in range(1, 16)},
    932: "shift_jis",
    936: "gb18030",
    949: "euc-kr",
    950: "big5",
    20866: "koi8-r",
    50220: "iso-2022-jp",
    51932: "euc-jp",
    51949: "euc-kr",
    54936: "gb18030",
}
_KINDS = {1: "To", 2: "Cc"}
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DEEPEST = 10  # messages within messages


class OutlookReader:
    """Reads .msg; a message whose text is only there as RTF is refused."""

    loader = "msg/1"
    extensions = frozenset({".msg"})

    def matches(self, data: bytes) -> bool:
        return data.startswith(_COMPOUND) and _PROPERTIES.encode("utf-16-le") in data

    def read(self, data: bytes) -> Parsed:
        try:
            with olefile.OleFileIO(io.BytesIO(data)) as container:
                mail = _mail(_Folder(container, ()))
        except (FileRefused, MemoryError):
            raise
        except Exception:
            # The library raises whatever damaged input leads it to; no list would be complete.
            raise FileRefused(
                "damaged message: open it in Outlook and save it afresh, best as .eml"
            ) from None
        return parsed(mail, self.loader)


class _Folder:
    """The properties of a message, a recipient or an attachment."""

    def __init__(
        self, container: olefile.OleFileIO, path: tuple[str, ...], charset: str | None = None
    ) -> None:
        self._container = container
        self.path = path
        self._numbers = self._fixed()
        self._charset = _CHARSETS.get(self.number(_CODE_PAGE) or 0, charset)

    def _fixed(self) -> dict[int, bytes]:
        """The eight bytes of each property that is a number or a time, by its own number."""
        stream = self._stream(_PROPERTIES) or b""
        # Rows of 16 bytes follow a header whose length depends on the folder.
        start = len(stream) % 16 if self.path else 32
        rows = (stream[at : at + 16] for at in range(start, len(stream) - 15, 16))
        return {struct.unpack_from("<H", row, 2)[0]: row[8:] for row in rows}

    def _stream(self, name: str) -> bytes | None:
        path = [*self.path, name]
        if self._container.get_type(path) != olefile.STGTY_STREAM:
            return None
        content: bytes = self._container.openstream(path).read()
        return content

    def number(self, tag: int) -> int | None:
        value = self._numbers.get(tag)
        return struct.unpack_from("<i", value)[0] if value else None

    def moment(self, tag: int) -> datetime | None:
        value = self._numbers.get(tag)
        ticks = struct.unpack_from("<q", value)[0] if value else 0
        return _EPOCH + timedelta(microseconds=ticks // 10) if ticks > 0 else None

    def octets(self, tag: int) -> bytes | None:
        return self._stream(f"__substg1.0_{tag:04X}0102")

    def text(self, *tags: int) -> str:
        """The first of these that is there and has words."""
        for tag in tags:
            wide, narrow = (
                self._stream(f"__substg1.0_{tag:04X}{kind}") for kind in ("001F", "001E")
            )
            if wide is not None:
                words = wide.decode("utf-16-le", "replace")
            else:
                words = decoded(narrow or b"", self._charset)
            if words := words.rstrip("\0").strip():
                return words
        return ""

    def inner(self, prefix: str) -> Iterator[_Folder]:
        """The folders in this one whose names begin so, in order."""
        depth = len(self.path)
        names = {
            path[depth]
            for path in map(tuple, self._container.listdir(streams=False, storages=True))
            if len(path) == depth + 1 and path[:depth] == self.path
        }
        for name in sorted(name for name in names if name.startswith(prefix)):
            yield _Folder(self._container, (*self.path, name), self._charset)


def _mail(message: _Folder, depth: int = 0) -> Part:
    if depth > _DEEPEST:
        raise FileRefused(f"more than {_DEEPEST} messages deep; save the inner ones as files")
    mail = MIMEMultipart(policy=VERBATIM)
    for name, words in _headers(message):
        if words:
            mail[name] = " ".join(words.split())
    body, page = message.text(_BODY), _page(message)
    if body:
        mail.attach(MIMEText(body, "plain", "utf-8", policy=VERBATIM))
    elif page:
        mail.attach(MIMEText(page, "html", "utf-8", policy=VERBATIM))
    elif message.octets(_RTF):
        raise FileRefused("its text is only there as RTF: open it in Outlook and save it as .eml")
    for attachment in message.inner("__attach_version1.0_#"):
        mail.attach(_attachment(attachment, depth))
    return mail


def _headers(message: _Folder) -> Iterator[tuple[str, str]]:
    """As they came over the network, where they are kept; else as Outlook has taken them apart."""
    came = HeaderParser(policy=VERBATIM).parsestr(message.text(_HEADERS))
    yield "Subject", message.text(_SUBJECT)
    sender = (message.text(_SENDER), message.text(_SENDER_SMTP, _SENDER_ADDRESS))
    yield "From", str(came.get("From", "")) or _address(*sender)
    recipients = list(message.inner("__recip_version1.0_#"))
    for number, kind in _KINDS.items():
        theirs = (r for r in recipients if r.number(_RECIPIENT_TYPE) == number)
        addresses = (_address(r.text(_NAME), r.text(_SMTP, _ADDRESS)) for r in theirs)
        yield kind, str(came.get(kind, "")) or ", ".join(addresses)
    moment = message.moment(_SENT) or message.moment(_DELIVERED)
    yield "Date", str(came.get("Date", "")) or (format_datetime(moment) if moment else "")


def _address(name: str, address: str) -> str:
    """An address that is none but a place in a directory of Exchange is left out."""
    if "@" not in address or name == address:
        return name or address
    return f"{name} <{address}>" if name else address


def _page(message: _Folder) -> str:
    octets = message.octets(_HTML)
    if octets is None:
        return message.text(_HTML)
    return decoded(octets, _CHARSETS.get(message.number(_BODY_CODE_PAGE) or 0))


def _attachment(attachment: _Folder, depth: int) -> Part:
    inner = next(attachment.inner(f"__substg1.0_{_DATA:04X}000D"), None)
    octets = attachment.octets(_DATA)
    if octets is None and inner is not None:
        part: Part = MIMEMessage(_mail(inner, depth + 1), policy=VERBATIM)
    else:
        kind, _, subtype = attachment.text(_MEDIA_TYPE).partition("/")
        part = MIMEBase(kind or "application", subtype or "octet-stream", policy=VERBATIM)
        part.set_payload(octets or b"")
        encode_base64(part)
    name = attachment.text(_FILE_NAME, _SHORT_NAME, _NAME)
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
    return part


READER: FormatReader = OutlookReader()
