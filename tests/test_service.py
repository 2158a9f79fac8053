"""The service over light parts: what an ingest encodes, forgets and refuses; what a reply holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_

from rag.assembly import build
from rag.errors import Conflict, InvalidInput, ModelMismatch, NotFound
from rag.filters import Filters
from rag.service import Service
from rag.settings import Settings
from rag.types import Answer, Citation, IngestReport, RankedPassage, Reason, Reply, Status


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    for number in range(20):
        paragraphs = (f"Room {number} has key {number}-{part}. " * 15 for part in range(10))
        (folder / f"room{number:02}.txt").write_text("\n\n".join(paragraphs))
    (folder / "leave.txt").write_text("Staff are entitled to 28 days of annual leave each year.\n")
    return folder


@pytest.fixture(scope="module")
def rooms_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Twenty folders with three different passages each, all of which both searches list."""
    folder = tmp_path_factory.mktemp("rooms")
    for number in range(20):
        file = folder / f"room{number}" / "keys.txt"
        file.parent.mkdir()
        words = (
            f"Key {number * part} of {'room ' * part} {number} hangs there. " for part in (1, 2, 3)
        )
        file.write_text("\n\n".join(words))
    home = tmp_path_factory.mktemp("home")
    made = build(Settings(home=home, cache=home / "cache", embedder="hashing", reader="sentence"))
    made.ingest([folder])
    yield made
    made.close()


def statuses(report: IngestReport) -> dict[str, Status]:
    return {outcome.source: outcome.status for outcome in report.outcomes}


def citations(reply: Reply) -> Iterator[Citation]:
    shown: tuple[Answer | RankedPassage, ...] = (*reply.answers, *reply.passages)
    for item in shown:
        yield from (item.citation, *item.also_in)


def test_an_unchanged_folder_encodes_nothing(service: Service, folder: Path) -> None:
    first = service.ingest([folder])
    assert first.count(Status.ADDED) == 21
    assert first.encoded == 201
    again = service.ingest([folder])
    assert again.count(Status.UNCHANGED) == 21
    assert (again.encoded, again.reused, again.changed) == (0, 0, False)


def test_one_changed_paragraph_is_all_that_is_encoded(service: Service, folder: Path) -> None:
    service.ingest([folder])
    room = folder / "room07.txt"
    room.write_text(room.read_text().replace("key 7-3", "key 7-X"))
    report = service.ingest([folder])
    assert report.count(Status.REPLACED) == 1
    assert (report.encoded, report.reused) == (1, 9)


def test_a_copy_under_another_name_reuses_every_vector(service: Service, folder: Path) -> None:
    service.ingest([folder])
    # The title is encoded with the passage, so only a copy of the same title is free.
    (folder / "sub").mkdir()
    shutil.copy(folder / "room07.txt", folder / "sub" / "room07.txt")
    report = service.ingest([folder])
    assert (report.encoded, report.reused) == (0, 10)


def test_a_removed_file_s_words_are_never_found_again(service: Service, folder: Path) -> None:
    service.ingest([folder])
    assert service.ask("How many days of annual leave?").passages[0].text.startswith("Staff")
    (folder / "leave.txt").unlink()
    report = service.ingest([folder])
    assert statuses(report)["leave.txt"] is Status.REMOVED
    reply = service.ask("How many days of annual leave?", top_k=100)
    assert all("annual" not in passage.text for passage in reply.passages)


def test_replaced_words_are_never_found_again(service: Service, folder: Path) -> None:
    service.ingest([folder])
    (folder / "leave.txt").write_text("Staff are entitled to 30 days of annual leave each year.\n")
    service.ingest([folder])
    reply = service.ask("How many days of annual leave?", top_k=100)
    assert "28 days" not in "".join(passage.text for passage in reply.passages)


def test_one_passage_in_several_files_is_shown_once(service: Service, folder: Path) -> None:
    text = (folder / "leave.txt").read_text()
    (folder / "copy.txt").write_text(text.upper().replace(" OF ", "  of\n"))
    service.ingest([folder])
    reply = service.ask("How many days of annual leave?")
    first = reply.passages[0]
    sources = {c.origin.source for c in (first.citation, *first.also_in)}
    assert sources == {"leave.txt", "copy.txt"}
    assert sum("annual leave" in p.text.lower() for p in reply.passages) == 1
    assert reply.answers[0].also_in


