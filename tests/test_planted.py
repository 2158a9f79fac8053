"""A fact planted in a file of each kind stands in the index where it was planted."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from rag.assembly import build
from rag.settings import Settings
from rag.text import paragraphs
from rag.types import Status
from tests.loading.planted import KINDS, planted


def test_every_kind_of_file(tmp_path: Path) -> None:
    files = list(planted(each=2, seed=7))
    assert {file.kind for file in files} == set(KINDS)
    folder = tmp_path / "files"
    folder.mkdir()
    for file in files:
        (folder / file.name).write_bytes(file.data)
    settings = Settings(home=tmp_path / "home", embedder="hashing", reader="sentence")
    with closing(build(settings)) as service:
        report = service.ingest([folder])
        assert report.count(Status.REFUSED) == 0
        for file in files:
            document, _ = service.document(service.find(file.source))
            cut = paragraphs(document.text)
            words = [span.of(document.text) for span in cut]
            assert words.count(file.paragraph) == 1, (file.source, words)
            assert document.page_at(cut[words.index(file.paragraph)].start) == file.page
