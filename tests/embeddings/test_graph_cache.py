"""The compiled graph on disk: made once, checked, and made without the network."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from embeddings import graph_cache, model_folder
from embeddings.compiled import CompiledEmbedder

pytestmark = pytest.mark.model

MINILM = "all-MiniLM-L6-v2"
ROOT = Path(__file__).parents[2]
NO_NETWORK = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"):
        with open({log!r}, "a") as log:
            log.write(f"{{event}} {{arguments}}\\n")
        raise PermissionError(event)
sys.addaudithook(watch)
"""


def run(code: str, home: Path) -> str:
    """The output of a fresh process that fails, and leaves a note, if it reaches for a network."""
    log = home / "network.log"
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK.format(log=str(log)) + code],
        env={**environment, "HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not log.exists(), log.read_text()
    return done.stdout


def test_a_warm_start_needs_neither_torch_nor_network_and_serves_threads_at_once(
    compiled: CompiledEmbedder, cache: Path, tmp_path: Path
) -> None:
    code = f"""
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from embeddings.models import load
embedder = load({MINILM!r}, Path({str(cache)!r}))
with ThreadPoolExecutor(8) as pool:
    first, *others = pool.map(embedder.embed_question, ["Who rules Belarus?"] * 8)
assert all(other.tobytes() == first.tobytes() for other in others)
print(first.tolist())
heavy = {{"torch", "transformers", "sentence_transformers", "huggingface_hub"}}
print(sorted(heavy & set(sys.modules)))
"""
    vector, heavy = run(code, tmp_path).splitlines()
    assert heavy == "[]"
    here = compiled.embed_question("Who rules Belarus?")
    np.testing.assert_allclose(json.loads(vector), here, atol=1e-5)


def test_an_export_needs_no_network_and_keeps_the_prompts(
    minilm_without: Callable[..., Path], tmp_path: Path
) -> None:
    folder = minilm_without("config_sentence_transformers.json")
    prompts = {"prompts": {"query": "query: ", "document": "passage: "}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    target = tmp_path / "graph"
    target.mkdir()
    code = f"""
from pathlib import Path
from embeddings.export import export
export({str(folder)!r}, Path({str(target)!r}))
"""
    run(code, tmp_path)
    embedder = CompiledEmbedder("prompted", "f", target)
    assert embedder.count_tokens(["leave"]) == [5]
    cosine = embedder.embed_question("leave") @ embedder.embed_passages(["leave"])[0]
    assert cosine < 0.99


def test_a_damaged_graph_is_made_anew_and_by_one_process_only(
    compiled: CompiledEmbedder, cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (entry,) = (path.parent for path in cache.glob(f"{compiled.fingerprint}-*/graph.bin"))
    damaged = Path(shutil.copytree(entry, tmp_path / entry.name)) / "graph.bin"
    flipped = bytearray(damaged.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    damaged.write_bytes(flipped)

    folder = model_folder.find(MINILM)
    with caplog.at_level(logging.INFO), ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(
                graph_cache.prepared, folder, compiled.fingerprint, tmp_path, "embeddings.export"
            )
            for _ in range(2)
        ]
        assert {future.result() for future in both} == {tmp_path / entry.name}
    assert caplog.messages == ["preparing a model, once"]
    assert damaged.read_bytes() == (entry / "graph.bin").read_bytes()
