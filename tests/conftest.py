"""What tests of several rooms share: a real browser, started once, and a light service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.assembly import build
from rag.service import Service
from rag.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_CHROMIUM = shutil.which("chromium")
_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    if _CHROMIUM is None:
        pytest.skip("needs chromium on the PATH")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An index of its own, with the light embedder and reader."""
    return Settings(
        home=tmp_path / "home", cache=tmp_path / "cache", embedder="hashing", reader="sentence"
    )


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    made = build(settings)
    yield made
    made.close()
