"""Compiled graphs on disk: made once for each model, checked whenever they are opened."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from embeddings.errors import NotCompilable
from embeddings.model_folder import sha256

_FORMAT = 2  # raise it when the exported files change
_MANIFEST = "manifest.json"
_log = logging.getLogger(__name__)


def prepared(folder: Path, fingerprint: str, cache: Path, exporter: str) -> Path:
    """The folder with the compiled graph of the model in `folder`, exported first if need be.

    `exporter` is the module that writes it when run with the two folders as arguments. A graph
    whose files don't match their hashes is made anew. Processes that want the same graph at once
    wait for the one that makes it. Raises NotCompilable where it can't be made.
    """
    entry = cache / f"{fingerprint}-openvino-{version('openvino')}-{_FORMAT}"
    if _intact(entry):
        return entry
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with entry.with_name(f"{entry.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _intact(entry):
                _make(folder, entry, exporter)
    except OSError as error:
        raise NotCompilable(f"its graph can't be kept: {error}") from error
    return entry


def _intact(entry: Path) -> bool:
    try:
        manifest = json.loads((entry / _MANIFEST).read_text(encoding="utf-8"))
        return bool(manifest == _hashes(entry))
    except (OSError, ValueError):
        return False


def _hashes(entry: Path) -> dict[str, str]:
    return {file.name: sha256(file) for file in entry.iterdir() if file.name != _MANIFEST}


def _make(folder: Path, entry: Path, exporter: str) -> None:
    """Exports beside `entry` and renames, so that an entry is whole or absent; needs the lock."""
    _log.info("preparing a model, once")
    partial = entry.with_name(f"{entry.name}.partial")
    for leftover in (partial, entry):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    try:
        _export(folder, partial, exporter)
        (partial / _MANIFEST).write_text(json.dumps(_hashes(partial)), encoding="utf-8")
        partial.rename(entry)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _export(folder: Path, target: Path, exporter: str) -> None:
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([*filter(None, sys.path), root])  # -P: nothing from the working folder
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-P", "-m", exporter, folder.resolve(), target.resolve()],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise NotCompilable(f"its export failed: {lines[-1]}")
