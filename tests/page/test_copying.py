"""Copying words with their citation: as text, Markdown and BibTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from markdown_it import MarkdownIt
from playwright.sync_api import Page, expect

from tests.page.test_source import LEAVE, marked, open_source

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi

WRITE = """async ([form, words, citation]) => {
  const { FORMS } = await import("/page/copying.js");
  return FORMS[form](words, citation);
}"""
KEEP = """() => {
  window.kept = [];
  const write = async (text) => { window.kept.push(text); };
  Object.defineProperty(navigator, "clipboard", { value: { writeText: write } });
}"""
REFUSE = """() => {
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  document.execCommand = (command) => window.obeys && command === "copy";
}"""
CITATION = {
    "title": "Travel policy",
    "source": "handbook/travel.html",
    "date": "2025-01-15",
    "sha256": "ecfef424" + "0" * 56,
    "paragraph": 21,
    "paragraph_end": 21,
    "page": 3,
    "page_label": "iii",
}
WORDS = "The limit is 135 euros."


def write(tab: Page, form: str, words: str, **changes: Any) -> str:
    tab.goto("/")
    written: str = tab.evaluate(WRITE, [form, words, CITATION | changes])
    return written


def test_as_text(page: Page) -> None:
    assert write(page, "Text", WORDS) == (
        "“The limit is 135 euros.”\n"
        "Travel policy, handbook/travel.html, paragraph 21, page 3 (iii), 2025-01-15, "
        "SHA-256 ecfef4240000"
    )


def test_what_is_not_known_is_left_out(page: Page) -> None:
    bare = {"title": "handbook/travel.html", "date": None, "page": None}
    assert write(page, "Text", WORDS, **bare) == (
        "“The limit is 135 euros.”\nhandbook/travel.html, paragraph 21, SHA-256 ecfef4240000"
    )
    assert write(page, "BibTeX", WORDS, **bare) == (
        "@misc{handbook-travel-html-ecfef4240000,\n"
        "  title = {handbook/travel.html},\n"
        "  file = {handbook/travel.html},\n"
        "  paragraph = {21},\n"
        "  sha256 = {ecfef4240000},\n"
        "  quote = {The limit is 135 euros.}\n"
        "}"
    )


def test_as_markdown(page: Page) -> None:
    assert write(page, "Markdown", "The limit:\r\n135 euros.") == (
        "> The limit:\n"
        "> 135 euros.\n"
        ">\n"
        "> — Travel policy, handbook/travel.html, paragraph 21, page 3 (iii), 2025-01-15, "
        "SHA-256 ecfef4240000"
    )


def test_as_bibtex(page: Page) -> None:
    assert write(page, "BibTeX", "50 % of {a_b} ~ \\x^2", title="R&D\n policy") == (
        "@misc{handbook-travel-html-ecfef4240000,\n"
        "  title = {R\\&D policy},\n"
        "  file = {handbook/travel.html},\n"
        "  paragraph = {21},\n"
        "  page = {3},\n"
        "  date = {2025-01-15},\n"
        "  sha256 = {ecfef4240000},\n"
        "  quote = {50 \\% of \\{a\\_b\\} "
        "\\textasciitilde{} \\textbackslash{}x\\textasciicircum{}2}\n"
        "}"
    )


HOSTILE = [
    "# no heading",
    "1. no list",
    "- no list",
    "+ no list",
    "> no quote",
    "*no* _emphasis_ `code` ~~gone~~",
    "[no](link) ![no](image) <b>tag</b> &amp; &lt;",
    "    no code",
    "```\nno fence\n```",
    "one\n===\ntwo\n---",
    "| a | b |\n|---|---|",
    "a\\*b\\",
    "e\u0301 👩‍👩‍👧 שלום",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_markdown_shows_the_very_words(page: Page, words: str) -> None:
    """Rendered, the quote is one block of text with nothing but its words, white space aside."""
    written = write(page, "Markdown", words)
    inline = [token for token in MarkdownIt().parse(written) if token.type == "inline"]
    assert len(inline) == 2
    kinds = {child.type for child in inline[0].children or []}
    assert kinds <= {"text", "text_special", "softbreak"}
    shown = "".join(child.content or "\n" for child in inline[0].children or [])
    assert shown == "\n".join(line.strip() for line in words.split("\n"))


def test_the_source_gives_the_sentence_with_its_citation(page: Page, api: FakeApi) -> None:
    open_source(page, LEAVE)
    assert marked(page) == "thirty days"
    page.evaluate(KEEP)
    copy = page.locator("#source").get_by_role("button", name="Copy")
    copy.click()
    page.get_by_role("button", name="Text").click()
    expect(page.locator("#source .copy > button")).to_have_text("Copied")
    expect(page.locator("#source .copy > button")).to_be_focused()
    digest = api.replies[LEAVE]["answers"][0]["citation"]["sha256"][:12]
    assert page.evaluate("window.kept") == [
        "“Every employee has thirty days of paid leave a year.”\n"
        f"Leave and absence, handbook/leave.md, paragraph 4, 2026-03-01, SHA-256 {digest}"
    ]


def test_the_menu_goes_by_keys_and_leaves_the_source_open(page: Page) -> None:
    open_source(page, LEAVE)
    assert marked(page) == "thirty days"
    copy = page.locator("#source .copy > button")
    copy.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Text")).to_be_hidden()
    expect(copy).to_be_focused()
    expect(page.locator("#source")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()


def test_without_a_clipboard_the_text_is_selected(page: Page) -> None:
    open_source(page, LEAVE)
    assert marked(page) == "thirty days"
    page.evaluate(REFUSE)
    page.locator("#source .copy > button").click()
    page.get_by_role("button", name="BibTeX").click()
    area = page.get_by_role("textbox", name="To be copied by hand")
    expect(area).to_be_focused()
    selected = "(area) => area.value.slice(area.selectionStart, area.selectionEnd)"
    assert area.evaluate(selected).startswith("@misc{handbook-leave-md-")
    page.evaluate("window.obeys = true")
    page.get_by_role("button", name="Text").click()
    expect(page.locator("#source .copy > button")).to_have_text("Copied")