def test_disagreeing_editions_are_both_shown(service: Service, folder: Path) -> None:
    text = (folder / "leave.txt").read_text()
    (folder / "older.txt").write_text(text.replace("28", "25"))
    service.ingest([folder])
    reply = service.ask("How many days of annual leave?")
    assert {p.citation.origin.source for p in reply.passages[:2]} == {"leave.txt", "older.txt"}
    assert {answer.text for answer in reply.answers} >= {"28 days", "25 days"}


def test_citations_are_facts_about_the_text(service: Service, folder: Path) -> None:
    (folder / "odd.txt").write_bytes(
        "\ufeffDays\u2028of e\u0301t\u00e9 👩‍👧: 28.\r\n\r\nLeave.".encode()
    )
    service.ingest([folder])
    reply = service.ask("How many days of annual leave?", top_k=100)
    seen = list(citations(reply))
    assert seen
    for citation in seen:
        document, _ = service.document(citation.origin.document_id)
        assert citation.span.of(document.text) == citation.quote
        assert citation.origin == document.origin
        if citation.sentence:
            assert citation.sentence.contains(citation.span)


def test_the_passage_with_the_answer_comes_first_and_scores_fall(
    service: Service, folder: Path
) -> None:
    question = "How many days of annual leave are staff entitled to each year?"
    (folder / "about.txt").write_text(question)
    service.ingest([folder])
    assert service.search(question).passages[0].citation.origin.source == "about.txt"
    reply = service.ask(question, top_k=100)
    assert reply.passages[0].citation.origin.source == "leave.txt"
    scores = [passage.score for passage in reply.passages]
    assert scores == sorted(scores, reverse=True)
    found = {p.text for p in service.search(question, top_k=100).passages}
    assert found == {p.text for p in reply.passages}


def test_bad_files_are_named_and_the_rest_go_on(service: Service, folder: Path) -> None:
    (folder / "empty.txt").write_text("")
    (folder / "sheet.xyz").write_text("a,b")
    (folder / ".hidden.txt").write_text("secret")
    (folder / "binary.txt").write_bytes(b"\0\1\2")
    report = service.ingest([folder])
    refused = {o.source for o in report.outcomes if o.status is Status.REFUSED}
    assert refused == {"empty.txt", "sheet.xyz", ".hidden.txt", "binary.txt"}
    assert all(o.reason for o in report.outcomes if o.status is Status.REFUSED)
    assert report.count(Status.ADDED) == 21


def test_a_file_that_turned_bad_keeps_its_former_version(service: Service, folder: Path) -> None:
    service.ingest([folder])
    (folder / "leave.txt").write_bytes(b"\0\1\2")
    report = service.ingest([folder])
    outcome = next(o for o in report.outcomes if o.source == "leave.txt")
    assert outcome.status is Status.REFUSED
    assert "former version stays" in (outcome.reason or "")
    assert service.ask("How many days of annual leave?").answers


def test_many_vanished_files_need_prune(service: Service, folder: Path) -> None:
    service.ingest([folder])
    for number in range(7):  # 7 of 21 is more than 30 %
        (folder / f"room{number:02}.txt").unlink()
    report = service.ingest([folder])
    assert statuses(report) == {str(folder): Status.REFUSED}
    assert "--prune" in (report.outcomes[0].reason or "")
    assert service.ingest([folder], prune=True).count(Status.REMOVED) == 7


def test_a_missing_root_is_refused_until_prune(service: Service, folder: Path) -> None:
    service.ingest([folder])
    shutil.rmtree(folder)
    assert statuses(service.ingest([folder])) == {str(folder): Status.REFUSED}
    assert service.ingest([folder], prune=True).count(Status.REMOVED) == 21


def test_overlapping_roots_are_refused(service: Service, folder: Path) -> None:
    service.ingest([folder])
    for other in (folder.parent, folder / "sub"):
        other.mkdir(exist_ok=True)
        report = service.ingest([other])
        assert "overlaps" in (report.outcomes[0].reason or "")
    assert service.ingest([folder / "leave.txt"]).count(Status.UNCHANGED) == 1


