"""CSV and TSV question sets: read whole or refused by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import InvalidInput
from rag.evaluation.questions import Evidence, Question
from rag.evaluation.tables import read_table

_HEADER = "question,answer,source\n"


def _file(tmp_path: Path, text: str, name: str = "questions.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def test_every_column(tmp_path: Path) -> None:
    text = (
        "ID,Tags,Question,Answer,Quote,Source,Remark\n"
        'q1,hr | leave,How long?,28 days | four weeks,"Staff have 28 days, ""paid"".",a.txt,ask\n'
        "q2,,Why?,,,,\n"
    )
    read = read_table(_file(tmp_path, text))
    assert read.questions == (
        Question(
            "q1",
            "How long?",
            ("28 days", "four weeks"),
            True,
            (Evidence("a.txt", 'Staff have 28 days, "paid".'),),
            ("hr", "leave"),
        ),
        Question("q2", "Why?", (), False),
    )
    assert read.files == ()
    assert read.left_out == ()


def test_three_columns_are_enough(tmp_path: Path) -> None:
    read = read_table(_file(tmp_path, _HEADER + "Where?,here,a.txt\nWhen?,now,\nWho?,,a.txt\n"))
    assert read.questions == (
        Question("line-2", "Where?", ("here",), True, (Evidence("a.txt"),)),
        Question("line-3", "When?", ("now",), True),
        Question("line-4", "Who?", (), False),
    )


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [("q.csv", ","), ("q.csv", ";"), ("q.csv", "\t"), ("q.tsv", "\t"), ("Q.TSV", "\t")],
)
def test_delimiters(tmp_path: Path, name: str, delimiter: str) -> None:
    rows = (["Question", '"ANSWER"', "source "], ["Where?", f'"here{delimiter}there"', "a.txt"])
    path = _file(tmp_path, "\n".join(delimiter.join(row) for row in rows), name)
    (question,) = read_table(path).questions
    assert question.answers == (f"here{delimiter}there".strip(),)


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = _file(tmp_path, "\ufeffquestion;answer;source\r\nWo?;hier, dort;ä.txt\r\n")
    (question,) = read_table(path).questions
    assert (question.id, question.answers) == ("line-2", ("hier, dort",))
    assert question.evidence == (Evidence("ä.txt"),)


def test_accepted_answers(tmp_path: Path) -> None:
    path = _file(tmp_path, _HEADER + "Which?,a|b | c | a|b |  | |,a.txt\n")
    assert read_table(path).questions[0].answers == ("a|b", "c", "|")


def test_line_numbers_are_the_files_own(tmp_path: Path) -> None:
    """Counted through blank lines, blank rows and rows of several lines."""
    text = f'\n{_HEADER}"Where\nis it?",here,a.txt\n\n,,\nWhen?,now,a.txt\n,gone,a.txt\n'
    read = read_table(_file(tmp_path, text), partial=True)
    assert [question.id for question in read.questions] == ["line-3", "line-7"]
    assert read.questions[0].question == "Where\nis it?"
    assert read.left_out == ("line 8: question is blank",)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (",here,a.txt,,", "line 3: question is blank"),
        ("Where?,here", "line 3: 2 cells where the first row has 5"),
        ("Where?,here, there,a.txt,,", "line 3: 6 cells where the first row has 5"),
        ('"Where"?,here,a.txt,,', "line 3: "),
        ('Where?,"here,a.txt,,', "line 3: "),  # never closed
        ("Where?,here,,,It is here.", "line 3: a quote needs"),
        ("Where?,,a.txt,,It is here.", "line 3: a quote needs"),
        ("Where?,here,a.txt,q1,", "'q1' stands twice"),
    ],
)
def test_wrong_lines_are_named(tmp_path: Path, row: str, what: str) -> None:
    path = _file(tmp_path, f"question,answer,source,id,quote\nWhy?,so,a.txt,q1,\n{row}\n")
    with pytest.raises(InvalidInput) as refused:
        read_table(path)
    assert what in str(refused.value)
    assert "nothing was run" in str(refused.value)
    read = read_table(path, partial=True)
    assert [question.id for question in read.questions] == ["q1"]
    assert what in read.left_out[0]


def test_lines_after_a_wrong_one_are_read(tmp_path: Path) -> None:
    path = _file(tmp_path, _HEADER + '"a"b,here,a.txt\nWhere?,here,a.txt\n')
    read = read_table(path, partial=True)
    assert [question.id for question in read.questions] == ["line-3"]
    assert len(read.left_out) == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "lacks question, answer, source"),
        ("\n\n", "lacks question, answer, source"),
        ("Where?,here,a.txt\n", "lacks question, answer, source"),
        ("question,answer\n", "lacks source"),
        ("question,answer,source,Question\n", "has question twice"),
        ('"question,answer,source\n', "lacks question"),
        (_HEADER, "it holds no question"),
    ],
)
def test_no_question_set(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        read_table(_file(tmp_path, text), partial=True)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "questions.csv"
    path.write_bytes(_HEADER.encode() + "Où?,là,a.txt".encode("latin-1"))
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_table(path)
