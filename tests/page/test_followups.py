"""Follow-ups: the conversation goes along, and what was really searched for is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi

LEAVE = "How many days of leave do I get?"
WALLS = "Who paints the walls?"
SHORT = "And when ill?"
WHOLE = "How many days do I get when ill?"
MOST_TURNS = 10


def ask(page: Page, question: str) -> None:
    turns = page.locator(".turn .reply").count()
    page.fill("#question", question)
    page.press("#question", "Enter")
    expect(page.locator(".turn .reply")).to_have_count(turns + 1)


def test_the_conversation_goes_along(page: Page, api: FakeApi) -> None:
    api.reply(SHORT)
    page.goto("/")
    for question in (LEAVE, WALLS, SHORT):
        ask(page, question)
    assert "history" not in api.asked[0]
    assert api.asked[2]["history"] == [
        {"question": LEAVE, "answer": "thirty days"},
        {"question": WALLS, "answer": None},
    ]
    page.reload()
    for _ in range(MOST_TURNS):
        ask(page, WALLS)
    assert len(api.asked[-1]["history"]) == MOST_TURNS
    assert api.asked[-1]["history"][0]["question"] == SHORT


def test_another_collection_is_another_conversation(page: Page, api: FakeApi) -> None:
    api.collections = ("archive", "default")
    page.goto("/")
    ask(page, LEAVE)
    page.click("#narrow summary")
    page.select_option("#collection select", "archive")
    ask(page, WALLS)
    assert "history" not in api.asked[1]


def test_what_was_searched_for_is_shown_and_can_be_edited(page: Page, api: FakeApi) -> None:
    api.reply(SHORT, rewritten=WHOLE)
    page.goto("/")
    ask(page, LEAVE)
    expect(page.locator(".rewritten")).to_have_count(0)
    ask(page, SHORT)
    expect(page.locator(".rewritten")).to_contain_text(f"Searched for: {WHOLE}")
    page.get_by_role("button", name="Edit").click()
    expect(page.locator("#question")).to_have_value(WHOLE)
    expect(page.locator("#question")).to_be_focused()


def test_a_question_can_be_asked_as_typed(page: Page, api: FakeApi) -> None:
    api.reply(SHORT, rewritten=WHOLE)
    page.goto("/")
    ask(page, LEAVE)
    ask(page, SHORT)
    page.get_by_role("button", name="Ask as typed").click()
    expect(page.locator(".turn .reply")).to_have_count(3)
    assert api.asked[-1]["question"] == SHORT
    assert "history" not in api.asked[-1]


def test_feedback_speaks_of_the_whole_question(page: Page, api: FakeApi) -> None:
    api.reply(SHORT, rewritten=WHOLE)
    page.goto("/")
    ask(page, LEAVE)
    ask(page, SHORT)
    page.locator(".feedback >> text=Right").last.click()
    expect(page.locator(".feedback").last).to_have_text("Thank you")
    assert api.said[0]["question"] == WHOLE
