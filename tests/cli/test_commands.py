"""What each command prints, where, and with which exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import apsw
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from rag.assembly import build
from rag.settings import Settings
from rag.terminal import reply_lines

Run: TypeAlias = Callable[..., Any]

_QUESTION = "When does the car park close?"


def test_ask_and_search_print_what_http_sends(run: Run, folder: Path, home: Path) -> None:
    run("ingest", folder)
    asked = run("ask", _QUESTION, "--top-k", 2, "--json")
    found = run("search", _QUESTION, "--top-k", 2, "--json")
    assert (asked.status, found.status) == (0, 0)
    settings = Settings(home=home, embedder="hashing", reader="sentence")
    with TestClient(create_app(build(settings), settings)) as client:
        body = {"question": _QUESTION, "top_k": 2}
        for route, mine in (("ask", asked.json), ("search", found.json)):
            theirs = client.post(f"/v1/{route}", json=body).json()
            assert mine | {"took_ms": 0} == theirs | {"took_ms": 0}
        documents = run("documents", "--json").json["documents"]
        assert documents == client.get("/v1/documents").json()["documents"]
        assert run("collections", "--json").json == client.get("/v1/collections").json()
        status = run("status", "--json").json
        assert status.pop("home") == str(home)
        assert status == client.get("/v1/status").json()


def test_ask_in_words(run: Run, folder: Path) -> None:
    run("ingest", folder)
    ran = run("ask", _QUESTION)
    assert ran.status == 0
    assert "22:30" in ran.out.splitlines()[0]
    assert "[" in ran.out.splitlines()[0]
    assert ran.out.splitlines()[1] == "    parking.txt, paragraph 1"
    assert "\x1b" not in ran.out


def test_a_confidence_is_shown_where_there_is_one(folder: Path, home: Path) -> None:
    with closing(build(Settings(home=home, embedder="hashing", reader="sentence"))) as service:
        service.ingest([folder])
        reply = service.ask(_QUESTION)
    sure = replace(reply, answers=(replace(reply.answers[0], confidence=0.973),))
    assert (
        list(reply_lines(sure, colour=False))[1]
        == "    parking.txt, paragraph 1  (confidence 0.97)"
    )


def test_not_answered_is_1(run: Run, folder: Path) -> None:
    empty = run("ask", _QUESTION)
    assert empty.status == 1
    assert "rag ingest" in empty.out
    assert run("search", _QUESTION).status == 1
    run("ingest", folder)
    ran = run("ask", "Which orchestra played Mahler in Vienna?", "--json")
    assert ran.status == 1
    assert ran.json["reason"] == "low_confidence"
    assert ran.json["passages"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["ask"],
        ["ask", " "],
        ["ask", "x" * 2001],
        ["ask", "Where?", "--top-k", "0"],
        ["ask", "Where?", "--top-k", "101"],
        ["ask", "Where?", "--top-k", "x"],
        ["ask", "Where \udcff?"],
        ["ask", "Where?", "--collection", "\udcff"],
        ["search", "Where?", "--loud"],
        ["ingest"],
        ["ingest", ".", "--collection", "No Such"],
        ["remove", "\udcff"],
        ["serve", "--host", "0.0.0.0"],  # noqa: S104
        ["serve", "--host", ""],
        ["serve", "--host", "::"],
        ["serve", "--port", "x"],
        ["serve", "--port", "-1"],
        ["serve", "--port", "65536"],
        ["eval", "none.jsonl"],
    ],
)
def test_wrong_usage_is_2(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.strip()
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("command", ["ask", "search"])
def test_unknown_collections(run: Run, command: str) -> None:
    ran = run(command, "Where?", "--collection", "none")
    assert (ran.status, ran.out) == (1, "")
    assert "rag collections" in ran.err


def test_remove(run: Run, folder: Path) -> None:
    run("ingest", folder)
    ran = run("remove", "parking.txt", "--json")
    assert (ran.status, ran.json["status"]) == (0, "removed")
    documents = run("documents", "--json").json["documents"]
    assert [d["source"] for d in documents] == ["leave.md", "sub/fire.txt"]
    assert run("remove", documents[0]["document_id"]).status == 0
    gone = run("remove", "parking.txt")
    assert (gone.status, gone.out) == (1, "")
    assert "rag documents" in gone.err
    assert "22:30" not in run("ask", _QUESTION).out


def test_remove_wants_one_document(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.txt").write_text(f"From folder {name}.\n")
        run("ingest", tmp_path / name)
    ids = [d["document_id"] for d in run("documents", "--json").json["documents"]]
    ran = run("remove", "same.txt")
    assert (ran.status, ran.out) == (1, "")
    assert all(document_id in ran.err for document_id in ids)
    assert run("remove", ids[0]).status == 0
    assert run("remove", "same.txt").status == 0


def test_rebuild(run: Run, folder: Path, home: Path) -> None:
    run("ingest", folder)
    with closing(apsw.Connection(str(home / "index.sqlite"))) as connection:
        connection.execute("UPDATE collections SET embedder = 'another-model'")
    refused = run("ask", _QUESTION)
    assert refused.status == 1
    assert "rag rebuild" in refused.err
    assert run("documents").status == 0
    ran = run("rebuild", "--json")
    assert ran.status == 0
    assert ran.json.keys() == {"passages_encoded"}
    assert run("ask", _QUESTION).status == 0


def test_every_command_prints_json(run: Run, folder: Path) -> None:
    run("ingest", folder)
    for arguments in (["documents"], ["collections"], ["status"], ["rebuild"]):
        ran = run(*arguments, "--json")
        assert ran.status == 0
        assert isinstance(json.loads(ran.out), dict)
        plain = run(*arguments)
        assert plain.status == 0
        assert plain.out.strip()


def test_the_home_is_found(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def home() -> str:
        found: str = run("status", "--json").json["home"]
        return found

    assert home() == str(tmp_path / "home")
    ran = run("status", "--home", tmp_path / "named", "--json")
    assert ran.json["home"] == str(tmp_path / "named")
    monkeypatch.delenv("RAG_HOME")
    assert home() == str(tmp_path / "here" / ".rag")
    deep = tmp_path / "here" / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert home() == str(tmp_path / "here" / ".rag")
    run("ingest", folder)
    monkeypatch.chdir(tmp_path / "here")
    assert run("ask", _QUESTION).status == 0


def test_an_unknown_model(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAG_EMBEDDER", str(tmp_path / "no-model"))
    ran = run("ask", "Where?")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("rag: ")
    assert run("documents").status == 0


def test_no_index_at_all(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "index.sqlite").write_bytes(b"This is no database, whatever its name says." * 99)
    ran = run("status")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("rag: ")


def test_a_document_does_not_drive_the_terminal(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    text = "The siren \x1b[2J sounds \x07 at \u202enoon\u202c \x9b31m every day.\n"
    (folder / "evil\x1b[31m\u202e.txt").write_text(text)
    (folder / "evil\x1b.exe").write_text(text)
    shown = run("ingest", folder).out
    for arguments in (["ask", "When does the siren sound every day?"], ["search", "siren"]):
        shown += run(*arguments).out
    shown += run("documents").out
    assert "siren" in shown
    assert not [c for c in shown if c != "\n" and not c.isprintable()]
    found = run("search", "siren", "--json").json["passages"][0]
    assert found["text"] == text.strip()


def test_only_some_files(run: Run, folder: Path) -> None:
    (folder / "leave.md").write_text("---\ndate: 2025-03-01\n---\n\nThe desk closes at 22:30.\n")
    (folder / "sub" / "fire.txt").write_text("The lobby closes at 23:30.\n")
    run("ingest", folder)

    def found(*options: str) -> set[str]:
        ran = run("search", _QUESTION, "--json", *options)
        sources = {passage["citation"]["source"] for passage in ran.json["passages"]}
        assert ran.status == (0 if sources else 1)
        asked = run("ask", _QUESTION, "--json", *options).json["passages"]
        assert {passage["citation"]["source"] for passage in asked} == sources
        return sources

    assert found() == {"leave.md", "parking.txt", "sub/fire.txt"}
    assert found("--folder", "sub/") == {"sub/fire.txt"}
    assert found("--type", "md", "--type", "pdf") == {"leave.md"}
    assert found("--since", "2025-03-01", "--until", "2025-03-01") == {"leave.md"}
    assert found("--until", "2025-02-28") == set()
    assert found("--folder", "sub", "--folder", "none", "--type", "txt") == {"sub/fire.txt"}
    assert "leave.md" not in run("why", _QUESTION, "--folder", "sub").out
    refused = run("ask", _QUESTION, "--folder", "../sub")
    assert (refused.status, "handbook/archive" in refused.err) == (2, True)
