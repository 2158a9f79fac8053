"""Uploads: what became of each file, names that try to be paths, limits, and durability."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.assembly import build
from rag.settings import Settings

Problem = Callable[..., dict[str, Any]]
Serve = Callable[..., AbstractContextManager[TestClient]]

_ZOO = b"The zebra house is repainted in the month of October.\n"


def _upload(
    client: TestClient, *files: tuple[str, bytes], **fields: str
) -> tuple[int, dict[str, Any]]:
    response = client.post("/v1/documents", files=[("files", file) for file in files], data=fields)
    return response.status_code, response.json()


def _raw_upload(client: TestClient, name: str) -> Any:
    """As a client would send it that escapes nothing but quotes."""
    disposition = f'form-data; name="files"; filename="{name}"'
    if "\\" in name:
        disposition = disposition.replace("\\", "\\\\")
    return client.post(
        "/v1/documents",
        content=f"--x\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + _ZOO + b"\r\n--x--",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )


def _answer(client: TestClient, question: str, collection: str = "default") -> dict[str, Any]:
    body = {"question": question, "collection": collection}
    answer: dict[str, Any] = client.post("/v1/ask", json=body).json()["answer"]
    return answer


def test_added_replaced_unchanged_refused(empty: TestClient) -> None:
    kept, changed = ("kept.txt", b"Kept as it is.\n"), ("changed.txt", b"It was red.\n")
    status, body = _upload(empty, kept, changed)
    assert status == 201
    assert body.keys() == {"results"}
    first = {result["source"]: result for result in body["results"]}
    for result in body["results"]:
        assert result.keys() == {"source", "status", "document_id", "reason", "note"}
        assert (result["status"], result["reason"]) == ("added", None)
    status, body = _upload(
        empty, kept, ("changed.txt", b"It is blue.\n"), ("new.md", b"# New\n\nIt is new.\n"),
        ("bad.exe", b"MZ"),
    )  # fmt: skip
    assert status == 201
    results = {result["source"]: result for result in body["results"]}
    assert {source: result["status"] for source, result in results.items()} == {
        "kept.txt": "unchanged",
        "changed.txt": "replaced",
        "new.md": "added",
        "bad.exe": "refused",
    }
    for source in ("kept.txt", "changed.txt"):
        assert results[source]["document_id"] == first[source]["document_id"]
    assert results["bad.exe"]["document_id"] is None
    assert "unsupported" in results["bad.exe"]["reason"]
    text = empty.get(f"/v1/documents/{first['changed.txt']['document_id']}/text")
    assert text.text == "It is blue.\n"


def test_acknowledged_is_durable_and_found_at_once(empty: TestClient, tmp_path: Path) -> None:
    _, body = _upload(empty, ("zoo.txt", _ZOO))
    assert _answer(empty, "When is the zebra house repainted?")["citation"]["source"] == "zoo.txt"
    other = build(Settings(home=tmp_path / "home", embedder="hashing", reader="sentence"))
    document, _ = other.document(body["results"][0]["document_id"])
    assert document.text.encode() == _ZOO
    other.close()


def test_the_first_upload_makes_the_collection(empty: TestClient, check_problem: Problem) -> None:
    question = "When is the zebra house repainted?"
    body = {"question": question, "collection": "zoo"}
    check_problem(empty.post("/v1/ask", json=body), 404)
    assert _upload(empty, ("zoo.txt", _ZOO), collection="zoo")[0] == 201
    assert _answer(empty, question, "zoo")["citation"]["source"] == "zoo.txt"
    names = [c["name"] for c in empty.get("/v1/collections").json()["collections"]]
    assert names == ["default", "zoo"]
    assert empty.post("/v1/ask", json={"question": question}).json()["reason"] == "empty_index"


@pytest.mark.parametrize("name", ["A", "a b", "../x", "a" * 64, "ä"])
def test_bad_collection(empty: TestClient, check_problem: Problem, name: str) -> None:
    files = [("files", ("zoo.txt", _ZOO))]
    check_problem(empty.post("/v1/documents", files=files, data={"collection": name}), 422)
    assert len(empty.get("/v1/collections").json()["collections"]) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("/etc/shadow.txt", "shadow.txt"),
        ("C:\\Windows\\y.txt", "y.txt"),
        ("..\\..\\up.txt", "up.txt"),
        ("bell\x07tab\there.txt", "belltabhere.txt"),
        ("right\u202etxt.exe.txt", "righttxt.exe.txt"),
        ("  spaced .txt ", "spaced .txt"),
        ("e\u0301.txt", "\u00e9.txt"),
    ],
)
def test_names_are_display_text(empty: TestClient, name: str, shown: str) -> None:
    response = _raw_upload(empty, name)
    assert response.status_code == 201, response.text
    assert response.json()["results"][0]["source"] == shown
    assert empty.get("/v1/documents").json()["documents"][0]["source"] == shown


@pytest.mark.parametrize("name", ["..", ".", "/", "x/", " ", "\x01", "a/..", "\u200b"])
def test_no_name_is_left(empty: TestClient, check_problem: Problem, name: str) -> None:
    response = _raw_upload(empty, name)
    assert "file name" in check_problem(response, 422)["detail"]
    assert empty.get("/v1/documents").json()["documents"] == []


def test_an_endless_name(empty: TestClient, check_problem: Problem) -> None:
    response = empty.post("/v1/documents", files=[("files", ("n" * 2_000 + ".txt", _ZOO))])
    assert "longer than 255" in check_problem(response, 422)["detail"]
    assert _upload(empty, ("n" * 251 + ".txt", _ZOO))[0] == 201
    documents = empty.get("/v1/documents").json()["documents"]
    assert [document["source"] for document in documents] == ["n" * 251 + ".txt"]


def test_the_same_name_twice(empty: TestClient) -> None:
    status, body = _upload(empty, ("a/same.txt", b"The first.\n"), ("b/same.txt", b"The other.\n"))
    assert status == 201
    assert sorted(result["status"] for result in body["results"]) == ["added", "refused"]
    refused = next(result for result in body["results"] if result["status"] == "refused")
    assert "same name" in refused["reason"]
    documents = empty.get("/v1/documents").json()["documents"]
    assert [document["source"] for document in documents] == ["same.txt"]
    text = empty.get(f"/v1/documents/{documents[0]['document_id']}/text").text
    assert text == "The first.\n"


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (("photo.jpg", b"\xff\xd8"), 415),
        (("none", b"words"), 415),
        (("fake.pdf", b"words that are no PDF"), 415),
        (("large.txt", b"x " * 3_000), 413),
        (("empty.txt", b""), 422),
        (("blank.txt", b" \n\n "), 422),
    ],
)
def test_none_accepted(
    tmp_path: Path, serve: Serve, check_problem: Problem, file: tuple[str, bytes], status: int
) -> None:
    with serve(tmp_path / "home", max_file_bytes=5_000) as client:
        problem = check_problem(client.post("/v1/documents", files=[("files", file)]), status)
        assert [r["status"] for r in problem["results"]] == ["refused"]
        assert problem["results"][0]["source"] == file[0]
        assert problem["results"][0]["reason"]
        assert client.get("/v1/status").json()["documents"] == 0


def test_a_refused_replacement_keeps_the_former(empty: TestClient, check_problem: Problem) -> None:
    _, body = _upload(empty, ("zoo.txt", _ZOO))
    response = empty.post("/v1/documents", files=[("files", ("zoo.txt", b"\0\0\0"))])
    problem = check_problem(response)
    assert response.status_code in (415, 422)
    assert problem["results"][0]["document_id"] == body["results"][0]["document_id"]
    assert _answer(empty, "When is the zebra house repainted?")["citation"]["source"] == "zoo.txt"


def test_nothing_sent(empty: TestClient, check_problem: Problem) -> None:
    check_problem(empty.post("/v1/documents"), 422)
    check_problem(empty.post("/v1/documents", data={"collection": "zoo"}), 422)
    check_problem(empty.post("/v1/documents", data={"files": "no file"}), 422)
    check_problem(empty.post("/v1/documents", files=[("other", ("zoo.txt", _ZOO))]), 422)


def test_too_large_a_body(tmp_path: Path, serve: Serve, check_problem: Problem) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000

    with serve(tmp_path / "home", max_upload_bytes=20_000, max_json_bytes=20_000) as client:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        for route in ("/v1/documents", "/v1/ask", "/v1/search"):
            for content in (b"x" * 20_001, chunks()):
                response = client.post(route, content=content, headers=headers)
                check_problem(response, 413)
        json_headers = {"Content-Type": "application/json"}
        check_problem(client.post("/v1/ask", content=chunks(), headers=json_headers), 413)
        assert _upload(client, ("zoo.txt", _ZOO))[0] == 201


def test_a_write_elsewhere_is_a_503(
    tmp_path: Path,
    serve: Serve,
    locked: Callable[[Path], AbstractContextManager[None]],
    check_problem: Problem,
) -> None:
    home = tmp_path / "home"
    with serve(home, busy_seconds=0.05) as client:
        _, body = _upload(client, ("zoo.txt", _ZOO))
        document = f"/v1/documents/{body['results'][0]['document_id']}"
        with locked(home):
            upload = client.post("/v1/documents", files=[("files", ("two.txt", b"Two words.\n"))])
            for response in (upload, client.delete(document)):
                check_problem(response, 503)
                assert int(response.headers["Retry-After"]) > 0
            assert _answer(client, "When is the zebra house repainted?")
        assert _upload(client, ("two.txt", b"Two words.\n"))[0] == 201


def test_a_mail_brings_its_attachments_and_takes_them_along(empty: TestClient) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ada@example.org", "Zoo"
    mail.set_content("See the list.")
    mail.add_attachment(_ZOO, "text", "plain", filename="zebra.txt")
    mail.add_attachment(b"\x89PNG", "image", "png", filename="zebra.png")
    status, body = _upload(empty, ("mail.eml", bytes(mail)))
    assert status == 201
    statuses = [(result["source"], result["status"]) for result in body["results"]]
    assert statuses == [
        *(("mail.eml", "added"), ("mail.eml/zebra.png", "refused")),
        ("mail.eml/zebra.txt", "added"),
    ]
    inside = body["results"][2]["document_id"]
    assert empty.get(f"/v1/documents/{inside}/original").content == _ZOO
    answer = _answer(empty, "When is the zebra house repainted?")
    assert answer["citation"]["source"] == "mail.eml/zebra.txt"
    assert empty.delete(f"/v1/documents/{body['results'][0]['document_id']}").status_code == 204
    assert empty.get(f"/v1/documents/{inside}").status_code == 404
