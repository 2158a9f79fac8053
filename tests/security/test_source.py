"""What no module of the product may import or call, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
_IMPORTS = {  # each with what it would let in
    **dict.fromkeys(("cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"), "pickles"),
    **dict.fromkeys(("aiohttp", "ftplib", "http.client", "httpx", "requests"), "fetches"),
    **dict.fromkeys(("urllib.request", "urllib3"), "fetches"),
    "html.parser": "takes quadratic time over some pages (CVE-2025-6069)",
}
_CALLS = {
    **dict.fromkeys(("compile", "eval", "exec", "os.popen", "os.system"), "runs what it is given"),
    **dict.fromkeys(("yaml.full_load", "yaml.load", "yaml.unsafe_load"), "makes any object"),
}
_OFFLINE = {"local_files_only": True, "trust_remote_code": False}
_KEYWORDS: dict[str, dict[str, bool]] = {  # by the last part of a function's name, or all of it
    "SentenceTransformer": _OFFLINE,
    "from_pretrained": _OFFLINE,
    "np.load": {"allow_pickle": False},
    "numpy.load": {"allow_pickle": False},
    "snapshot_download": {"local_files_only": True},
    "torch.load": {"weights_only": True},
}


def dangers(source: str) -> Iterator[str]:
    """Every forbidden import and call."""
    for node in ast.walk(ast.parse(source)):
        for name in _imported(node):
            for forbidden, why in _IMPORTS.items():
                if name == forbidden or name.startswith(f"{forbidden}."):
                    yield f"{name} {why}"
        if isinstance(node, ast.Call):
            yield from (f"line {node.lineno}: {wrong}" for wrong in _wrong_with(node))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "import_module":
        return [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)]
    return []


def _wrong_with(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name in _CALLS:
        yield f"{name} {_CALLS[name]}"
    if given.get("shell", "False") != "False":
        yield f"{name} runs a shell"
    wanted = {**_KEYWORDS.get(name, {}), **_KEYWORDS.get(name.split(".")[-1], {})}
    for keyword, value in wanted.items():
        if given.get(keyword) != str(value):
            yield f"{name} without {keyword}={value}"


@pytest.mark.parametrize("package", ["api", "embeddings", "rag"])
def test_no_module_unpickles_fetches_or_runs_what_it_is_given(package: str) -> None:
    files = sorted((TREE / package).rglob("*.py"))
    assert files
    found = {str(file.relative_to(TREE)): list(dangers(file.read_text())) for file in files}
    assert {file: told for file, told in found.items() if told} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import os, joblib",
        "from pickle import loads",
        "import dill as d",
        "import shelve",
        "def late():\n    import cloudpickle",
        "from importlib import import_module\nimport_module('pickle')",
        "import requests",
        "import httpx",
        "import urllib.request",
        "from urllib import request",
        "from urllib.request import urlopen",
        "from http.client import HTTPConnection",
        "from html.parser import HTMLParser",
        "np.load(file)",
        "np.load(file, allow_pickle=True)",
        "np.load(file, allow_pickle=wanted)",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "eval(text)",
        "exec(text)",
        "os.system(text)",
        "yaml.load(text, Loader=yaml.Loader)",
        "subprocess.run(text, shell=True)",
        "AutoModel.from_pretrained(name)",
        "AutoModel.from_pretrained(name, local_files_only=True, trust_remote_code=True)",
        "SentenceTransformer(name)",
        "huggingface_hub.snapshot_download(name)",
    ],
)
def test_what_is_forbidden_is_found(source: str) -> None:
    assert list(dangers(source))


@pytest.mark.parametrize(
    "source",
    [
        "from urllib.parse import quote",
        "import http",
        "from . import pickle",
        "re.compile(pattern)",
        "model.eval()",
        "np.load(file, allow_pickle=False)",
        "torch.load(file, map_location='cpu', weights_only=True)",
        "subprocess.run([program], shell=False)",
        "yaml.safe_load(text)",
    ],
)
def test_what_is_harmless_is_not(source: str) -> None:
    assert list(dangers(source)) == []
