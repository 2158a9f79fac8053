"""Outlook's .msg, from messages that aspose-email-foss writes here."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from aspose.email_foss.msg import MapiMessage, PropertyId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, UnsupportedFormat
from rag.loading.formats import parse
from rag.loading.parser import Parser
from rag.types import Parsed
from tests.loading import texts

BINARY, INTEGER = 0x0102, 0x0003
SENT = datetime(2024, 3, 5, 22, 10, tzinfo=UTC)


def message(body: str = "", subject: str = "The key", **options: Any) -> MapiMessage:
    made = MapiMessage.create(subject, body, **options)
    made.set_property(PropertyId.SENDER_NAME, "Ada")
    made.set_property(PropertyId.SENDER_EMAIL_ADDRESS, "ada@example.org")
    made.set_property(PropertyId.MESSAGE_DELIVERY_TIME, SENT)
    return made


def read(made: MapiMessage) -> Parsed:
    return parse("a.msg", made.to_bytes())


def blocks(parsed: Parsed) -> list[str]:
    """Without the headers."""
    return texts.blocks(parsed)[1:]


def test_a_message_reads_like_a_mail() -> None:
    made = message("It is under\r\nthe mat.\r\n\r\nAda\r\n")
    made.add_recipient("bob@example.org", display_name="Bob")
    made.add_recipient("eve@example.org")
    made.add_recipient("/O=EXAMPLE/CN=ZOE", display_name="Zoë", recipient_type=2)
    parsed = read(made)
    assert parsed.text == (
        "From: Ada <ada@example.org>\nTo: Bob <bob@example.org>, eve@example.org\nCc: Zoë\n"
        "Date: Tue, 05 Mar 2024 22:10:00 +0000\nSubject: The key\n\nIt is under\nthe mat.\n\nAda"
    )
    assert (parsed.loader, parsed.title, parsed.date) == ("msg/1", "The key", "2024-03-05")


_words = st.text(st.sampled_from("abcé =?.>\u00a0\U0001f600日"), max_size=60)


@settings(deadline=None, max_examples=50)
@given(st.lists(_words, min_size=1, max_size=6))
def test_every_paragraph_arrives_once_and_in_order(texts: list[str]) -> None:
    texts = [f"p{number} {words} z" for number, words in enumerate(texts)]
    assert blocks(read(message("\r\n\r\n".join(texts)))) == texts


def test_headers_are_those_that_came_over_the_network() -> None:
    made = message("x", subject="Grüße – kurz")
    made.set_property(
        PropertyId.TRANSPORT_MESSAGE_HEADERS,
        "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: Ada\r\n <ada@example.org>\r\n"
        "Date: Wed, 6 Mar 2024 01:00:00 +0300\r\n\r\n",
    )
    parsed = read(made)
    assert parsed.text.startswith(
        "From: Jürgen <j@example.org>\nTo: Ada <ada@example.org>\n"
        "Date: Wed, 6 Mar 2024 01:00:00 +0300\nSubject: Grüße – kurz\n\n"
    )
    assert parsed.date == "2024-03-06"


def test_html_is_read_where_there_is_no_plain_text() -> None:
    made = message()
    page = "<h1>Neues</h1><p>Grüße.".encode("cp1250")
    made.set_property(0x1013, BINARY, page)
    made.set_property(0x3FDE, INTEGER, 1250)
    parsed = read(made)
    assert blocks(parsed) == ["Neues", "Grüße."]
    assert [heading.text for heading in parsed.headings] == ["Neues"]


@pytest.mark.parametrize(
    ("page", "text"), [(1251, "Привет, это письмо"), (1252, "„schön“ – 5 €"), (932, "日本語")]
)
def test_messages_of_one_byte_are_read_by_their_code_page(page: int, text: str) -> None:
    # The writer knows one code page alone, so the bytes of others are given to it as its own.
    made = message(text.encode(f"cp{page}").decode("cp1252"), unicode_strings=False)
    made.set_property(0x3FFD, INTEGER, page)
    assert blocks(read(made)) == [text]


def test_attachments_come_with_their_bytes_and_messages_as_mails() -> None:
    made, inner = message("See below."), message("From here on:\n\nfrom there.", "Inner: one")
    data = bytes(range(256)) * 40
    made.add_attachment("räte.pdf", data, mime_type="application/pdf")
    made.add_attachment("logo.png", data, mime_type="image/png", content_id="logo")
    made.add_attachment("empty.txt", b"")
    made.add_attachment("old.doc", data + "WordDocument\0".encode("utf-16-le"))
    inner.add_attachment("deep.txt", b"deep")
    made.add_embedded_message_attachment(inner, filename="Inner: one")
    parsed = read(made)
    assert [one.name for one in parsed.attachments] == [
        *("räte.pdf", "logo.png", "empty.txt", "old.doc", "Inner: one.eml"),
    ]
    assert [one.data for one in parsed.attachments[:3]] == [data, data, b""]
    mail = parse("a.eml", parsed.attachments[4].data)
    assert blocks(mail) == ["From here on:", "from there."]
    assert (mail.title, mail.date) == ("Inner: one", "2024-03-05")
    assert [(one.name, one.data) for one in mail.attachments] == [("deep.txt", b"deep")]


def test_a_text_that_is_only_there_as_rtf_is_refused() -> None:
    made = message()
    made.set_property(0x1009, BINARY, b"compressed")
    with pytest.raises(FileRefused, match="only there as RTF: open it in Outlook and save"):
        read(made)


def test_messages_nested_without_end_are_refused() -> None:
    made = message("x")
    for _ in range(12):
        outer = message("x")
        outer.add_embedded_message_attachment(made)
        made = outer
    with pytest.raises(FileRefused, match="more than 10 messages deep"):
        read(made)


GOOD = message("Words.")
GOOD.add_recipient("bob@example.org")
GOOD.add_attachment("a.txt", b"x")
GOOD.add_embedded_message_attachment(message("Inner."))
DATA = GOOD.to_bytes()


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_messages_are_read_or_refused(parser: Parser, data: st.DataObject) -> None:
    content = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        else:
            length = data.draw(st.integers(1, 64))
            content[at : at + length] = data.draw(st.binary(min_size=length, max_size=length))
    with suppress(FileRefused):
        assert parser.parse("a.msg", bytes(content)).text.strip()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_messages_cut_short_are_read_or_refused(share: float) -> None:
    with suppress(FileRefused):
        assert parse("a.msg", DATA[: int(len(DATA) * share)]).text.strip()


@pytest.mark.parametrize(
    "data", [b"From: a\n\nx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)]
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.msg"):
        parse("a.msg", data)
