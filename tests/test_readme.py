"""What the README names exists, and what exists is named."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from api.app import create_app
from rag import cli
from rag.assembly import build
from rag.loading.formats import EXTENSIONS
from rag.settings import Settings

TREE = Path(__file__).parents[1]
README = (TREE / "README.md").read_text("utf-8")


def commands() -> dict[str, argparse.ArgumentParser]:
    parser = cli._parser()
    (choices,) = (a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(choices)


def nested(command: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers of a command's own commands."""
    inner = [a for a in command._actions if isinstance(a, argparse._SubParsersAction)]
    return [parser for action in inner for parser in action.choices.values()]


def test_commands() -> None:
    table = README[README.index("## Command line") : README.index("## HTTP")]
    assert set(re.findall(r"`rag (\w+)", table)) == set(commands())


def test_options_of_commands() -> None:
    known = {
        option
        for command in commands().values()
        for one in (command, *nested(command))
        for action in one._actions
        for option in action.option_strings
    }
    ours = re.sub(r"`python -m tests[^`]*`|curl [^\n]*", "", README)
    named = set(re.findall(r"(?<!-)--[a-z][a-z-]+", ours)) - {"--json"}
    assert named - {"--port"} <= known
    unnamed = {"--help", "--json"}
    assert {option for option in known if option.startswith("--")} - unnamed <= named


def test_formats() -> None:
    table = README[README.index("### What is read") : README.index("What is in no table here")]
    assert set(re.findall(r"`(\.\w+)`", table)) == EXTENSIONS


def test_settings(tmp_path: Path) -> None:
    named = set(re.findall(r"^\| `(RAG_\w+)` \|", README, re.MULTILINE))
    assert named == set(Settings(home=tmp_path).to_environment())


def test_routes(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", embedder="hashing", reader="sentence")
    service = build(settings)
    described = create_app(service, settings).openapi()["paths"]
    service.close()
    routes = {
        f"{method.upper()} {path}" for path, methods in described.items() for method in methods
    }
    named = set(re.findall(r"`((?:GET|POST|DELETE) /[^`]*)`", README))
    assert named - routes == {"GET /docs", "GET /openapi.json", "GET /"}
    assert routes <= named


def test_make_targets() -> None:
    makefile = (TREE / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", README))
    assert named <= targets
    assert {"serve", "test", "check", "bench"} <= named


@pytest.mark.parametrize("room", re.findall(r"`((?:rag|api|embeddings)/[\w/.]*)`", README))
def test_rooms(room: str) -> None:
    assert (TREE / room).exists()


def test_links_and_pictures() -> None:
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = {"#" + re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target in anchors or (TREE / target).is_file(), target
