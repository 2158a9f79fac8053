"""Mail as .eml."""

from __future__ import annotations

from base64 import b64encode
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import FileRefused, TooLarge, UnsupportedFormat
from rag.loading.formats import parse
from rag.types import Parsed
from tests.loading import texts

HEAD = (
    b"From: Ada <ada@example.org>\r\nTo: Bob <bob@example.org>, Eve <eve@example.org>\r\n"
    b"Date: Tue, 5 Mar 2024 23:10:00 +0100\r\nSubject: The key\r\nMIME-Version: 1.0\r\n"
)
SHOWN = (
    "From: Ada <ada@example.org>\nTo: Bob <bob@example.org>, Eve <eve@example.org>\n"
    "Date: Tue, 5 Mar 2024 23:10:00 +0100\nSubject: The key"
)


def read(data: bytes) -> Parsed:
    return parse("a.eml", data)


def mail(**headers: str) -> EmailMessage:
    made = EmailMessage()
    for name, value in ({"From": "ada@example.org", "Subject": "S"} | headers).items():
        made[name] = value
    return made


def blocks(parsed: Parsed) -> list[str]:
    """Without the headers."""
    return texts.blocks(parsed)[1:]


def test_headers_are_the_first_paragraph() -> None:
    parsed = read(HEAD + b"\r\nIt is under\r\nthe mat.\r\n\r\nAda\r\n")
    assert parsed.text == f"{SHOWN}\n\nIt is under\nthe mat.\n\nAda"
    assert (parsed.loader, parsed.title, parsed.date) == ("eml/1", "The key", "2024-03-05")
    assert parsed.attachments == ()


_words = st.text(st.sampled_from("abcé =?.>-\u00a0\U0001f600日"), max_size=90)


@settings(deadline=None)
@given(
    texts=st.lists(_words, min_size=1, max_size=6),
    encoding=st.sampled_from(["7bit", "8bit", "quoted-printable", "base64"]),
    charset=st.sampled_from(["utf-8", "utf-7"]),
    form=st.sampled_from(["plain", "html", "alternative", "mixed"]),
    policy=st.sampled_from([SMTP, SMTP.clone(linesep="\n")]),
)
def test_every_paragraph_arrives_once_and_in_order(
    texts: list[str], encoding: str, charset: str, form: str, policy: object
) -> None:
    texts = [f"p{number} {words} z" for number, words in enumerate(texts)]
    if encoding in ("7bit", "8bit"):
        charset = "utf-7" if encoding == "7bit" else "utf-8"
    message = mail()
    page = "".join(f"<p>{words.replace('>', '&gt;')}</p>" for words in texts)
    if form == "html":
        message.set_content(page, "html", "utf-8", cte="base64")
    else:
        message.set_content("\n\n".join(texts), "plain", charset, cte=encoding)
    if form == "alternative":
        message.add_alternative(f"{page}<p>not this</p>", "html")
    elif form == "mixed":
        message.add_attachment(b"%PDF-", "application", "pdf", filename="a.pdf")
    expected = [" ".join(words.split()) for words in texts] if form == "html" else texts
    parsed = read(message.as_bytes(policy=policy))  # type: ignore[arg-type]
    assert blocks(parsed) == expected
    assert [one.name for one in parsed.attachments] == (["a.pdf"] if form == "mixed" else [])


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-1", "Grüße aus Köln"),
        ("windows-1252", "„schön“ – 5 €"),
        ("koi8-r", "Привет, мир"),
        ("iso-2022-jp", "日本語のメール"),
        ("gb2312", "中文邮件"),
        ("ks_c_5601-1987", "한국어 메일"),
        ("utf-16le", "Zwei Bytes"),
    ],
)
def test_charsets_that_a_mail_declares(charset: str, text: str) -> None:
    head = HEAD + f"Content-Type: text/plain; charset={charset}\r\n".encode()
    coded = head + b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(text.encode(charset))
    assert blocks(read(coded)) == [text]
    if charset != "utf-16le":
        assert blocks(read(head + b"\r\n" + text.encode(charset))) == [text]


@pytest.mark.parametrize("charset", ["us-ascii", "utf-8", "x-unknown", "iso-2022-jp", "utf-16"])
def test_a_charset_that_is_wrong_does_not_cost_the_text(charset: str) -> None:
    head = HEAD + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()
    (text,) = blocks(read(head + "Grüße aus Köln: schöne Mädchen und Würste!".encode("cp1252")))
    assert "aus K" in text
    assert text.endswith("!")


def test_headers_are_decoded_however_they_were_written() -> None:
    parsed = read(
        b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\nTo: M\xc3\xbcller <m@example.org>\n"
        b"Subject: Gr\xfc\xdfe =?iso-8859-1?b?5PY=?=\n =?utf-8?q?_mehr?=\nDate: soon\n\nx"
    )
    assert parsed.text == (
        "From: Jürgen <j@example.org>\nTo: Müller <m@example.org>\nDate: soon\n"
        "Subject: Grüße äö mehr\n\nx"
    )
    assert (parsed.title, parsed.date) == ("Grüße äö mehr", None)


