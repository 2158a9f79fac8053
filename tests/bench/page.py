"""The page's own time: from the reply to the answer on the screen, and to open a source."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.settings import Settings
from tests.bench.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

_QUESTIONS = 60
_LARGE_PARAGRAPHS = 100_000
_QUOTE = "the umbrella stands in room 42"

# Milliseconds from the last byte of the reply to the frame after the answer is in the page.
_ASK = """(question) => new Promise((done) => {
  const log = document.querySelector("#conversation");
  performance.clearResourceTimings();
  new MutationObserver((_, watching) => {
    const turn = log.lastElementChild;
    if (!turn?.querySelector(".reply")) return;
    watching.disconnect();
    requestAnimationFrame(() => setTimeout(() => {
      const sent = performance.getEntriesByType("resource");
      const asked = sent.findLast((one) => one.name.endsWith("/v1/ask"));
      done(performance.now() - asked.responseEnd);
    }));
  }).observe(log, { childList: true, subtree: true });
  document.querySelector("#question").value = question;
  document.querySelector("#composer").requestSubmit();
})"""
_OPEN = """() => new Promise((done) => {
  const panel = document.querySelector("#source .text");
  const began = performance.now();
  new MutationObserver((_, watching) => {
    if (!panel.querySelector("p mark")) return;
    watching.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  }).observe(panel, { childList: true, subtree: true });
  document.querySelector(".turn:last-child .cite").click();
})"""


def page_table(corpus: Path, questions: Sequence[str], settings: Settings) -> Iterator[str]:
    """The page's own time in Chromium; nothing where there is none."""
    if shutil.which("chromium") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        files = shutil.copytree(corpus, Path(folder, "files"))
        (files / "large.txt").write_text(_large(), "utf-8")
        home = replace(settings, home=Path(folder, "home"))
        with served(files, home) as server, _page(f"http://127.0.0.1:{server.port}") as page:
            page.evaluate(_ASK, questions[0])  # the first one loads fonts
            shown = sorted(page.evaluate(_ASK, one) for one in questions[:_QUESTIONS])
            page.evaluate(_ASK, "Where does the umbrella stand?")
            opened = [_opened(page) for _ in range(3)]
    yield "### The page, in Chromium\n"
    yield "| from reply to answer on the screen, p50, ms | p95 | a 9 MB source opened, ms |"
    yield "|---|---|---|"
    p95 = shown[int(0.95 * (len(shown) - 1))]
    yield f"| {statistics.median(shown):.0f} | {p95:.0f} | {statistics.median(opened):.0f} |"
    yield ""


def _large() -> str:
    """Equal passages are encoded once: so many different ones would take half an hour."""
    filler = "Nothing is said here of where things stand. " * 2
    paragraphs = [filler] * _LARGE_PARAGRAPHS
    paragraphs[_LARGE_PARAGRAPHS // 2] = f"Since the move {_QUOTE}."
    return "\n\n".join(paragraphs)


def _opened(page: Page) -> float:
    milliseconds: float = page.evaluate(_OPEN)
    page.locator("#source .close").click()
    return milliseconds


@contextmanager
def _page(address: str) -> Iterator[Page]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the benches run without it

    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.locator("#documents .row").first.wait_for()
        yield page
        browser.close()
