"""The list of documents: found by name, opened, removed and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi


@pytest.fixture
def many(api: FakeApi) -> FakeApi:
    """Eight documents, more than are seen without a search."""
    for number in range(6):
        api.add(f"notes/minutes {number}.txt", "One.", f"Minutes of meeting {number}")
    return api


@pytest.fixture
def timed(page: Page) -> Page:
    """A tab whose clock stands still until it is moved."""
    page.clock.install()
    return page


def row(page: Page, words: str) -> Locator:
    return page.locator("#documents li", has_text=words)


def remove(page: Page, words: str) -> None:
    row(page, words).get_by_role("button", name="Remove").click()


@pytest.mark.usefixtures("many")
def test_documents_are_found_by_name_and_title(page: Page) -> None:
    page.goto("/")
    search = page.get_by_role("searchbox", name="Search the documents")
    rows = page.locator("#documents .row")
    expect(rows).to_have_count(8)
    search.press_sequentially("meeting minutes 3")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Minutes of meeting 3")
    expect(page.locator("#show-documents")).to_have_text("8 documents")
    search.fill("no such name")
    expect(page.locator("#documents ul")).to_have_text(
        "No document has these words in its name or title."
    )
    search.fill("")
    expect(rows).to_have_count(8)


def test_typing_in_the_search_asks_once(timed: Page, many: FakeApi) -> None:
    timed.goto("/")
    expect(timed.locator("#documents .row")).to_have_count(8)
    timed.get_by_role("searchbox").press_sequentially("leave")
    timed.clock.run_for(300)
    expect(timed.locator("#documents .row")).to_have_count(1)
    assert many.sought == ["", "leave"]


def test_few_documents_need_no_search(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#documents .row")).to_have_count(2)
    expect(page.get_by_role("searchbox")).to_be_hidden()


def test_a_page_further_on_keeps_to_the_search(page: Page, api: FakeApi) -> None:
    for number in range(250):
        api.add(f"{'even' if number % 2 else 'odd'} {number}.txt", "One.")
    page.goto("/")
    page.get_by_role("searchbox").fill("even")
    rows = page.locator("#documents .row")
    expect(rows.first).to_contain_text("even")
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(125)
    expect(row(page, "odd")).to_have_count(0)


def test_a_removal_waits_for_eight_seconds(timed: Page, api: FakeApi) -> None:
    timed.goto("/")
    remove(timed, "travel.txt")
    expect(row(timed, "Removed.")).to_have_text("travel · Removed. Undo")
    timed.clock.run_for(7_900)
    assert api.removed == []
    timed.clock.run_for(200)
    expect(row(timed, "travel")).to_have_count(0)
    expect(timed.locator("#show-documents")).to_have_text("1 document")
    assert api.removed == ["handbook/travel.txt"]


def test_a_removal_is_undone(timed: Page, api: FakeApi) -> None:
    timed.goto("/")
    remove(timed, "travel.txt")
    undo = timed.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    expect(timed.locator("#announcer")).to_have_text("travel removed")
    timed.keyboard.press("Enter")
    expect(row(timed, "travel.txt").locator(".row")).to_be_focused()
    timed.clock.run_for(20_000)
    expect(row(timed, "travel.txt")).to_be_visible()
    assert api.removed == []


def test_the_focus_goes_to_the_next_document(timed: Page) -> None:
    timed.goto("/")
    remove(timed, "leave.md")
    timed.clock.run_for(8_100)
    expect(row(timed, "travel.txt").locator(".row")).to_be_focused()
    remove(timed, "travel.txt")
    timed.clock.run_for(8_100)
    expect(timed.locator("#documents-state")).to_contain_text("No files are indexed yet")


def test_who_is_elsewhere_when_a_removal_ends_stays_there(timed: Page) -> None:
    timed.goto("/")
    remove(timed, "leave.md")
    timed.locator("#question").fill("Half a quest")
    timed.clock.run_for(8_100)
    expect(row(timed, "Leave")).to_have_count(0)
    expect(timed.locator("#question")).to_be_focused()
    expect(timed.locator("#question")).to_have_value("Half a quest")


def test_a_removal_that_fails_brings_the_document_back(timed: Page, api: FakeApi) -> None:
    api.fail("DELETE", 507, "the disk is full: make room")
    timed.goto("/")
    remove(timed, "leave.md")
    timed.clock.run_for(8_100)
    failed = row(timed, "leave.md")
    expect(failed).to_contain_text("Not removed. The server's disk is full")
    expect(timed.get_by_role("alert")).to_contain_text("Not removed")
    remove(timed, "leave.md")
    timed.clock.run_for(8_100)
    expect(row(timed, "Leave")).to_have_count(0)
    assert api.removed == ["handbook/leave.md"]


def test_a_document_that_is_gone_already_counts_as_removed(timed: Page, api: FakeApi) -> None:
    timed.goto("/")
    remove(timed, "travel.txt")
    api.texts.pop(next(key for key, o in api.origins.items() if o.source.endswith("travel.txt")))
    timed.clock.run_for(8_100)
    expect(row(timed, "travel")).to_have_count(0)


def test_a_removal_is_sent_when_the_page_is_left(
    page: Page, api: FakeApi, until: Callable[[Callable[[], bool]], None]
) -> None:
    page.goto("/")
    remove(page, "travel.txt")
    page.goto("about:blank")
    until(lambda: api.removed == ["handbook/travel.txt"])
    page.goto("/")
    expect(page.locator("#show-documents")).to_have_text("1 document")


@pytest.mark.usefixtures("many")
def test_a_search_does_not_cut_the_time_to_undo(timed: Page, api: FakeApi) -> None:
    timed.goto("/")
    remove(timed, "travel.txt")
    timed.get_by_role("searchbox").fill("travel")
    timed.clock.run_for(1_000)
    expect(timed.locator("#documents li")).to_have_text(["travel · Removed. Undo"])
    timed.get_by_role("button", name="Undo").click()
    expect(row(timed, "travel.txt").locator(".row")).to_be_visible()
    timed.clock.run_for(20_000)
    assert api.removed == []


def test_where_nothing_may_be_changed_nothing_offers_it(page: Page, api: FakeApi) -> None:
    api.writable = False
    page.goto("/")
    expect(page.locator("#documents .row").first).to_be_visible()
    expect(page.get_by_role("button", name="Add files")).to_be_hidden()
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)


def test_names_of_any_script_keep_to_themselves(page: Page, api: FakeApi) -> None:
    api.add("handbook/שלום.txt", "One.", "מדריך")
    page.goto("/")
    last = row(page, "מדריך")
    expect(last.locator("bdi")).to_have_text(["מדריך", "handbook/שלום.txt"])
    expect(last.get_by_role("button", name="Remove מדריך")).to_be_visible()
