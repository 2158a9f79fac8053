"""How kept citations stand after their files were edited, renamed, copied and removed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.assembly import build
from rag.service import Service
from rag.settings import Settings
from rag.types import Answer, Citation, RankedPassage, Reply, Span
from rag.verifying import MOST_PLACES, Claim, FileState, Standing, Verification

# Paragraph 2 begins at 18; "28 days" stands at 28.
LEAVE = "About leave here.\nx\n\nStaff have 28 days of leave.\n"
QUOTE = Span(32, 39)
EDITED = "A new line.\n\n" + LEAVE  # 13 characters more, and a paragraph


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = build(
        Settings(
            home=tmp_path / "home",
            cache=tmp_path / "cache",
            embedder="hashing",
            reader="sentence",
            max_file_bytes=10_000,
        )
    )
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.txt").write_text(LEAVE)
    (folder / "other.txt").write_text("The car park closes at 22:30.\n")
    return folder


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def claim_of(text: str, span: Span, source: str | None = "leave.txt", **more: object) -> Claim:
    made = Claim(
        span=span,
        quote=span.of(text),
        text_sha256=sha256(text),
        source=source,
        prefix=text[max(0, span.start - 32) : span.start],
        suffix=text[span.end : span.end + 32],
    )
    return replace(made, **more)  # type: ignore[arg-type]


def judged(service: Service, claim: Claim) -> Verification:
    (found,) = service.verify([claim])
    return found


def in_short(
    found: Verification,
) -> tuple[object, ...]:
    return found.status, found.source, found.span, found.paragraph, found.file


def kept(reply: Reply) -> Iterator[Claim]:
    everything: tuple[Answer | RankedPassage, ...] = (*reply.answers, *reply.passages)
    for shown in everything:
        for citation in (shown.citation, *shown.also_in):
            yield from (_kept(citation), replace(_kept(citation), document_id=None))


def _kept(citation: Citation) -> Claim:
    origin = citation.origin
    return Claim(
        span=citation.span,
        quote=citation.quote,
        text_sha256=origin.text_sha256,
        document_id=origin.document_id,
        source=origin.source,
        sha256=origin.sha256,
        sentence=citation.sentence,
        prefix=citation.prefix,
        suffix=citation.suffix,
    )


class TestInTheSameText:
    def test_exact(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        assert QUOTE.of(LEAVE) == "28 days"
        found = judged(service, claim_of(LEAVE, QUOTE))
        assert in_short(found) == ("exact", "leave.txt", QUOTE, 2, "same")
        assert found.document_id == service.find("leave.txt")
        by_id = claim_of(LEAVE, QUOTE, None, document_id=service.find("leave.txt"))
        assert judged(service, by_id) == found

    @pytest.mark.parametrize("sentence", [Span(21, 49), QUOTE, Span(0, len(LEAVE))])
    def test_a_sentence_lies_around_the_quote(
        self, service: Service, folder: Path, sentence: Span
    ) -> None:
        service.ingest([folder])
        claim = claim_of(LEAVE, QUOTE, sentence=sentence, sentence_text=sentence.of(LEAVE))
        assert judged(service, claim).status is Standing.EXACT

    @pytest.mark.parametrize(
        ("sentence", "words"),
        [
            (Span(33, 49), None),
            (Span(21, 38), None),
            (Span(21, 10**9), None),
            (Span(0, 17), None),
            (Span(21, 49), "Staff have 28 days of leave!"),
        ],
    )
    def test_a_sentence_that_never_was_is_stale(
        self, service: Service, folder: Path, sentence: Span, words: str | None
    ) -> None:
        service.ingest([folder])
        claim = claim_of(LEAVE, QUOTE, sentence=sentence, sentence_text=words)
        found = judged(service, claim)
        assert in_short(found) == ("stale", "leave.txt", None, None, "same")
        assert "sentence" in found.detail

    @pytest.mark.parametrize("span", [Span(31, 38), Span(32, 40), Span(10**9, 10**9 + 7)])
    def test_wrong_offsets_are_put_right(self, service: Service, folder: Path, span: Span) -> None:
        service.ingest([folder])
        found = judged(service, replace(claim_of(LEAVE, QUOTE), span=span))
        assert in_short(found) == ("moved", "leave.txt", QUOTE, 2, "same")
        assert "unchanged" in found.detail

    def test_an_end_beyond_the_text_is_not_exact(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        last = Span(len(LEAVE) - 7, len(LEAVE))
        beyond = replace(claim_of(LEAVE, last), span=Span(last.start, last.end + 1))
        assert beyond.span.of(LEAVE) == beyond.quote
        assert judged(service, beyond).status is Standing.MOVED

    def test_words_that_never_stood_there_are_stale(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        found = judged(service, replace(claim_of(LEAVE, QUOTE), quote="82 days"))
        assert in_short(found) == ("stale", "leave.txt", None, None, "same")
        assert "never" in found.detail

    def test_another_source_than_the_document_s_is_stale(
        self, service: Service, folder: Path
    ) -> None:
        service.ingest([folder])
        document_id = service.find("leave.txt")
        found = judged(service, claim_of(LEAVE, QUOTE, "other.txt", document_id=document_id))
        assert (found.status, found.source) == (Standing.STALE, "leave.txt")


class TestAfterAnEdit:
    def test_before_the_quote(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        (folder / "leave.txt").write_text(EDITED)
        service.ingest([folder])
        found = judged(service, claim_of(LEAVE, QUOTE))
        assert in_short(found) == ("moved", "leave.txt", Span(45, 52), 3, "same")

    def test_after_the_quote(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        (folder / "leave.txt").write_text(LEAVE + "\nThe end.\n")
        service.ingest([folder])
        found = judged(service, claim_of(LEAVE, QUOTE))
        assert in_short(found) == ("moved", "leave.txt", QUOTE, 2, "same")
        assert "where it stood" in found.detail

    def test_of_the_quote(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        (folder / "leave.txt").write_text(LEAVE.replace("28", "30"))
        service.ingest([folder])
        found = judged(service, claim_of(LEAVE, QUOTE))
        assert in_short(found) == ("stale", "leave.txt", None, None, "same")

    def test_several_places_are_told_apart_by_the_words_around(
        self, service: Service, folder: Path
    ) -> None:
        service.ingest([folder])
        (folder / "leave.txt").write_text("Guests get 28 days.\n\n" + LEAVE)
        service.ingest([folder])
        claim = claim_of(LEAVE, QUOTE, prefix="have ", suffix=" of leave.\n")
        assert in_short(judged(service, claim))[:4] == ("moved", "leave.txt", Span(53, 60), 3)
        one_side = replace(claim, suffix="")
        assert judged(service, one_side).span == Span(53, 60)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("28 days. And 28 days.", "at 2 places"),
            ("28 days. " * MOST_PLACES, "at 100 or more places"),
            (f"{LEAVE}\n\n{LEAVE}", "at 2 places"),
        ],
    )
    def test_what_nothing_tells_apart_is_stale(
        self, service: Service, folder: Path, text: str, told: str
    ) -> None:
        service.ingest([folder])
        (folder / "leave.txt").write_text(text)
        service.ingest([folder])
        found = judged(service, claim_of(LEAVE, QUOTE))
        assert in_short(found) == ("stale", "leave.txt", None, None, "same")
        assert told in found.detail

    def test_places_that_overlap_are_several(self, service: Service, folder: Path) -> None:
        (folder / "leave.txt").write_text("one aaa two")
        service.ingest([folder])
        claim = Claim(Span(0, 2), "aa", sha256("another text"), source="leave.txt")
        assert "at 2 places" in judged(service, claim).detail


class TestAnotherDocument:
    def test_a_renamed_file(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        former = claim_of(LEAVE, QUOTE, document_id=service.find("leave.txt"))
        (folder / "leave.txt").rename(folder / "holidays.txt")
        service.ingest([folder], prune=True)
        for claim in (former, replace(former, document_id=None)):
            found = judged(service, claim)
            assert in_short(found) == ("moved", "holidays.txt", QUOTE, 2, "same")
            assert found.document_id == service.find("holidays.txt")
            assert "renamed" in found.detail

    def test_another_file_took_its_name(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        (folder / "leave.txt").rename(folder / "leave-2024.txt")
        (folder / "leave.txt").write_text("Nobody has leave.\n")
        service.ingest([folder])
        found = judged(service, claim_of(LEAVE, QUOTE))
        assert in_short(found)[:3] == ("moved", "leave-2024.txt", QUOTE)

    def test_the_same_bytes_with_another_rendering(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        claim = Claim(Span(0, 7), "28 days", sha256("former rendering"), source="old.txt")
        assert judged(service, claim).status is Standing.MISSING
        found = judged(service, replace(claim, sha256=sha256(LEAVE)))
        assert in_short(found)[:3] == ("moved", "leave.txt", QUOTE)

    def test_copies_are_no_renaming(self, service: Service, folder: Path) -> None:
        (folder / "copy.txt").write_text(LEAVE)
        service.ingest([folder])
        assert in_short(judged(service, claim_of(LEAVE, QUOTE)))[:2] == ("exact", "leave.txt")

    def test_one_source_in_two_roots(self, service: Service, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "second").mkdir()
        (tmp_path / "second" / "leave.txt").write_text("No such words.\n")
        service.ingest([folder])
        service.ingest([tmp_path / "second"], "second")
        assert judged(service, claim_of(LEAVE, QUOTE)).status is Standing.EXACT

    def test_missing(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        service.remove(service.find("leave.txt"))
        nobody = claim_of(LEAVE, QUOTE, document_id="0" * 32)
        found = judged(service, nobody)
        assert in_short(found) == ("missing", "leave.txt", None, None, None)
        assert found.document_id == "0" * 32


class TestTheFile:
    def test_an_upload_has_none(self, service: Service) -> None:
        service.ingest_uploads([("leave.txt", LEAVE.encode())])
        found = judged(service, claim_of(LEAVE, QUOTE))
        assert (found.status, found.file) == (Standing.EXACT, None)

    def test_edited_and_not_ingested_again(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        (folder / "leave.txt").write_text(LEAVE + "x")
        found = judged(service, claim_of(LEAVE, QUOTE))
        assert (found.status, found.file) == (Standing.EXACT, FileState.CHANGED)

    def test_gone(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        (folder / "leave.txt").unlink()
        assert judged(service, claim_of(LEAVE, QUOTE)).file is FileState.GONE

    def test_its_folder_is_gone(self, service: Service, folder: Path) -> None:
        service.ingest([folder])
        folder.rename(folder.with_name("elsewhere"))
        assert judged(service, claim_of(LEAVE, QUOTE)).file is FileState.UNREACHABLE

    def test_a_link_out_of_the_folder_is_not_followed(
        self, service: Service, folder: Path, tmp_path: Path
    ) -> None:
        service.ingest([folder])
        (folder / "leave.txt").rename(tmp_path / "outside.txt")
        (folder / "leave.txt").symlink_to(tmp_path / "outside.txt")
        assert judged(service, claim_of(LEAVE, QUOTE)).file is FileState.UNREACHABLE

    def test_a_source_that_a_client_made_up_opens_nothing(
        self, service: Service, folder: Path, tmp_path: Path
    ) -> None:
        service.ingest([folder])
        (tmp_path / "secret.txt").write_text("secret")
        found = judged(
            service, Claim(Span(0, 6), "secret", sha256("secret"), source="../secret.txt")
        )
        assert in_short(found) == ("missing", "../secret.txt", None, None, None)


_PARAGRAPHS = st.sampled_from(
    [
        "Le café est fermé e\u0301 à 22:30.",
        "The cat \U0001f408 sleeps \U0001f469\u200d\U0001f467 at noon.",
        "תשובה: החתול ישן בצהריים.",
        "\u202bالقطة تنام\u202c at noon, the cat says.",
        "Days\u2028of leave: 28.",
        "# Leave\n\nThe cat has 28 days.",
    ]
)


@settings(max_examples=12, deadline=None)
@given(
    texts=st.lists(
        st.lists(_PARAGRAPHS, min_size=1, max_size=5, unique=True), min_size=1, max_size=3
    ),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_every_citation_is_exact_and_moves_with_its_text(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], newline: str, mark: str
) -> None:
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("folder")
    wanted = Settings(home=home, cache=home, embedder="hashing", reader="sentence")
    service = build(wanted)
    paths = [folder / f"{number} \U0001f408.txt" for number in range(len(texts))]
    for path, blocks in zip(paths, texts, strict=True):
        path.write_bytes((mark + "\n\n".join(blocks)).replace("\n", newline).encode())
    service.ingest([folder])
    claims = list(kept(service.ask("When does the cat sleep at noon?", 100, min_confidence=0.0)))
    assert claims
    for claim, found in zip(claims, service.verify(claims), strict=True):
        assert (found.status, found.file) == (Standing.EXACT, FileState.SAME)
        assert found.span == claim.span

    added = f"\U0001f600 New.{newline}{newline}"
    for path in paths:
        path.write_bytes((mark + added).encode() + path.read_bytes().removeprefix(mark.encode()))
    service.ingest([folder])
    for claim, found in zip(claims, service.verify(claims), strict=True):
        assert found.status is Standing.MOVED
        assert found.source == claim.source
        assert found.span == claim.span.shifted(len(added))
    service.close()


class TestDamage:
    """What can't be read is told of the citations that need it, and of no others."""

    @pytest.fixture
    def damaged(self, service: Service, folder: Path, tmp_path: Path) -> Service:
        service.ingest([folder])
        connection = apsw.Connection(str(tmp_path / "home/index.sqlite"))
        connection.execute("UPDATE documents SET text = text || '!' WHERE source = 'leave.txt'")
        connection.close()
        return service

    def test_one_of_two(self, damaged: Service) -> None:
        other = "The car park closes at 22:30.\n"
        claims = [claim_of(LEAVE, QUOTE), claim_of(other, Span(23, 28), "other.txt")]
        first, second = damaged.verify(claims)
        assert (first.status, first.span, first.file) == (None, None, None)
        assert "text of document leave.txt is damaged" in first.detail
        assert not first.holds
        assert second.status is Standing.EXACT

    def test_by_id(self, damaged: Service) -> None:
        claim = claim_of(LEAVE, QUOTE, document_id=damaged.find("leave.txt"))
        assert judged(damaged, claim).status is None

    def test_a_copy_holds_it(self, damaged: Service, folder: Path) -> None:
        (folder / "copy.txt").write_text(LEAVE)
        damaged.ingest([folder])
        found = judged(damaged, claim_of(LEAVE, QUOTE))
        assert (found.status, found.source) == (Standing.MOVED, "copy.txt")

    def test_another_document_of_this_name_does_not(self, damaged: Service, tmp_path: Path) -> None:
        (tmp_path / "second").mkdir()
        (tmp_path / "second/leave.txt").write_text("Nothing of the kind.\n")
        damaged.ingest([tmp_path / "second"])
        assert judged(damaged, claim_of(LEAVE, QUOTE)).status is None
