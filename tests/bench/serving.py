"""A real `rag serve` over a folder, with the models that are measured."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.settings import Settings
from tests.served import Served, serving


@contextmanager
def served(corpus: Path, settings: Settings) -> Iterator[Served]:
    """Serves a folder, which is ingested first; ready once it is given."""
    variables = settings.to_environment()
    command = [sys.executable, "-m", "rag", "ingest", str(corpus)]
    subprocess.run(command, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL)
    with serving(settings.home, variables=variables) as server:
        server.wait_until_ready()
        yield server
