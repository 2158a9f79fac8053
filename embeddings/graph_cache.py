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

_FORMAT = 1  # raise it when the exported files change
_MANIFEST = "manifest.json"
_COMPILABLE = {"Transformer", "Pooling", "Normalize"}
_log = logging.getLogger(__name__)


def prepared(folder: Path, fingerprint: str, cache: Path) -> Path:
    """The folder with the compiled graph of the model in `folder`, exported first if need be.

    A graph whose files don't match their hashes is made anew. Processes that want the same graph
    at once wait for the one that makes it. Raises NotCompilable where it can't be made.
    """
    _refuse_unknown_modules(folder)
    entry = cache / f"{fingerprint}-openvino-{version('openvino')}-{_FORMAT}"
    if _intact(entry):
        return entry
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with entry.with_name(f"{entry.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _intact(entry):
                _make(folder, entry)
    except OSError as error:
        raise NotCompilable(f"its graph can't be kept: {error}") from error
    return entry


def _refuse_unknown_modules(folder: Path) -> None:
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = {module["type"].rpartition(".")[2] for module in modules}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotCompilable("it has no readable modules.json") from error
    if unknown := kinds - _COMPILABLE:
        raise NotCompilable(f"it has modules of the kind {', '.join(sorted(unknown))}")


def _intact(entry: Path) -> bool:
    try:
        manifest = json.loads((entry / _MANIFEST).read_text(encoding="utf-8"))
        return bool(manifest == _hashes(entry))
    except (OSError, ValueError):
        return False


def _hashes(entry: Path) -> dict[str, str]:
    return {file.name: sha256(file) for file in entry.iterdir() if file.name != _MANIFEST}


def _make(folder: Path, entry: Path) -> None:
    """Exports beside `entry` and renames, so that an entry is whole or absent; needs the lock."""
    _log.info("preparing the encoder, once")
    partial = entry.with_name(f"{entry.name}.partial")
    for leftover in (partial, entry):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    try:
        _export(folder, partial)
        (partial / _MANIFEST).write_text(json.dumps(_hashes(partial)), encoding="utf-8")
        partial.rename(entry)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _export(folder: Path, target: Path) -> None:
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([*filter(None, sys.path), root])  # -P: nothing from the working folder
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-P", "-m", "embeddings.export", folder.resolve(), target.resolve()],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise NotCompilable(f"its export failed: {lines[-1]}")
