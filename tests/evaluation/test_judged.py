"""BEIR folders and TREC judgements: read whole or refused by line."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from rag.errors import InvalidInput
from rag.evaluation.judged import (
    document_name,
    is_beir,
    read_beir,
    read_trec,
    without_itself,
)
from rag.evaluation.questions import Question
from rag.loading.markdown import READER

_HEADER = "query-id\tcorpus-id\tscore"


def _write(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(lines), "utf-8")
    return path


def _beir(folder: Path, *documents: object, qrels: str = "test.tsv") -> Path:
    _write(
        folder / "corpus.jsonl",
        {"_id": "d1", "title": "Leave", "text": "28 days."},
        {"_id": "d2", "title": "", "text": "22:30."},
        *documents,
    )
    _write(
        folder / "queries.jsonl",
        {"_id": "q1", "text": "How long?", "metadata": {}},
        {"_id": "q2", "text": "Until when?"},
        {"_id": "q3", "text": "Who?"},
    )
    _write(folder / "qrels" / qrels, _HEADER, "q2\td1\t1", "q1\td1\t2", "q1\td2\t0", "q1\td3\t1")
    return folder


def test_a_beir_folder(tmp_path: Path) -> None:
    """q3 is not judged, and d2 not relevant; d3 is relevant and lowers recall."""
    assert is_beir(_beir(tmp_path))
    read = read_beir(tmp_path)
    assert read.questions == (
        Question("q1", "How long?", relevant=(("d1.md", 2), ("d3.md", 1))),
        Question("q2", "Until when?", relevant=(("d1.md", 1),)),
    )
    assert read.files == (
        ("d1.md", b'---\ntitle: "Leave"\n---\n\n28 days.\n'),
        ("d2.md", b"\n22:30.\n"),
    )
    assert read.left_out == (
        "d3.md is relevant and can't be found: its document is not in corpus.jsonl",
    )


def test_documents_without_words(tmp_path: Path) -> None:
    """Said of d3, which is relevant, and not of d4; d5 has its title for a text."""
    empty: list[object] = [
        {"_id": "d3", "title": " ", "text": "\n"},
        {"_id": "d4"},
        {"_id": "d5", "title": "Fire"},
    ]
    read = read_beir(_beir(tmp_path, *empty))
    assert [name for name, _ in read.files] == ["d1.md", "d2.md", "d5.md"]
    assert read.files[-1][1] == b'---\ntitle: "Fire"\n---\n\nFire\n'
    assert read.left_out == ("d3.md is relevant and can't be found: its document has no words",)


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Leave: a guide # 2", "Leave: a guide # 2"),
        ('"Leave"', '"Leave"'),
        ('The "best" leave"', 'The "best" leave"'),
        ("It's 'leave'", "It's 'leave'"),
        ('"', '"'),
        (" two\n lines\u2028\r\n", "two lines"),
        ("NUL\x00 \x07\ud800", "NUL ?"),
        ("---", "---"),
        ("", None),
    ],
)
@pytest.mark.parametrize(
    "text", ["Plain.", "---\nkey: value\n\n---\nPlain.", "Two.\n\n\nParts.\x00 "]
)
def test_documents_are_read_as_they_were(
    tmp_path: Path, title: str, shown: str | None, text: str
) -> None:
    read = read_beir(_beir(tmp_path, {"_id": "d9", "title": title, "text": text}))
    parsed = READER.read(read.files[-1][1])
    body = parsed.text[parsed.skipped[0].end if parsed.skipped else 0 :]
    assert parsed.title == shown
    assert body.strip() == text.replace("\0", " ").strip()


def test_document_names() -> None:
    ids = ["31715818", "a/b c", "..", ".hidden", "ü%20", "d\u2028", "a%2Fb"]
    names = [document_name(i) for i in ids]
    assert names[:4] == ["31715818.md", "a%2Fb%20c.md", "%2E..md", "%2Ehidden.md"]
    assert [unquote(name).removesuffix(".md") for name in names] == ids
    assert all(name.isascii() and not name.startswith(".") for name in names)


def test_a_question_is_not_its_own_answer() -> None:
    ranked = ["a.md", "q%2F1.md", "b.md"]
    assert without_itself("q/1", ranked) == ["a.md", "b.md"]
    assert without_itself("q", ranked) == ranked


def test_the_split(tmp_path: Path) -> None:
    assert len(read_beir(_beir(tmp_path / "one", qrels="dev.tsv")).questions) == 2
    several = _beir(tmp_path / "several", qrels="dev.tsv")
    other = _write(several / "qrels" / "train.tsv", _HEADER, "q3\td2\t1")
    with pytest.raises(InvalidInput, match=r"dev\.tsv, train\.tsv: name one with --qrels"):
        read_beir(several)
    assert [q.id for q in read_beir(several, qrels=other).questions] == ["q3"]
    _write(several / "qrels" / "test.tsv", _HEADER, "q1\td2\t1")
    assert [q.id for q in read_beir(several).questions] == ["q1"]
    none = _beir(tmp_path / "none", qrels="test.txt")
    with pytest.raises(InvalidInput, match=r"no \.tsv file: name one with --qrels"):
        read_beir(none)


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ("{", "corpus.jsonl line 3: "),
        ("[" * 100_000, "corpus.jsonl line 3: "),
        ([], "corpus.jsonl line 3: not a JSON object"),
        ({"text": "No id."}, "corpus.jsonl line 3: _id"),
        ({"_id": 5, "text": "A number."}, "corpus.jsonl line 3: _id"),
        ({"_id": "\ud800", "text": "Half a pair."}, "corpus.jsonl line 3: "),
        ({"_id": "d5", "text": ["words"]}, "corpus.jsonl line 3: title and text"),
        ({"_id": "d1", "text": "Again."}, "corpus.jsonl line 3: the _id 'd1' stands twice"),
    ],
)
def test_wrong_documents_are_named(tmp_path: Path, document: object, what: str) -> None:
    folder = _beir(tmp_path, document)
    with pytest.raises(InvalidInput) as refused:
        read_beir(folder)
    assert what in str(refused.value)
    assert "nothing was run" in str(refused.value)
    read = read_beir(folder, partial=True)
    assert [name for name, _ in read.files] == ["d1.md", "d2.md"]
    assert read.files[0][1].endswith(b"28 days.\n")
    assert what in read.left_out[0]


@pytest.mark.parametrize(
    "qrels",
    [
        "q1 0 d/1 2\nq1 0 d2 0\nq2\tQ0\td1   1\r\n\nq9 0 d1 1\nq3 0 d1 -2\n",
        "\ufeffquery-id\tcorpus-id\tscore\nq1\td/1\t2\nq1\td2\t0\nq2\td1\t1\r\n",
        "q1\td/1\t2\nq2\td1\t1\n",
    ],
)
@pytest.mark.parametrize("suffix", [".jsonl", ".tsv", ".txt"])
def test_trec(tmp_path: Path, suffix: str, qrels: str) -> None:
    """q3 has nothing relevant, q9 is not asked."""
    texts = {"q1": "How long?", "q2": "Until\u2028when?", "q3": "Who?"}
    rows = (
        [{"_id": i, "text": text} for i, text in texts.items()]
        if suffix == ".jsonl"
        else [f"{i}\t{text}" for i, text in texts.items()]
    )
    queries = _write(tmp_path / f"queries{suffix}", *rows)
    read = read_trec(queries, _write(tmp_path / "qrels.txt", qrels))
    assert read.questions == (
        Question("q1", "How long?", relevant=(("d/1", 2),)),
        Question("q2", "Until\u2028when?", relevant=(("d1", 1),)),
    )
    assert read.files == ()
    assert read.left_out == ()


@pytest.mark.parametrize(
    ("judgement", "what"),
    [
        ("q1 0 d1", "line 2: not the columns query, iteration"),
        ("q1 0 d 1 1", "line 2: not the columns"),
        ("q1 0 d1 high", "line 2: the grade 'high' is no whole number"),
        ("q1 0 d1 0.5", "line 2: the grade '0.5'"),
        ("q1 0 d1 2", "line 2: 'd1' has two grades for 'q1'"),
    ],
)
def test_wrong_judgements_are_named(tmp_path: Path, judgement: str, what: str) -> None:
    queries = _write(tmp_path / "queries.tsv", "q1\tHow long?")
    qrels = _write(tmp_path / "qrels.txt", "q1 0 d1 1", judgement, "q1 0 d2 1")
    with pytest.raises(InvalidInput) as refused:
        read_trec(queries, qrels)
    assert f"qrels.txt {what}" in str(refused.value)
    assert "nothing was run" in str(refused.value)
    read = read_trec(queries, qrels, partial=True)
    assert read.questions[0].relevant == (("d1", 1), ("d2", 1))
    assert len(read.left_out) == 1


def test_wrong_lines_with_tabs(tmp_path: Path) -> None:
    queries = _write(tmp_path / "queries.tsv", "q1\tHow long?")
    rows = (_HEADER, "q1\td 1\t1", "q1 0 d2 1", "q1\t\t1", "q1\td2\tx")
    qrels = _write(tmp_path / "qrels.tsv", *rows)
    read = read_trec(queries, qrels, partial=True)
    assert read.questions[0].relevant == (("d 1", 1),)
    assert [row[:17] for row in read.left_out] == [f"qrels.tsv line {n}:" for n in (3, 4, 5)]


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("q2", "line 2: text must be"),
        ("q2\t ", "line 2: text must be"),
        ("\tHow?", "line 2: _id must be"),
        ("q1\tHow?", "'q1' stands twice"),
    ],
)
def test_wrong_queries_are_named(tmp_path: Path, query: str, what: str) -> None:
    queries = _write(tmp_path / "queries.tsv", "q1\tHow long?", query)
    qrels = _write(tmp_path / "qrels.txt", "q1 0 d1 1", "q2 0 d1 1")
    with pytest.raises(InvalidInput) as refused:
        read_trec(queries, qrels)
    assert what in str(refused.value)
    assert [q.question for q in read_trec(queries, qrels, partial=True).questions] == ["How long?"]


@pytest.mark.parametrize(
    ("queries", "qrels"),
    [("", ""), ("q1\tHow long?", ""), ("", "q1 0 d1 1"), ("q1\tHow long?", "q2 0 d1 1")],
)
def test_nothing_to_judge(tmp_path: Path, queries: str, qrels: str) -> None:
    paths = _write(tmp_path / "queries.tsv", queries), _write(tmp_path / "qrels.txt", qrels)
    with pytest.raises(InvalidInput, match="check that both use the same ids"):
        read_trec(*paths)


def test_unreadable_files(tmp_path: Path) -> None:
    queries = _write(tmp_path / "queries.tsv", "q1\tHow long?")
    with pytest.raises(InvalidInput, match="nowhere"):
        read_trec(queries, tmp_path / "nowhere")
    (tmp_path / "qrels.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match=r"qrels\.txt"):
        read_trec(queries, tmp_path / "qrels.txt")
