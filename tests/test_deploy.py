"""What `deploy/` names exists: commands, paths, users, ports, settings."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.cli import _parser
from rag.settings import Settings

TREE = Path(__file__).parents[1]
UNIT = (TREE / "deploy" / "rag-verbatim.service").read_text("utf-8")
CONTAINER = (TREE / "deploy" / "Containerfile").read_text("utf-8")
GUIDE = (TREE / "deploy" / "README.md").read_text("utf-8")


def _instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", "", CONTAINER)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def _of(word: str) -> list[str]:
    return [rest for name, rest in _instructions() if name == word]


def test_the_unit_is_accepted(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("needs systemd-analyze")
    # The program that it starts must exist: here, one that does.
    unit = tmp_path / "rag-verbatim.service"
    unit.write_text(UNIT.replace("/opt/rag-verbatim/bin/rag", sys.executable))
    ran = subprocess.run(
        [tool, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    ours = [line for line in ran.stderr.splitlines() if "rag-verbatim" in line]
    assert ours == [], ran.stderr


def test_the_unit_confines_what_it_starts() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT)
    service = unit["Service"]
    assert service["User"] == "rag-verbatim"
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "rag-verbatim"
    assert service["Restart"] == "on-failure"
    assert {"MemoryMax", "NoNewPrivileges", "CapabilityBoundingSet"} <= set(service)
    assert "ReadWritePaths" not in service
    # Whatever it is told to write lies in the one folder that it may write.
    for setting in ("RAG_HOME", "RAG_CACHE"):
        path = re.search(rf"{setting}=(\S+)", UNIT)
        assert path is not None
        assert path.group(1).startswith("/var/lib/rag-verbatim/")


def test_every_command_is_one_of_ours(tmp_path: Path) -> None:
    (starts,) = re.findall(r"^ExecStart=\S*/rag (.*)$", UNIT, re.MULTILINE)
    commands = [shlex.split(starts), json.loads(_of("CMD")[0])]
    commands += [shlex.split(c) for c in re.findall(r"/rag (ingest .*)$", CONTAINER, re.MULTILINE)]
    commands += [shlex.split(c) for c in re.findall(r"[ /]rag (ingest .*)$", GUIDE, re.MULTILINE)]
    assert len(commands) == 5
    for command in commands:
        _parser().parse_args(command)
    known = Settings(home=tmp_path).to_environment().keys()
    assert set(re.findall(r"RAG_\w+", UNIT + CONTAINER + GUIDE)) <= known
    assert json.loads(_of("ENTRYPOINT")[0]) == ["rag"]


def test_the_container_copies_what_exists_and_runs_as_nobody() -> None:
    stages = _of("FROM")
    assert all(re.match(r"python:3\.11\.\d+-slim-\w+( AS build)?$", stage) for stage in stages)
    for copied in _of("COPY"):
        *sources, _ = copied.split()
        if sources[0] == "--from=build":
            assert sources[1:] == [copied.split()[-1]]
            assert re.search(rf"{sources[1]}\b", "".join(_of("RUN")[:-1]))
        else:
            assert all((TREE / source).exists() for source in sources)
    (user,) = _of("USER")
    assert user != "0"
    assert f"--uid {user} " in CONTAINER
    assert _of("VOLUME") == ["/data"]
    assert "RAG_HOME=/data/" in CONTAINER
    caches = set(re.findall(r"RAG_CACHE=(\S+)", CONTAINER))
    assert caches == {"/opt/rag-cache"}  # filled while it is built, found when it runs


def test_one_port_everywhere() -> None:
    (port,) = _of("EXPOSE")
    assert f":{port}/healthz" in _of("HEALTHCHECK")[0]
    assert json.loads(_of("CMD")[0])[-1] == port
    assert f":{port} --name" in GUIDE
    assert f"--port {port}\n" in UNIT


def test_the_guide_names_what_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)|(?<![/\w])deploy/([\w.-]+\w)", GUIDE):
        assert (TREE / "deploy" / (target[0] or target[1])).is_file(), target
