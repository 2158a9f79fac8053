from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.loading.files import Found, read_bytes, walk
from rag.loading.parser import Parser
from rag.text import paragraphs
from rag.types import Parsed

ROOT = Path(__file__).parents[2]
LIMIT = 10_000_000


def parsed_files(parser: Parser, root: Path) -> Iterator[tuple[str, bytes, Parsed]]:
    if not root.is_dir():
        pytest.skip(f"no folder {root.name} here")
    for entry in walk(root, LIMIT):
        assert isinstance(entry, Found)
        data = read_bytes(root, entry.source, LIMIT)
        yield entry.source, data, parser.parse(entry.source, data)


@pytest.mark.parametrize(
    ("folder", "files", "count"),
    [("../shared/datasets/e2e/squad20_dev/docs", 35, 1204), ("../shared/corpus", 5, None)],
)
def test_plain_text_is_the_file_itself(
    parser: Parser, folder: str, files: int, count: int | None
) -> None:
    found = list(parsed_files(parser, ROOT / folder))
    assert len(found) == files
    assert all(parsed.text.encode() == data for _, data, parsed in found)
    if count is not None:
        assert sum(len(paragraphs(parsed.text)) for *_, parsed in found) == count


def test_the_sample_corpus_is_read_whole(parser: Parser) -> None:
    for source, data, parsed in parsed_files(parser, ROOT / "data" / "corpus"):
        if source.endswith((".md", ".txt")):
            assert parsed.text.encode() == data
        else:
            blocks = [span.of(parsed.text) for span in paragraphs(parsed.text)]
            assert "\n\n".join(blocks) == parsed.text
            assert parsed.title
            assert parsed.headings
        assert bool(parsed.pages) == source.endswith(".pdf")
