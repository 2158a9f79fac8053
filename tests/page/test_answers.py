"""Asking: the answer marked exactly, what stands beside it, what is said where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi

LEAVE = "How many days of leave do I get?"
WALLS = "Who paints the walls?"
SESAME = "open-sesame"


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")


def test_an_answer_is_its_sentence_with_the_words_marked(page: Page) -> None:
    page.goto("/")
    ask(page, LEAVE)
    expect(page.locator(".turn h2")).to_have_text(LEAVE)
    answer = page.locator(".reply > .answer")
    expect(answer.locator("blockquote")).to_have_text(
        "Every employee has thirty days of paid leave a year."
    )
    assert answer.locator("mark").all_text_contents() == ["thirty days"]
    expect(answer.locator(".cite")).to_have_text("1Leave and absencehandbook/leave.mdparagraph 4")
    expect(page.locator(".reply .after .facts")).to_have_text("High confidence · 38 ms")
    expect(page.locator(".others .cite")).to_have_text("2handbook/travel.txtparagraph 4")
    expect(page.locator(".others mark")).to_have_text("within thirty days")
    expect(page.locator("#announcer")).to_contain_text("Answer: thirty days. From Leave and")
    expect(page.locator("#question")).to_have_value("")


def test_passages_fold_below_the_answer(page: Page) -> None:
    page.goto("/")
    ask(page, LEAVE)
    passages = page.locator(".passages")
    expect(passages.locator("summary")).to_have_text("2 passages read")
    expect(passages.locator("blockquote").first).to_be_hidden()
    passages.locator("summary").click()
    expect(passages.locator("blockquote").nth(1)).to_have_text("A night in a hotel")
    expect(passages.locator(".number")).to_have_text(["3", "4"])


ODD = [
    ("🏖️🚆 𝔘𝔫𝔡 ", "zehn Tage 🎉", " frei."),
    ("Jose\u0301 in the cafe\u0301 has ", "ten e\u0301tudes", "."),
    ("\u202bשלום\u202c \u200f", "עשרה ימים", " בשנה"),
    ("two\r\nlines, ", "then\r\nthese", "\r\nand more"),
    ("", "all of it", ""),
]


def test_the_mark_is_exact(page: Page, api: FakeApi) -> None:
    page.goto("/")
    for number, (before, words, after) in enumerate(ODD):
        sentence = before + words + after
        origin = api.add(f"{number}.txt", f"👩‍👩‍👧 First.\n\n{sentence}\n\nLast.")
        api.reply(f"Odd {number}?", api.answer(origin, words, sentence))
        ask(page, f"Odd {number}?")
        quoted = page.locator(".answer blockquote").nth(number)
        assert quoted.text_content() == sentence
        assert quoted.locator("mark").all_text_contents() == [words]


def test_offsets_that_do_not_give_the_words_mark_nothing(page: Page, api: FakeApi) -> None:
    answer = api.replies[LEAVE]["answers"][0]
    answer["citation"]["start"] += 1
    answer["citation"]["end"] += 1
    page.goto("/")
    ask(page, LEAVE)
    expect(page.locator(".reply > .answer blockquote")).to_contain_text("thirty days")
    expect(page.locator(".reply > .answer mark")).to_have_count(0)


def test_pages_and_other_places_are_named(page: Page, api: FakeApi) -> None:
    origin = api.add("minutes.pdf", "One.\n\nThe vote was nine to two.\n\nThree.", "Minutes")
    answer = api.answer(origin, "nine to two", "The vote was nine to two.", page=3)
    elsewhere = replace(api.cite(origin, "Three.", page=7), page_label="v")
    api.reply("The vote?", replace(answer, also_in=(elsewhere,)))
    page.goto("/")
    ask(page, "The vote?")
    expect(page.locator(".answer > .cite .place")).to_have_text("paragraph 2, page 3")
    expect(page.locator(".also")).to_contain_text("also in")
    expect(page.locator(".also .place")).to_have_text("paragraph 3, page 7 (v)")
    expect(page.locator(".reply .after .facts")).to_have_text("38 ms")


REASONS = {
    "empty_index": "rag ingest",
    "no_passage": "Nothing in your files comes near",
    "low_confidence": "none of them answers this clearly enough",
    "unsupported_language": "in English",
    "constructor": "word for word",
    None: "word for word",
}


def test_not_found_says_why(page: Page, api: FakeApi) -> None:
    page.goto("/")
    for reason, said in REASONS.items():
        api.replies[WALLS]["reason"] = reason
        ask(page, WALLS)
        turn = page.locator(".turn").last
        expect(turn.locator(".not-found h3")).to_have_text("Not found in your files")
        expect(turn.locator(".not-found p")).to_contain_text(said)
        expect(turn.locator(".passages summary")).to_have_text("Nearest passages (1)")
        expect(turn.locator(".passages blockquote")).to_be_visible()
        expect(page.locator("#announcer")).to_contain_text("Not found in your files")


PROBLEMS: list[tuple[int, str, dict[str, str], str]] = [
    (503, "reading files: 3 of 9", {"Retry_After": "50"}, "3 of 9."),
    (403, "", {}, "This token may not do that"),
    (408, "", {}, "took too long to arrive"),
    (429, "", {"Retry_After": "120"}, "Ask again in 2 minutes."),
    (422, "question: too long", {}, "Question: too long."),
    (404, "no such collection", {}, "No such collection."),
    (507, "disk full", {}, "disk is full"),
    (500, "see the log", {}, "Something failed on the server"),
    (418, "teapot", {}, "Teapot."),
]


def test_a_problem_is_told_and_can_be_tried_again(page: Page, api: FakeApi) -> None:
    page.goto("/")
    for tried, (status, detail, headers, said) in enumerate(PROBLEMS, start=1):
        api.fail("/v1/ask", status, detail, **headers)
        ask(page, LEAVE)
        expect(page.locator(".problem")).to_contain_text(said)
        expect(page.locator("#question")).to_have_value(LEAVE)
        page.get_by_role("button", name="Ask again").click()
        expect(page.locator(".turn .reply")).to_have_count(tried)
        expect(page.locator(".problem")).to_have_count(0)
        expect(page.locator("#question")).to_have_value("")


def test_a_server_that_is_away_loses_nothing(page: Page) -> None:
    page.goto("/")
    page.context.set_offline(True)
    ask(page, LEAVE)
    expect(page.locator(".problem h3")).to_have_text("The server can't be reached")
    expect(page.locator("#question")).to_have_value(LEAVE)
    page.context.set_offline(False)
    page.press("#question", "Enter")
    expect(page.locator(".answer mark").first).to_have_text("thirty days")


def test_a_reply_of_another_shape_is_told(page: Page, api: FakeApi) -> None:
    api.replies[LEAVE] = {"answers": "none"}
    page.goto("/")
    ask(page, LEAVE)
    expect(page.locator(".problem h3")).to_have_text("This page could not show the reply")


def test_one_collection_is_not_offered_and_two_are(page: Page, api: FakeApi) -> None:
    page.goto("/")
    expect(page.locator("#collection option")).to_have_count(1)  # the page knows it by now
    ask(page, LEAVE)
    expect(page.locator(".answer")).not_to_have_count(0)
    expect(page.locator("#collection")).to_be_hidden()
    api.collections = ("archive", "default")
    page.reload()
    expect(page.locator("#collection select")).to_have_value("default")
    page.click("#narrow summary")
    page.select_option("#collection select", "archive")
    ask(page, LEAVE)
    expect(page.locator(".turn .reply")).to_have_count(2)
    assert [asked["collection"] for asked in api.asked] == ["default", "archive"]


def test_a_token_is_asked_for_once_and_kept_in_the_tab(page: Page, api: FakeApi) -> None:
    api.token = SESAME
    page.goto("/")
    dialog = page.get_by_role("dialog", name="Access token")
    expect(dialog.get_by_label("Token")).to_be_focused()
    dialog.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("did not accept")
    dialog.get_by_label("Token").fill(SESAME)
    page.keyboard.press("Enter")
    expect(page.locator("#show-documents")).to_have_text("2 documents")
    page.reload()
    expect(page.locator("#show-documents")).to_have_text("2 documents")
    expect(dialog).to_be_hidden()
    assert page.evaluate("[document.cookie, localStorage.length]") == ["", 0]


def test_declining_the_token_is_told(page: Page, api: FakeApi) -> None:
    api.token = SESAME
    page.goto("/")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#documents-state")).to_contain_text("An access token is needed")
