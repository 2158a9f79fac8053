"""The page by keyboard alone, and on narrow screens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi

LEAVE = "How many days of leave do I get?"


def test_from_question_to_source_and_back_by_keys(page: Page) -> None:
    page.goto("/")
    box, source = page.locator("#question"), page.locator("#source")
    expect(box).to_be_focused()
    page.keyboard.type(LEAVE)
    page.keyboard.press("Enter")
    cite = page.locator(".reply .cite").first
    expect(cite).to_be_visible()
    for _ in range(12):  # passages, judging, the link, the other answer's source
        page.keyboard.press("Shift+Tab")
        if cite.evaluate("(node) => node === document.activeElement"):
            break
    expect(cite).to_be_focused()
    page.keyboard.press("Enter")
    expect(source.locator("mark")).to_be_focused()
    page.keyboard.press("Escape")
    expect(source).to_be_hidden()
    expect(cite).to_be_focused()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("and/or")
    expect(box).to_have_value("and/or")


def test_enter_asks_and_shift_enter_breaks(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(0)
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    expect(page.locator("#question")).to_have_value("one\ntwo")
    expect(page.locator(".turn")).to_have_count(0)


def test_closing_by_button_returns_the_focus(page: Page) -> None:
    page.goto("/")
    row = page.locator("#documents .row").first
    row.click()
    page.get_by_role("button", name="Close the source").click()
    expect(page.locator("#source")).to_be_hidden()
    expect(row).to_be_focused()


def test_the_focus_returns_to_the_source_that_was_opened_last(page: Page) -> None:
    page.goto("/")
    page.fill("#question", LEAVE)
    page.press("#question", "Enter")
    first, second = (page.locator(".answer .cite").nth(at) for at in range(2))
    first.click()
    expect(page.locator("#source mark")).to_have_text("thirty days")
    second.click()
    expect(page.locator("#source mark")).to_have_text("within thirty days")
    expect(page.locator("#source mark")).to_be_focused()
    page.keyboard.press("Escape")
    expect(second).to_be_focused()


def test_who_moves_on_at_once_keeps_the_focus(page: Page) -> None:
    page.goto("/")
    page.locator("#documents .row").first.click()
    expect(page.locator("#source p").first).to_be_visible()
    focused = page.evaluate("""async () => {
      document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
      document.querySelector("#question").focus();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return document.activeElement.id;
    }""")
    assert focused == "question"


def test_everything_has_a_name(page: Page) -> None:
    page.goto("/")
    page.fill("#question", LEAVE)
    page.press("#question", "Enter")
    page.locator(".reply .cite").first.click()
    expect(page.get_by_role("dialog", name="Leave and absence")).to_be_visible()
    expect(page.get_by_role("textbox", name="Your question")).to_be_visible()
    expect(page.get_by_role("heading", name=LEAVE)).to_be_visible()
    nameless = page.locator("button").evaluate_all(
        "(all) => all.filter((one) => !one.hidden && !(one.ariaLabel || one.textContent)).length"
    )
    assert nameless == 0


WIDTHS = [320, 390, 768, 960, 1280, 2560]
SIDEWAYS = """() => [document.documentElement, ...document.querySelectorAll("#source .text")]
  .some((view) => view.scrollWidth > view.clientWidth)"""


def test_nothing_scrolls_sideways(page: Page, api: FakeApi) -> None:
    words = "endless" * 60
    origin = api.add(f"{words}/{words}.txt", f"One.\n\n{words}", words)
    api.reply(words, api.answer(origin, words, words), passages=(api.cite(origin, words),))

    def narrow_to_wide() -> Iterator[int]:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 700})
            yield width

    page.goto("/")
    expect(page.locator("#documents .row").first).to_be_visible()
    assert not [width for width in narrow_to_wide() if page.evaluate(SIDEWAYS)]
    page.fill("#question", words)
    page.press("#question", "Enter")
    page.locator(".passages summary").click()
    assert not [width for width in narrow_to_wide() if page.evaluate(SIDEWAYS)]
    page.locator(".reply .cite").first.click()
    expect(page.locator("#source p mark")).to_be_visible()
    assert not [width for width in narrow_to_wide() if page.evaluate(SIDEWAYS)]


def test_the_source_covers_a_narrow_screen_and_holds_the_focus(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    page.fill("#question", LEAVE)
    page.press("#question", "Enter")
    cite = page.locator(".reply .cite").first
    cite.click()
    source = page.locator("#source")
    expect(source.locator("mark")).to_be_focused()
    assert source.evaluate("(node) => node.matches(':modal')")
    page.keyboard.press("/")
    expect(source).to_be_visible()
    page.keyboard.press("Escape")
    expect(source).to_be_hidden()
    expect(cite).to_be_focused()
