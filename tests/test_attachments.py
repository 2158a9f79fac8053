"""Documents that came inside a file: added, replaced and removed with it, cited by themselves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import apsw
import pytest

from rag.assembly import doctor, forecast
from rag.attached import DEEPEST, MOST
from rag.errors import NotFound
from rag.service import Service
from rag.settings import Settings
from rag.types import IngestReport, Status
from rag.verifying import Claim, FileState, Standing

TEXT = b"The boiler room key hangs in locker 14."
SHEET = b"item,price\nprobe,35\nboat,200\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "mail.eml").write_bytes(mail("key.txt", "rates.csv"))
    for number in range(9):
        (folder / f"note{number}.txt").write_text(f"Note {number} is about something else.")
    return folder


def mail(*names: str, inner: bytes | None = None, words: str = "Both lists are attached.") -> bytes:
    made = EmailMessage()
    made["From"], made["Subject"] = "ada@example.org", "Keys and rates"
    made.set_content(words)
    for name in names:
        data = {".txt": TEXT, ".csv": SHEET}.get(Path(name).suffix, b"\x89PNG")
        made.add_attachment(data, "application", "octet-stream", filename=name)
    if inner is not None:
        made.add_attachment(inner, "application", "octet-stream", filename="inner.eml")
    return bytes(made)


def lines(report: IngestReport) -> dict[str, Status]:
    found = {outcome.source: outcome.status for outcome in report.outcomes}
    return {source: status for source, status in found.items() if source.startswith("mail.eml")}


def sources(service: Service) -> list[str]:
    return [
        record.origin.source for record in service.all_documents() if "mail" in record.origin.source
    ]


def test_they_are_documents_beside_their_mail(service: Service, folder: Path) -> None:
    assert lines(service.ingest([folder])) == {
        "mail.eml": Status.ADDED,
        "mail.eml/key.txt": Status.ADDED,
        "mail.eml/rates.csv": Status.ADDED,
    }
    answer = service.ask("Where does the boiler room key hang?").answers[0]
    assert (answer.citation.origin.source, answer.citation.paragraph) == ("mail.eml/key.txt", 1)
    answer = service.ask("What is the price of the boat item?").answers[0]
    assert answer.sentence == "item: boat; price: 200"
    assert (answer.citation.origin.source, answer.citation.paragraph) == ("mail.eml/rates.csv", 2)


def test_nothing_is_read_again_where_the_mail_is_unchanged(service: Service, folder: Path) -> None:
    service.ingest([folder])
    report = service.ingest([folder])
    assert set(lines(report).values()) == {Status.UNCHANGED}
    assert len(lines(report)) == 3
    assert not report.changed


def test_they_are_replaced_with_their_mail_as_one(service: Service, folder: Path) -> None:
    service.ingest([folder])
    generation = service.collections()[0].generation
    (folder / "mail.eml").write_bytes(mail("key.txt", "new.txt"))
    assert lines(service.ingest([folder])) == {
        "mail.eml": Status.REPLACED,
        "mail.eml/key.txt": Status.REPLACED,
        "mail.eml/new.txt": Status.ADDED,
        "mail.eml/rates.csv": Status.REMOVED,
    }
    assert sources(service) == ["mail.eml", "mail.eml/key.txt", "mail.eml/new.txt"]
    assert service.collections()[0].generation == generation + 1


def test_they_go_with_their_mail(service: Service, folder: Path) -> None:
    service.ingest([folder])
    (folder / "mail.eml").unlink()
    assert set(lines(service.ingest([folder])).values()) == {Status.REMOVED}
    assert sources(service) == []


def test_to_forget_a_mail_is_to_forget_them(service: Service, folder: Path) -> None:
    service.ingest([folder])
    (folder / "mail.emlx.txt").write_text("Another file whose name begins alike.")
    service.ingest([folder])
    service.remove(service.find("mail.eml/key.txt"))
    assert sources(service) == ["mail.eml", "mail.eml/rates.csv", "mail.emlx.txt"]
    service.remove(service.find("mail.eml"))
    assert sources(service) == ["mail.emlx.txt"]


def test_one_that_is_refused_is_told_and_costs_the_mail_nothing(
    service: Service, folder: Path
) -> None:
    (folder / "mail.eml").write_bytes(mail("key.txt", "photo.png", "blank.csv"))
    report = service.ingest([folder])
    assert lines(report) == {
        "mail.eml": Status.ADDED,
        "mail.eml/key.txt": Status.ADDED,
        "mail.eml/photo.png": Status.REFUSED,
        "mail.eml/blank.csv": Status.ADDED,
    }
    (reason,) = (o.reason for o in report.outcomes if o.source == "mail.eml/photo.png")
    assert reason is not None
    assert reason.startswith("unsupported format .png")


def test_a_mail_that_turned_unreadable_keeps_them(service: Service, folder: Path) -> None:
    service.ingest([folder])
    (folder / "mail.eml").write_bytes(b"\0\0\0")
    assert lines(service.ingest([folder])) == {"mail.eml": Status.REFUSED}
    assert sources(service) == ["mail.eml", "mail.eml/key.txt", "mail.eml/rates.csv"]


def test_mails_in_mails_to_a_depth(service: Service, folder: Path) -> None:
    data = mail("key.txt", words="Innermost.")
    for _ in range(DEEPEST):
        data = mail(inner=data)
    (folder / "mail.eml").write_bytes(data)
    report = service.ingest([folder])
    inner = "/".join(["mail.eml", *["inner.eml"] * DEEPEST])
    assert lines(report)[inner] is Status.ADDED
    assert lines(report)[f"{inner}/key.txt"] is Status.REFUSED
    assert set(lines(service.ingest([folder])).values()) == {Status.UNCHANGED}
    (folder / "mail.eml").write_bytes(mail())
    assert list(lines(service.ingest([folder])).values()) == [
        Status.REPLACED,
        *[Status.REMOVED] * DEEPEST,
    ]


def test_only_so_many_are_read(service: Service, folder: Path) -> None:
    names = [f"n{number:03}.txt" for number in range(MOST + 2)]
    (folder / "mail.eml").write_bytes(mail(*names))
    report = service.ingest([folder])
    assert report.count(Status.REFUSED) == 2
    last = report.outcomes[len(lines(report)) - 1]
    assert (last.source, last.status) == (f"mail.eml/{names[-1]}", Status.REFUSED)
    assert "save it as a file" in str(last.reason)


def test_their_bytes_are_kept(service: Service, folder: Path) -> None:
    service.ingest([folder])
    original = service.original(service.find("mail.eml/rates.csv"))
    assert (original.name, original.data) == ("rates.csv", SHEET)
    (folder / "mail.eml").unlink()
    assert service.original(service.find("mail.eml/rates.csv")).data == SHEET


def test_an_uploaded_mail_brings_them_too(service: Service) -> None:
    data = mail("key.txt")
    report = service.ingest_uploads([("mail.eml", data)])
    assert lines(report) == {"mail.eml": Status.ADDED, "mail.eml/key.txt": Status.ADDED}
    again = service.ingest_uploads([("mail.eml", data)])
    assert set(lines(again).values()) == {Status.UNCHANGED}
    assert service.original(service.find("mail.eml/key.txt")).data == TEXT
    service.remove(service.find("mail.eml"))
    with pytest.raises(NotFound):
        service.find("mail.eml/key.txt")


def test_citations_of_them_can_be_verified(service: Service, folder: Path) -> None:
    service.ingest([folder])
    citation = service.ask("Where does the boiler room key hang?").answers[0].citation
    origin = citation.origin
    claim = Claim(citation.span, citation.quote, origin.text_sha256, origin.document_id)
    (found,) = service.verify([claim])
    assert (found.status, found.file) == (Standing.EXACT, None)
    (folder / "mail.eml").unlink()
    assert service.verify([claim])[0].file is FileState.GONE


def test_the_doctor_finds_nothing_wrong_and_reads_a_damaged_one_again(
    service: Service, settings: Settings, folder: Path
) -> None:
    service.ingest([folder])
    examined = doctor(settings)
    assert not examined.check(lambda *_: None).before.findings
    with apsw.Connection(str(settings.home / "index.sqlite")) as connection:
        connection.execute("UPDATE documents SET text = 'x' WHERE source = 'mail.eml/key.txt'")
    assert examined.check(lambda *_: None).before.findings
    repaired = examined.repair(lambda *_: None)
    examined.close()
    assert repaired.after is not None
    assert not repaired.after.findings
    assert service.document(service.find("mail.eml/key.txt"))[0].text == TEXT.decode()


def test_they_move_with_their_mail_as_one(service: Service, folder: Path) -> None:
    (folder / "mail.eml").write_bytes(mail("key.txt", "rates.csv", "third.txt", "fourth.txt"))
    for number in range(9):
        (folder / f"note{number}.txt").unlink()
    service.ingest([folder])
    generation = service.collections()[0].generation
    (folder / "mail.eml").rename(folder / "mail.emlx.eml")
    report = service.ingest([folder])
    names = ["", "/fourth.txt", "/key.txt", "/rates.csv", "/third.txt"]
    assert [(o.source, o.status, o.reason) for o in report.outcomes] == [
        (f"mail.emlx.eml{name}", Status.MOVED, f"was at mail.eml{name}") for name in names
    ]
    assert sources(service) == [f"mail.emlx.eml{name}" for name in names]
    assert report.encoded == 0
    assert service.collections()[0].generation == generation + 1
    assert service.original(service.find("mail.emlx.eml/rates.csv")).data == SHEET
    assert service.ingest([folder]).count(Status.UNCHANGED) == 5


def test_a_dry_run_tells_of_them_what_is_known(
    service: Service, settings: Settings, folder: Path
) -> None:
    service.ingest([folder])
    moves: list[Callable[[], object]] = [
        lambda: None,
        lambda: (folder / "mail.eml").rename(folder / "kept.eml"),
        (folder / "kept.eml").unlink,
    ]
    for move in moves:
        move()
        foreseen = forecast(settings, [folder], "default").report
        told = [(o.source, o.status, o.reason) for o in foreseen.outcomes]
        report = service.ingest([folder])
        assert told == [(o.source, o.status, o.reason) for o in report.outcomes]
        assert len(told) == 12


def test_the_many_of_one_mail_count_as_one_file_that_has_vanished(
    service: Service, folder: Path
) -> None:
    names = [f"key{number}.txt" for number in range(20)]
    (folder / "mail.eml").write_bytes(mail(*names))
    service.ingest([folder])
    (folder / "mail.eml").unlink()
    report = service.ingest([folder])
    assert report.count(Status.REMOVED) == 21
    for number in range(3):  # of nine
        (folder / f"note{number}.txt").unlink()
    assert [o.status for o in service.ingest([folder]).outcomes] == [Status.REFUSED]


def test_a_mail_that_was_attached_and_is_now_a_file_has_its_own_attachments(
    service: Service, settings: Settings, folder: Path
) -> None:
    inner = mail("key.txt", words="The key is attached.")
    (folder / "mail.eml").write_bytes(mail("rates.csv", inner=inner))
    service.ingest([folder])
    (folder / "mail.eml").unlink()
    (folder / "mail-of-keys.eml").write_bytes(inner)
    service.ingest([folder])
    assert sources(service) == ["mail-of-keys.eml", "mail-of-keys.eml/key.txt"]
    with closing(doctor(settings)) as examined:
        assert not examined.check(lambda *_: None).left
