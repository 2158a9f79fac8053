"""A whole session of the service, with the real models, that may not reach beyond this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag.loading.formats import _MODULES, extension_of
from tests.security import session
from tests.security.watching import noted

TREE = Path(__file__).parents[2]
ELSEWHERE = "192.0.2.1"  # an address that RFC 5737 keeps for examples
_CALLS = "trace=connect,bind,sendto,sendmsg,sendmmsg"
_ADDRESS = re.compile(r'sin_addr=inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
_WATCHED = "import sys; from tests.security.watching import watch; watch(sys.argv[1]); "

pytestmark = pytest.mark.model


@dataclass(frozen=True)
class Seen:
    """What one run did: the hook's notes, and the addresses in its system calls where they show."""

    log: Path
    calls: Path | None
    said: str

    def network(self) -> list[str]:
        """Every attempt to reach another machine or to ask for the address of one."""
        return noted(self.log, "network") + [a for a in self._addresses() if not _is_loopback(a)]

    def _addresses(self) -> list[str]:
        text = self.calls.read_text() if self.calls else ""
        return [v4 or v6 for v4, v6 in _ADDRESS.findall(text)]


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def _run(folder: Path, *command: str) -> Seen:
    """Runs Python in a process of its own; strace, where it is there, sees native code as well."""
    log, calls = folder / "log", folder / "calls"
    log.touch()
    strace = shutil.which("strace")
    traced = (
        [strace, "-f", "-qq", "--seccomp-bpf", "-e", _CALLS, "-o", str(calls)] if strace else []
    )
    run = subprocess.run(
        [*traced, sys.executable, *command],
        cwd=TREE,
        env={**os.environ, "PYTHONPATH": str(TREE)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Seen(log, calls if strace else None, run.stdout + run.stderr)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("session")
    done = _run(folder, "-m", "tests.security.session", str(folder / "log"), str(folder / "place"))
    assert (folder / "place" / "done").is_file(), done.said
    return done


def test_the_session_has_a_file_of_every_format() -> None:
    """Extensions that share a reader are one format."""
    there = {_MODULES[extension_of(name)] for name in session.good_files()}
    assert there == set(_MODULES.values()), "add a file to GOOD of tests/loading/test_hostile.py"


def test_nothing_leaves_this_machine(seen: Seen) -> None:
    assert seen.network() == []


def test_nothing_is_unpickled(seen: Seen) -> None:
    assert noted(seen.log, "pickle") == []


def test_no_program_is_run_but_the_parser_and_the_export_of_a_model(seen: Seen) -> None:
    started = noted(seen.log, "process")
    parsers = [told for told in started if "rag.loading.worker" in told]
    exports = [told for told in started if re.search(r"'(embeddings|rag\.reading)\.export'", told)]
    assert sorted(parsers + exports) == sorted(started)
    assert len(noted(seen.log, "watch")) == 1 + len(parsers) > 1


@pytest.mark.parametrize(
    "reaching",
    [
        f"import socket; socket.create_connection(({ELSEWHERE!r}, 80), 1)",
        f"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ({ELSEWHERE!r}, 9))",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import socket; socket.gethostbyname('example.org')",
        "import socket; socket.socket().bind(('', 0))",
        "import urllib.request; urllib.request.urlopen('http://example.org')",
    ],
)
def test_reaching_out_is_noticed_and_stopped(tmp_path: Path, reaching: str) -> None:
    done = _run(tmp_path, "-c", _WATCHED + reaching, str(tmp_path / "log"))
    assert "leads off this machine" in done.said
    assert done.network()


def test_a_library_that_reaches_out_past_python_is_noticed(tmp_path: Path) -> None:
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    native = (
        "import ctypes, socket; libc = ctypes.CDLL(None); descriptor = libc.socket(2, 2, 0); "
        f"to = b'\\2\\0\\0\\t' + socket.inet_aton({ELSEWHERE!r}) + bytes(8); "
        "libc.connect(descriptor, to, 16)"  # of datagrams, so that nothing is sent
    )
    assert _run(tmp_path, "-c", _WATCHED + native, str(tmp_path / "log")).network() == [ELSEWHERE]


def test_this_machine_may_be_reached(tmp_path: Path) -> None:
    here = (
        "import socket; listening = socket.create_server(('127.0.0.1', 0)); "
        "socket.create_connection(('localhost', listening.getsockname()[1])); print('reached')"
    )
    done = _run(tmp_path, "-c", _WATCHED + here, str(tmp_path / "log"))
    assert "reached" in done.said
    assert done.network() == []


def test_unpickling_is_noticed(tmp_path: Path) -> None:
    loading = "import pickle, pathlib; pickle.loads(pickle.dumps(pathlib.PurePath('a')))"
    done = _run(tmp_path, "-c", _WATCHED + loading, str(tmp_path / "log"))
    assert len(noted(done.log, "pickle")) == 1
