"""Narrowing: fields of what the collection holds, chips, what is sent, shown and linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi

LEAVE = "How many days of leave do I get?"


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")


def narrow(page: Page) -> None:
    page.goto("/")
    page.click("#narrow summary")
    page.get_by_role("combobox", name="Folder").select_option("handbook")
    page.get_by_label("Type").select_option("md")
    page.get_by_label("From").fill("2026-01-31")


def test_the_fields_offer_what_the_collection_holds(page: Page, api: FakeApi) -> None:
    api.add("notes/a.txt", "One.")
    page.goto("/")
    page.click("#narrow summary")
    folders = page.get_by_role("combobox", name="Folder").locator("option")
    expect(folders).to_have_text(["Any", "handbook", "notes"])
    expect(page.get_by_label("Type").locator("option")).to_have_text(["Any", "md", "txt"])
    expect(page.locator("#collection")).to_be_hidden()
    ask(page, LEAVE)
    expect(page.locator(".reply")).to_be_visible()
    expect(page.locator(".scope")).to_have_count(0)
    assert "filters" not in api.asked[0]


def test_what_is_chosen_is_sent_shown_and_linked(page: Page, api: FakeApi) -> None:
    narrow(page)
    chips = page.get_by_role("list", name="Narrowed to").get_by_role("button")
    expect(chips).to_have_text(["Folder handbook ✕", "Type md ✕", "From 2026-01-31 ✕"])
    ask(page, LEAVE)
    expect(page.locator(".reply")).to_be_visible()
    expect(page.locator(".scope")).to_have_text("Folder handbookType mdFrom 2026-01-31")
    filters = {
        "folders": ["handbook"],
        "types": ["md"],
        "date_from": "2026-01-31",
        "date_to": None,
    }
    assert api.asked[0]["filters"] == filters
    href = page.get_by_role("link", name="Link").get_attribute("href")
    page.evaluate("sessionStorage.clear()")
    page.goto("about:blank")
    page.goto(f"/{href}")
    expect(page.locator(".reply")).to_be_visible()
    expect(chips).to_have_count(3)
    assert api.asked[1] == api.asked[0]
    page.click("#narrow summary")
    expect(page.get_by_role("combobox", name="Folder")).to_have_value("handbook")


def test_chips_are_removed_by_keys(page: Page, api: FakeApi) -> None:
    narrow(page)
    page.get_by_role("button", name="Remove Folder handbook").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove Type md")).to_be_focused()
    expect(page.get_by_role("combobox", name="Folder")).to_have_value("")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#chips button")).to_have_count(0)
    expect(page.locator("#question")).to_be_focused()
    ask(page, LEAVE)
    expect(page.locator(".reply")).to_be_visible()
    assert "filters" not in api.asked[0]


def test_a_collection_is_a_chip_that_leads_back_to_the_default(page: Page, api: FakeApi) -> None:
    api.collections = ("archive", "default")
    page.goto("/")
    page.click("#narrow summary")
    page.get_by_label("Collection").select_option("archive")
    page.get_by_role("button", name="Remove Collection archive").click()
    expect(page.get_by_label("Collection")).to_have_value("default")
    ask(page, LEAVE)
    expect(page.locator(".reply")).to_be_visible()
    assert api.asked[0]["collection"] == "default"


def test_fields_that_can_not_be_filled_say_why(page: Page, api: FakeApi) -> None:
    page.goto("/")
    expect(page.locator("#show-documents")).to_have_text("2 documents")
    api.fail("/v1/collections/default", 500, "see the log")
    page.click("#narrow summary")
    expect(page.locator("#narrow p")).to_contain_text("Something failed on the server")
    ask(page, LEAVE)
    expect(page.locator(".reply")).to_be_visible()
