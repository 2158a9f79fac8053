"""Settings and the variables they come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InvalidInput
from rag.settings import Settings

_PATHS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\n"), min_size=1, max_size=9)
    .map(lambda name: Path("/") / name.lstrip("/") / "x")
)  # fmt: skip


@given(
    paths=_PATHS,
    token=st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
    file_bytes=st.integers(1, 10**11),
    upload_bytes=st.integers(1, 10**11),
)
def test_the_environment_carries_everything(
    paths: list[Path], token: str | None, file_bytes: int, upload_bytes: int
) -> None:
    settings = Settings(
        home=Path("/home/index"),
        cache=Path("/cache"),
        embedder="hashing",
        reader="sentence",
        max_file_bytes=file_bytes,
        max_upload_bytes=upload_bytes,
        token=token,
        paths=tuple(paths),
    )
    assert Settings.from_environment(settings.to_environment()) == settings


@pytest.mark.parametrize("size", ["0", "-1", "x", "nan", "inf", "50 MB"])
def test_sizes_that_are_none(size: str) -> None:
    for name in ("RAG_MAX_FILE_MB", "RAG_MAX_UPLOAD_MB"):
        with pytest.raises(InvalidInput, match=name):
            Settings.from_environment({name: size})


def test_empty_variables_are_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = Settings(home=tmp_path).to_environment()
    assert Settings.from_environment(dict.fromkeys(names, "")) == Settings(home=tmp_path / ".rag")


def test_the_users_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings.from_environment({"RAG_HOME": "~/index", "RAG_CACHE": "~/cache"})
    assert settings.home == tmp_path / "index"
    assert settings.cache == tmp_path / "cache"
