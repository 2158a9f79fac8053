"""The sample corpus, its question set, and the PDFs' sources agree with each other."""

from __future__ import annotations

import json
import runpy
from collections import Counter
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

DATA = Path(__file__).parents[2] / "data"
CORPUS = DATA / "corpus"
MAKER = DATA / "make_pdfs.py"
FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())
PDF_SOURCES = sorted((DATA / "pdf").rglob("*.txt"))
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (DATA / "questions.jsonl").read_text("utf-8").splitlines()
]
FOLLOW_UPS: list[dict[str, Any]] = [
    json.loads(line) for line in (DATA / "followups.jsonl").read_text("utf-8").splitlines()
]
ANSWERABLE = [row for row in QUESTIONS if row["answerable"]]
UNANSWERABLE = [row for row in QUESTIONS if not row["answerable"]]
SOURCES = {path.relative_to(CORPUS).as_posix() for path in FILES}


class _Main(HTMLParser):
    """The words inside <main>."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.inside = self.inside or tag == "main"

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "main"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.words.append(data)


def one_spaced(text: str) -> str:
    return " ".join(text.split())


def html_text(path: Path) -> str:
    main = _Main()
    main.feed(path.read_text("utf-8"))
    return one_spaced("".join(main.words))


def pdf_text(path: Path) -> str:
    with pypdfium2.PdfDocument(path.read_bytes()) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    return one_spaced(" ".join(pages))


@cache
def text_of(source: str) -> str:
    """A text file as it is; any other with its white space normalised."""
    path = CORPUS / source
    if path.suffix in {".txt", ".md"}:
        return path.read_bytes().decode("utf-8")
    return html_text(path) if path.suffix == ".html" else pdf_text(path)


def evidence(row: dict[str, Any]) -> list[dict[str, str]]:
    pieces: list[dict[str, str]] = row["evidence"]
    return pieces


def by_id(row: dict[str, Any]) -> str:
    return str(row["id"])


def test_the_corpus_has_two_halves_in_four_formats() -> None:
    formats = Counter(path.suffix for path in FILES)
    assert set(formats) == {".txt", ".md", ".html", ".pdf"}
    assert min(formats.values()) >= 4
    assert {source.split("/")[0] for source in SOURCES} == {"handbook", "briefs"}
    assert sum(source.startswith("handbook/") for source in SOURCES) >= 18
    assert sum(source.startswith("briefs/") for source in SOURCES) >= 8


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_a_file_is_of_a_size_that_makes_retrieval_worth_while(source: str) -> None:
    assert 300 <= len(text_of(source).split()) <= 1500
    assert (CORPUS / source).stat().st_size < 100_000


def test_text_files_have_paragraphs_and_plain_line_ends() -> None:
    for source in SOURCES:
        if source.endswith((".txt", ".md")):
            assert "\n\n" in text_of(source)
            assert "\r" not in text_of(source)
            assert not text_of(source).startswith("\ufeff")


def test_one_text_file_is_hard_wrapped() -> None:
    lines = text_of("handbook/parking.txt").splitlines()
    assert 60 < max(map(len, lines)) <= 72


def test_web_pages_carry_what_saved_pages_carry() -> None:
    for path in FILES:
        if path.suffix == ".html":
            page = path.read_text("utf-8")
            assert '<html lang="en">' in page
            for piece in ("<title>", 'name="date"', 'name="author"', "<nav", "<main", "<footer"):
                assert piece in page, (path, piece)
            assert 'class="cookie"' in page
            assert page.count("<table>") >= 1, path


def test_links_between_pages_lead_somewhere() -> None:
    for path in FILES:
        if path.suffix == ".html":
            for piece in path.read_text("utf-8").split('href="')[1:]:
                target = piece.split('"')[0]
                assert target.startswith("#") or (path.parent / target).is_file(), (path, target)


def test_pdfs_have_a_title_a_date_and_pages() -> None:
    for path in FILES:
        if path.suffix == ".pdf":
            with pypdfium2.PdfDocument(path.read_bytes()) as document:
                metadata = document.get_metadata_dict()
                assert len(document) >= 2
            assert metadata["Title"]
            assert metadata["CreationDate"].startswith("D:20")


def test_every_pdf_has_a_source_and_the_other_way_round() -> None:
    made = {path.relative_to(DATA / "pdf").with_suffix(".pdf").as_posix() for path in PDF_SOURCES}
    assert made == {source for source in SOURCES if source.endswith(".pdf")}


@pytest.mark.parametrize("path", PDF_SOURCES, ids=lambda path: path.stem)
def test_a_pdf_is_made_again_byte_for_byte(path: Path) -> None:
    fpdf = pytest.importorskip("fpdf", reason="fpdf2 is in the dev extra")
    maker = runpy.run_path(str(MAKER))
    if fpdf.__version__ != maker["WRITTEN_WITH"]:
        pytest.skip(f"the PDFs were written with fpdf2 {maker['WRITTEN_WITH']}")
    render: Callable[[str], bytes] = maker["render"]
    target = CORPUS / path.relative_to(DATA / "pdf").with_suffix(".pdf")
    assert render(path.read_text("utf-8")) == target.read_bytes()


def test_the_question_set_is_large_enough_and_its_rows_are_distinct() -> None:
    assert len(QUESTIONS) >= 130
    assert len(UNANSWERABLE) >= 35
    assert len({row["id"] for row in QUESTIONS}) == len(QUESTIONS)
    assert len({row["question"].casefold() for row in QUESTIONS}) == len(QUESTIONS)


def test_rows_have_the_contract_s_keys_and_kinds() -> None:
    for row in QUESTIONS:
        assert list(row) == ["id", "question", "answers", "answerable", "evidence", "tags"]
        assert row["question"].endswith((".", "?"))
        assert len(set(row["tags"])) == len(row["tags"])
        assert ("unanswerable" in row["tags"]) is not row["answerable"]


def test_every_format_and_every_file_has_questions() -> None:
    tags = Counter(chain.from_iterable(row["tags"] for row in ANSWERABLE))
    assert min(tags[f"format:{name}"] for name in ("txt", "md", "html", "pdf")) >= 20
    assert {piece["source"] for row in ANSWERABLE for piece in evidence(row)} == SOURCES


@pytest.mark.parametrize(
    "row", [*ANSWERABLE, *(row for row in FOLLOW_UPS if row["answerable"])], ids=by_id
)
def test_a_quote_stands_exactly_once_in_its_file(row: dict[str, Any]) -> None:
    assert evidence(row)
    for piece in evidence(row):
        assert text_of(piece["source"]).count(piece["quote"]) == 1, piece


@pytest.mark.parametrize(
    "row", [*ANSWERABLE, *(row for row in FOLLOW_UPS if row["answerable"])], ids=by_id
)
def test_an_answer_is_words_of_a_quoted_file(row: dict[str, Any]) -> None:
    answers: list[str] = row["answers"]
    texts = [text_of(piece["source"]).casefold() for piece in evidence(row)]
    assert answers
    assert all(any(one.casefold() in text for text in texts) for one in answers)
    for piece in evidence(row):
        assert any(one.casefold() in piece["quote"].casefold() for one in answers), piece


def test_questions_about_two_editions_cite_both() -> None:
    rows = [row for row in ANSWERABLE if "both-editions" in row["tags"]]
    assert len(rows) >= 4
    for row in rows:
        archived = {"/archive/" in piece["source"] for piece in evidence(row)}
        assert archived == {True, False}


def test_unanswerable_rows_cite_nothing() -> None:
    for row in [*UNANSWERABLE, *(row for row in FOLLOW_UPS if not row["answerable"])]:
        assert row["answers"] == []
        assert row["evidence"] == []


def test_follow_ups_come_in_two_halves_and_some_stand_alone() -> None:
    assert len(FOLLOW_UPS) >= 60
    assert len({row["id"] for row in FOLLOW_UPS}) == len(FOLLOW_UPS)
    assert sum(row["rewritten"] is None for row in FOLLOW_UPS) >= 15
    for row in FOLLOW_UPS:
        assert row["history"]
        assert ("dev" in row["tags"]) is not ("test" in row["tags"])
        assert (row["rewritten"] is None) is ("standalone" in row["tags"])
        assert ("unanswerable" in row["tags"]) is not row["answerable"]