def test_syncing_one_root_leaves_the_others_alone(
    service: Service, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.txt").write_text("Bicycles may be parked in the yard.")
    service.ingest([folder])
    service.ingest([other])
    service.ingest_uploads([("note.txt", b"Umbrellas are kept at the desk.")])
    assert len(list(service.all_documents())) == 23
    assert (
        service.ask("Where may bicycles be parked?").passages[0].citation.origin.source == "b.txt"
    )


def test_collections_are_apart(service: Service, folder: Path) -> None:
    service.ingest([folder], "rooms")
    assert service.ask("Which key has room 7?").reason == "empty_index"
    assert service.ask("Which key has room 7?", collection="rooms").passages
    with pytest.raises(NotFound):
        service.ask("Which key?", collection="none")
    with pytest.raises(InvalidInput):
        service.ingest([folder], "No Such Name")


def test_another_embedder_is_refused_with_the_cure(service: Service, folder: Path) -> None:
    service.ingest([folder])
    before = service.ask("How many days of annual leave?").passages

    class Other(type(service.embedder)):  # type: ignore[misc]
        fingerprint = "other"

    other = Service(replace(service._parts, load_embedder=lambda _: Other()))
    with pytest.raises(ModelMismatch, match="rag rebuild"):
        other.ask("How many days of annual leave?")
    with pytest.raises(ModelMismatch, match="rag rebuild"):
        other.ingest_uploads([("a.txt", b"Words.")])
    assert other.rebuilds.run() == 201
    assert [p.text for p in other.ask("How many days of annual leave?").passages] == [
        p.text for p in before
    ]
    with pytest.raises(ModelMismatch):
        service.ask("How many days of annual leave?")


def test_removing_by_source(service: Service, folder: Path) -> None:
    service.ingest([folder])
    service.ingest_uploads([("leave.txt", b"Another leave file.")])
    with pytest.raises(Conflict, match="name one by its id"):
        service.find("leave.txt")
    service.remove(service.find("room01.txt"))
    with pytest.raises(NotFound):
        service.find("room01.txt")


@pytest.mark.parametrize(("question", "top_k"), [(" \n", 5), ("x" * 2001, 5), ("x", 0), ("x", 101)])
def test_questions_that_make_no_sense(service: Service, question: str, top_k: int) -> None:
    with pytest.raises(InvalidInput):
        service.ask(question, top_k)


def test_no_confidence_reaches_no_minimum(service: Service, folder: Path) -> None:
    service.ingest([folder])
    question = "How many days of annual leave?"
    assert service.ask(question, min_confidence=0.0).answers
    assert service.ask(question, min_confidence=0.01).reason == "low_confidence"


class TestFilters:
    def test_a_small_folder_is_found_among_any_number_of_nearer_passages(
        self, service: Service, tmp_path: Path
    ) -> None:
        """Neither search alone would list it: 300 passages are nearer in both."""
        for number in range(300):
            file = tmp_path / "files" / "many" / f"{number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"The key to the red room, the red room {number}, is red.\n")
        few = tmp_path / "files" / "few" / "room.txt"
        few.parent.mkdir()
        few.write_text("Somebody keeps a red key for guests in some drawer downstairs.\n")
        service.ingest([tmp_path / "files"])
        question = "Where is the key to the red room?"
        everywhere = service.search(question, top_k=100)
        assert "few/room.txt" not in {c.origin.source for c in citations(everywhere)}
        reply = service.ask(question, filters=Filters(folders=("few",)))
        assert {c.origin.source for c in citations(reply)} == {"few/room.txt"}
        assert len(reply.passages) == 1

    @settings_(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rooms=st.sets(st.integers(0, 19)), kinds=st.sampled_from([(), ("txt",), ("md",)]))
    def test_a_filtered_reply_is_the_whole_one_with_others_struck_out(
        self, rooms_service: Service, rooms: set[int], kinds: tuple[str, ...]
    ) -> None:
        question = "Which key has room 7?"
        folders = tuple(f"room{number}" for number in rooms)
        filters = Filters(folders, kinds)
        whole = rooms_service.search(question, top_k=100)
        some = rooms_service.search(question, top_k=100, filters=filters)
        expected = [
            (passage.citation, round(passage.score, 5))
            for passage in whole.passages
            if (not rooms or passage.citation.origin.source.split("/")[0] in folders)
            and "md" not in kinds
        ]
        assert [(p.citation, round(p.score, 5)) for p in some.passages] == expected
        asked = rooms_service.ask(question, filters=filters)
        assert (asked.reason is Reason.NO_PASSAGE) == (not expected)
        allowed = {citation for citation, _ in expected}
        assert {passage.citation for passage in asked.passages} <= allowed
