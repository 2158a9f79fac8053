"""A wheel built from the tree works outside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

TREE = Path(__file__).parents[1]
BUILD = "import sys; from setuptools import build_meta as b; print(b.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "tree"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TREE,
        capture_output=True,
        check=False,
    )
    if tracked.returncode:
        pytest.skip("not a git checkout: what belongs to the tree is not known")
    for name in tracked.stdout.decode().split("\0"):
        if name and (TREE / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((TREE / name).read_bytes())
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD, str(folder)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content alone, as pip would unpack it."""
    target = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_the_wheel_holds_every_package_the_page_and_the_report(installed: Path) -> None:
    for package in ("api", "embeddings", "rag"):
        there = {p.relative_to(TREE) for p in (TREE / package).rglob("*.py")}
        packed = {p.relative_to(installed) for p in (installed / package).rglob("*.py")}
        assert packed == there
    report = "rag/evaluation/report"
    there = {p.relative_to(TREE) for p in (TREE / report).glob("report.*")}
    assert {p.relative_to(installed) for p in (installed / report).glob("report.*")} == there
    page = {p.name for p in (TREE / "api/page").iterdir()}
    assert {p.name for p in (installed / "api/page").iterdir()} == page
    assert not (installed / "tests").exists()


@pytest.fixture
def environment(installed: Path, tmp_path: Path) -> dict[str, str]:
    # Path entries of PYTHONPATH run no .pth files, so the tree's own installation is not seen.
    path = os.pathsep.join([str(installed), sysconfig.get_path("purelib")])
    return {
        **os.environ,
        "PYTHONPATH": path,
        "RAG_HOME": str(tmp_path / "home"),
        "RAG_CACHE": str(tmp_path / "cache"),
        "RAG_EMBEDDER": "hashing",
        "RAG_READER": "sentence",
    }


@pytest.fixture
def served(environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "leave.txt").write_text("Staff are entitled to 28 days of annual leave each year.\n")
    command = [sys.executable, "-S", "-m", "rag", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        first = server.stderr.readline()
        assert "serving http" in first, first + server.stderr.read()
        yield next(word for word in first.split() if word.startswith("http"))
        server.terminate()
        server.stderr.read()


def test_it_serves_a_folder_and_the_page(served: str, installed: Path) -> None:
    def get(path: str, data: bytes | None = None) -> bytes:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(served + path, data, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            body: bytes = response.read()
        return body

    for _ in range(300):
        try:
            get("/readyz")
            break
        except OSError:
            time.sleep(0.1)
    question = json.dumps({"question": "How many days of annual leave are staff entitled to?"})
    reply = json.loads(get("/v1/ask", question.encode()))
    assert reply["answer"]["text"] == "28 days"
    assert get("/") == (installed / "api/page/index.html").read_bytes()
    assert b"swagger" in get("/docs")
