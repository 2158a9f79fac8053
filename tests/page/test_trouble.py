"""When the server is slow, busy or breaks off: words, a way on, and nothing typed is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi

LEAVE = "How many days of leave do I get?"
SESAME = "open-sesame"


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")


@pytest.fixture
def slow(api: FakeApi) -> Iterator[threading.Event]:
    """Holds replies back until it is set."""
    api.slow = threading.Event()
    yield api.slow
    api.slow.set()


def test_a_slow_question_can_be_cancelled(page: Page, slow: threading.Event) -> None:
    page.goto("/")
    ask(page, LEAVE)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#question")).to_have_value(LEAVE)
    expect(page.locator("#question")).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("Cancelled")
    slow.set()
    page.keyboard.press("Enter")
    expect(page.locator(".reply > .answer mark")).to_have_text("thirty days")


def test_cancelling_keeps_what_was_typed_since(page: Page, slow: threading.Event) -> None:
    page.goto("/")
    ask(page, LEAVE)
    page.fill("#question", "something else")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".problem h3")).to_have_text("Cancelled")
    expect(page.locator("#question")).to_have_value("something else")
    slow.set()
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".turn h2")).to_have_text(LEAVE)
    expect(page.locator(".reply > .answer")).to_be_visible()
    expect(page.locator("#question")).to_have_value("something else")


def test_clearing_ends_what_is_under_way(page: Page, slow: threading.Event) -> None:
    page.goto("/")
    ask(page, LEAVE)
    page.get_by_role("button", name="Clear").click()
    slow.set()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#question")).to_have_value("")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_by_itself(page: Page, api: FakeApi, status: int) -> None:
    page.goto("/")
    api.fail("/v1/ask", status, "", Retry_After="2")
    ask(page, LEAVE)
    expect(page.locator(".problem")).to_contain_text("Asks again by itself in 2 seconds.")
    expect(page.locator(".problem")).to_contain_text("Asks again by itself in 1 second.")
    expect(page.locator(".reply > .answer mark")).to_have_text("thirty days")
    expect(page.locator(".problem")).to_have_count(0)
    expect(page.locator("#question")).to_have_value("")


def test_asking_by_itself_can_be_stopped(page: Page, api: FakeApi) -> None:
    page.goto("/")
    api.fail("/v1/ask", 503, "", Retry_After="1")
    ask(page, LEAVE)
    page.get_by_role("button", name="Leave it").click()
    expect(page.get_by_role("button", name="Ask again")).to_be_focused()
    page.wait_for_timeout(1200)
    expect(page.locator(".problem")).to_have_count(1)
    assert api.asked == []


def test_a_reply_that_breaks_off_is_told(page: Page) -> None:
    page.goto("/")
    page.route("**/v1/ask", lambda route: route.fulfill(status=200, body='{"answers": ['))
    ask(page, LEAVE)
    expect(page.locator(".problem h3")).to_have_text("The reply broke off")
    expect(page.locator("#question")).to_have_value(LEAVE)


def test_a_token_that_expires_is_asked_for_and_the_question_goes_on(
    page: Page, api: FakeApi
) -> None:
    page.goto("/")
    expect(page.locator("#show-documents")).to_have_text("2 documents")
    api.token = SESAME
    ask(page, LEAVE)
    page.get_by_role("textbox", name="Token").fill(SESAME)
    page.keyboard.press("Enter")
    expect(page.locator(".reply > .answer mark")).to_have_text("thirty days")
