"""What a tab keeps of its conversation, the link of each entry, and what people say of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi

LEAVE = "How many days of leave do I get?"
WALLS = "Who paints the walls?"
KEPT = 30


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")


def test_the_conversation_outlasts_a_reload_and_can_be_cleared(page: Page, api: FakeApi) -> None:
    page.goto("/")
    expect(page.locator("#clear")).to_be_hidden()
    for number, question in enumerate((LEAVE, WALLS), start=1):
        ask(page, question)
        expect(page.locator(".turn .reply")).to_have_count(number)
    page.reload()
    expect(page.locator(".turn h2")).to_have_text([LEAVE, WALLS])
    expect(page.locator(".reply > .answer mark")).to_have_text("thirty days")
    page.locator(".reply .cite").first.click()
    expect(page.locator("#source p mark")).to_have_text("thirty days")
    page.get_by_role("button", name="Close the source").click()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#question")).to_be_focused()
    page.reload()
    expect(page.locator("#show-documents")).to_have_text("2 documents")
    expect(page.locator(".turn")).to_have_count(0)
    assert len(api.asked) == 2


def test_the_oldest_entries_go_first(page: Page, api: FakeApi) -> None:
    page.goto("/")
    for number in range(KEPT + 2):
        api.reply(f"{number}?")
        ask(page, f"{number}?")
        expect(page.locator(".turn .reply")).to_have_count(number + 1)
    page.reload()
    expect(page.locator(".turn h2")).to_have_text([f"{number}?" for number in range(2, KEPT + 2)])


FULL = (
    "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
)
DENIED = """Object.defineProperty(window, 'sessionStorage', {
  get() { throw new DOMException('denied', 'SecurityError'); },
});"""
SPOILT = "sessionStorage.setItem('conversation', '[{\"question\": 1}]');"


@pytest.mark.parametrize("state", [FULL, DENIED, SPOILT], ids=["full", "denied", "spoilt"])
def test_a_store_of_no_use_stops_nothing(page: Page, state: str) -> None:
    page.add_init_script(state)
    page.goto("/")
    ask(page, LEAVE)
    expect(page.locator(".reply > .answer mark")).to_have_text("thirty days")


def test_the_link_of_an_entry_asks_it(page: Page, api: FakeApi) -> None:
    api.reply("And illness?", rewritten="What about illness & “notes”?")
    api.reply("What about illness & “notes”?")
    page.goto("/")
    ask(page, LEAVE)
    expect(page.locator(".reply")).to_have_count(1)
    ask(page, "And illness?")
    expect(page.locator(".reply")).to_have_count(2)
    link = page.get_by_role("link", name="Link").last
    href = link.get_attribute("href")
    page.evaluate("sessionStorage.clear()")
    page.goto("about:blank")
    page.goto(f"/{href}")
    expect(page.locator(".turn h2")).to_have_text("What about illness & “notes”?")
    expect(page.locator(".reply")).to_have_count(1)
    assert "history" not in api.asked[-1]
    page.reload()
    expect(page.locator(".turn .reply")).to_have_count(1)
    assert len(api.asked) == 3, "a reload asked again what is still there"


def test_right_is_said_once_and_remembered(page: Page, api: FakeApi) -> None:
    page.goto("/")
    ask(page, LEAVE)
    first = page.get_by_role("form", name="Is this answer right?").first
    first.get_by_role("button", name="Right").click()
    expect(first).to_have_text("Thank you")
    expect(first.get_by_role("status")).to_be_focused()
    [said] = api.said
    assert (said["question"], said["verdict"], said["collection"]) == (LEAVE, "right", "default")
    assert said["citation"]["quote"] == "thirty days"
    page.reload()
    expect(page.locator(".feedback").first).to_have_text("Thank you")
    expect(page.locator(".others .feedback button:visible")).to_have_text(["Right", "Wrong"])


def test_wrong_takes_the_expected_words_and_a_failure_keeps_them(page: Page, api: FakeApi) -> None:
    page.goto("/")
    ask(page, LEAVE)
    form = page.locator(".others .feedback")
    form.get_by_role("button", name="Wrong").click()
    field = form.get_by_role("textbox", name="What would be right?")
    expect(field).to_be_focused()
    field.fill(" thirty ")
    api.fail("/v1/feedback", 507, "make room")
    page.keyboard.press("Enter")
    expect(form).to_contain_text("Not sent. The server's disk is full. Make room.")
    expect(field).to_have_value(" thirty ")
    page.keyboard.press("Enter")
    expect(form).to_have_text("Thank you")
    [said] = api.said
    assert (said["verdict"], said["expected"]) == ("wrong", "thirty")
    assert said["citation"]["quote"] == "within thirty days"


def test_that_nothing_was_found_is_wrong_only_with_the_words(page: Page, api: FakeApi) -> None:
    page.goto("/")
    ask(page, WALLS)
    form = page.get_by_role("form", name="Is it right that nothing was found?")
    form.get_by_role("button", name="Wrong").click()
    page.keyboard.press("Enter")
    assert api.said == []
    form.get_by_role("textbox").fill("the painter")
    form.get_by_role("button", name="Send").click()
    expect(form).to_have_text("Thank you")
    assert (api.said[0]["citation"], api.said[0]["expected"]) == (None, "the painter")


def test_a_server_that_may_only_be_read_is_not_judged(page: Page, api: FakeApi) -> None:
    api.writable = False
    page.goto("/")
    ask(page, LEAVE)
    expect(page.locator(".reply > .answer")).to_be_visible()
    expect(page.locator(".feedback").first).to_be_hidden()


def test_print_shows_answers_and_citations_only(page: Page) -> None:
    page.goto("/")
    ask(page, LEAVE)
    page.locator(".reply .cite").first.click()
    expect(page.locator("#source")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".reply > .answer mark")).to_be_visible()
    expect(page.locator(".reply .cite").first).to_be_visible()
    for gone in ("#composer", ".bar", "#source", ".feedback >> nth=0", ".intro"):
        expect(page.locator(gone)).to_be_hidden()
    page.emulate_media(media="screen")