def test_html_comes_with_its_headings_and_tables() -> None:
    message = mail()
    message.set_content(
        "<body><h1>News</h1><p>One <b>word</b>.</p><table><tr><th>a<th>b<tr><td>1<td>2</table>",
        "html",
    )
    message.add_related(b"GIF89a", "image", "gif", cid="<logo>")
    parsed = read(bytes(message))
    assert blocks(parsed) == ["News", "One word.", "a: 1; b: 2"]
    assert [(h.text, h.span.of(parsed.text)) for h in parsed.headings] == [("News", "News")]
    assert parsed.attachments == ()


def test_the_plain_form_is_taken_if_there_are_words_in_it() -> None:
    message = mail()
    message.set_content(" \n")
    message.add_alternative("<p>Only here.</p>", "html")
    assert blocks(read(bytes(message))) == ["Only here."]


def test_an_attachment_inside_the_form_that_is_not_taken_stays() -> None:
    message, rich = mail(), EmailMessage()
    message.set_content("Plain.")
    rich.set_content("<p>Rich.</p>", "html")
    rich.add_attachment(b"%PDF-1", "application", "pdf", filename="a.pdf")
    message.make_alternative()
    message.attach(rich)
    parsed = read(bytes(message))
    assert blocks(parsed) == ["Plain."]
    assert [(one.name, one.data) for one in parsed.attachments] == [("a.pdf", b"%PDF-1")]


def test_attachments_are_the_very_bytes_under_names_of_their_own() -> None:
    message, inner = mail(), mail(Subject="In/ner")
    message.set_content("See below.")
    data = bytes(range(256))
    for name in (
        "a.bin",
        "../../A.bin",
        "C:\\x\\a.bin",
        None,
        ".profile",
        "né\u202e.txt",
        "long" * 99,
    ):
        message.add_attachment(data, "application", "pdf", filename=name)
    inner.set_content("From here on:\n\nfrom there.")
    message.add_attachment(inner)
    message.add_attachment("a,b\n", "csv")
    parsed = read(bytes(message))
    assert [one.name for one in parsed.attachments] == [
        *("a.bin", "A (2).bin", "a (3).bin", "attachment.pdf", "profile.pdf", "né.txt"),
        *(f"{'long' * 25}.pdf", "In ner.eml", "attachment.csv"),
    ]
    assert [one.data for one in parsed.attachments[:7]] == [data] * 7
    assert parsed.attachments[7].data == bytes(inner)
    assert blocks(read(parsed.attachments[7].data)) == ["From here on:", "from there."]


def test_signatures_are_no_attachments_and_reports_are_text() -> None:
    signed = (
        HEAD + b'Content-Type: multipart/signed; boundary="b"\n\n--b\n\nSigned.\n--b\n'
        b"Content-Type: application/pgp-signature; name=s.asc\n\nxyz\n--b--\n"
    )
    report = (
        HEAD + b'Content-Type: multipart/report; boundary="b"\n\n--b\n\nFailed.\n--b\n'
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\n--b--\n"
    )
    assert (blocks(read(signed)), read(signed).attachments) == (["Signed."], ())
    assert blocks(read(report)) == ["Failed.", "Reporting-MTA: dns; x", "Action: failed"]


@pytest.mark.parametrize(
    "tail",
    [
        b"Content-Type: multipart/mixed\n\nWords.",
        b"Content-Type: multipart/mixed; boundary=b\n\nWords.",
        b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nV29yZHMu\n!",
        b"Content-Type: text/plain; charset*=\n\nWords.",
        b"Content-Type: ;;=\n\nWords.",
        b"Content-Disposition: =?;=\n\nWords.",
        b"no header at all\n\nWords.",
    ],
)
def test_damaged_structure_keeps_the_words(tail: bytes) -> None:
    assert "Words." in read(HEAD + tail).text


@pytest.mark.parametrize(
    "kind", ["multipart/encrypted; boundary=b", "application/pkcs7-mime; smime-type=enveloped-data"]
)
def test_an_encrypted_mail_is_refused(kind: str) -> None:
    with pytest.raises(FileRefused, match="encrypted or sealed"):
        read(HEAD + f"Content-Type: {kind}\n\n--b\n\nx\n--b--".encode())


def test_parts_without_end_are_refused() -> None:
    many = b"--b\n\nx\n" * 2_000
    with pytest.raises(TooLarge, match="more than 1,000 parts"):
        read(HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + many)
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5_000)
    )
    with pytest.raises(FileRefused, match="nest too deep"):
        read(HEAD + deep)


@pytest.mark.parametrize(
    "data",
    [b"A letter, not a mail.\n\nFrom: x", b"PK\x03\x04\0\0", b"%PDF-1.7", b"X-Any: thing\n\ntext"],
)
def test_what_is_no_mail_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match=r"the content is no \.eml"):
        read(data)


def test_a_mail_without_a_word_is_refused() -> None:
    with pytest.raises(FileRefused, match="neither headers nor text"):
        read(b"Received: x\nSubject:\n\n \n")


def test_a_mail_kept_with_a_mark_or_an_envelope_line() -> None:
    for start in (b"\xef\xbb\xbf", b"\r\n\n", b"From ada@example.org Tue Mar  5 23:10:00 2024\n"):
        assert read(start + HEAD + b"\nx").text == f"{SHOWN}\n\nx"
