"""Seeing where it stands: the document opens at the quote, marked exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi

LEAVE = "How many days of leave do I get?"
SEEN = """(mark) => {
  const one = mark.getBoundingClientRect();
  const all = mark.closest(".text").getBoundingClientRect();
  return one.height > 0 && one.top >= all.top && one.bottom <= all.bottom;
}"""


def open_source(page: Page, question: str) -> None:
    page.goto("/")
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.locator(".reply .cite").first.click()


def marked(page: Page) -> str:
    """What the panel marks, from the first marked character to the last."""
    expect(page.locator("#source p mark").first).to_be_visible()
    return "".join(page.locator("#source mark").all_text_contents())


def test_the_source_opens_at_the_quote(page: Page) -> None:
    open_source(page, LEAVE)
    assert marked(page) == "thirty days"
    source = page.locator("#source")
    expect(source.locator("h2")).to_have_text("Leave and absence")
    expect(source.locator(".facts")).to_have_text("handbook/leave.mdparagraph 42026-03-01")
    expect(source.locator("li:has(mark)")).to_have_attribute("value", "4")
    expect(source.locator(".notice")).to_be_hidden()
    expect(page.locator("#question")).to_be_visible()


TEXTS = {
    "crlf": "\r\n \r\nOne 🧭.\r\nstill one\r\n\t\r\nTwo: {}.\r\n\r\n\r\nThree.\r\n",
    "lone cr": "One 🧭.\rstill one\r\rTwo: {}.\r \rThree.",
    "line separators": "One 🧭.\u2028\u2028still\x0b\x0cone\x85\x85one\n\u2028\x1c\x85\n{}",
    "byte-order marks": "\ufeffOne.\n\ufeff\nstill one 🧭\n\n{}\n",
    "indented": "    One.\n\n\n  a  {}\n  b\n\n",
    "astral": "𝔄𝔅ℭ" * 500 + "\n\n" + "👩‍👩‍👧 {} é",
    "right to left": "שלום עולם\n\nזה {} כאן\n\nסוף",
    "no spaces": "a" + "🎈" * 25_000 + "{}" + "🎈" * 25_000,
    "one line": "x " * 200_000 + "{}" + " y" * 200_000,
}


def test_odd_texts_are_marked_exactly(page: Page, api: FakeApi) -> None:
    words = "e\u0301xact 🎯 words"
    page.goto("/")
    for name, template in TEXTS.items():
        text = template.replace("{}", words)
        answer = api.answer(api.add(f"{name}.txt", text), words, words)
        api.reply(name, answer)
        page.fill("#question", name)
        page.press("#question", "Enter")
        page.locator(".turn").last.locator(".cite").click()
        expect(page.locator("#source h2")).to_have_text(name)
        assert marked(page) == words
        expect(page.locator("#source li:has(mark)")).to_have_attribute(
            "value", str(answer.citation.paragraph)
        )
        assert page.locator("#source .text").evaluate("(view) => view.textContent") == text
        assert page.locator("#source p mark").evaluate(SEEN), name


def test_a_quote_over_paragraphs_is_marked_whole(page: Page, api: FakeApi) -> None:
    text = "One 🧭.\n\nTwo.\r\n \r\nThree.\n\nFour."
    origin = api.add("odd.txt", text)
    quote = text[text.index("Two") : text.index("\n\nFour")]
    api.reply("Odd?", passages=(api.cite(origin, quote),))
    open_source(page, "Odd?")
    assert marked(page) == quote
    expect(page.locator("#source .place")).to_have_text("paragraphs 2–3")


def test_a_large_document_opens_at_its_quote(page: Page, api: FakeApi) -> None:
    filler = "All work and some play, told again and again 🎈 in a long file. " * 5
    blocks = [f"{number}. {filler}" for number in range(1, 10_001)]
    blocks[7_776] += "Here stands the needle."
    origin = api.add("large.txt", "\n\n".join(blocks))
    api.reply("Where?", api.answer(origin, "the needle", "Here stands the needle."))
    open_source(page, "Where?")
    assert marked(page) == "the needle"
    expect(page.locator("#source li:has(mark)")).to_have_attribute("value", "7777")
    expect(page.locator("#source li")).to_have_count(len(blocks))
    whole = page.locator("#source .text").evaluate("(view) => view.textContent")
    assert whole == api.texts[origin.document_id]
    assert page.locator("#source p mark").evaluate(SEEN)


def test_a_changed_file_is_told_and_no_wrong_words_are_marked(page: Page, api: FakeApi) -> None:
    key = next(key for key, origin in api.origins.items() if origin.source.endswith("leave.md"))
    api.texts[key] = "A new edition.\n\n" + api.texts[key]
    open_source(page, LEAVE)
    notice = page.locator("#source .notice")
    expect(notice).to_contain_text("changed since")
    expect(notice.locator("blockquote")).to_have_text("thirty days")
    expect(page.locator("#source li").first).to_have_text("A new edition.")
    expect(page.locator("#source mark")).to_have_count(0)


def test_a_change_elsewhere_in_the_file_is_told(page: Page, api: FakeApi) -> None:
    answer = api.replies[LEAVE]["answers"][0]
    answer["citation"]["text_sha256"] = "0" * 64
    open_source(page, LEAVE)
    expect(page.locator("#source .notice")).to_contain_text("still stand here")
    assert marked(page) == "thirty days"


def test_a_forgotten_file_is_told(page: Page, api: FakeApi) -> None:
    page.goto("/")
    page.fill("#question", LEAVE)
    page.press("#question", "Enter")
    cite = page.locator(".reply .cite").first
    expect(cite).to_be_visible()
    api.texts.clear()
    cite.click()
    expect(page.locator("#source .notice")).to_contain_text("No such document")


def test_documents_are_listed_and_open(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#show-documents")).to_have_text("2 documents")
    rows = page.locator("#documents .row")
    expect(rows.first).to_have_text(
        "Leave and absencehandbook/leave.md2026-03-01 · 6 paragraphs · 432B"
    )
    rows.nth(1).click()
    expect(page.locator("#source li")).to_have_count(4)
    expect(page.locator("#source mark")).to_have_count(0)


def test_many_documents_come_in_pages(page: Page, api: FakeApi) -> None:
    for number in range(150):
        api.add(f"{number}.txt", "One.")
    page.goto("/")
    expect(page.locator("#show-documents")).to_have_text("152 documents")
    rows = page.locator("#documents .row")
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(152)
    expect(rows.nth(100)).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def test_an_empty_index_says_what_to_do(page: Page, api: FakeApi) -> None:
    api.texts.clear()
    page.goto("/")
    expect(page.locator("#documents-state")).to_contain_text("rag ingest FOLDER")
    expect(page.locator("#documents")).to_be_hidden()


def test_the_list_waits_for_a_server_that_still_reads_files(page: Page, api: FakeApi) -> None:
    api.fail("/v1/documents", 503, "reading files: 3 of 9", Retry_After="0")
    page.goto("/")
    expect(page.locator("#show-documents")).to_have_text("2 documents")
    expect(page.locator("#documents-state")).to_be_empty()


@pytest.fixture
def four(api: FakeApi) -> FakeApi:
    """A question whose reply quotes one file four times, one of them in its passages twice."""
    text = "\n\n".join(f"Rule {number} 🧭 says: never." for number in range(1, 200))
    origin = api.add("rules.txt", text)
    other = api.add("other.txt", "Rule 5 says: always.")
    cites = [api.cite(origin, f"Rule {number} 🧭 says: never.") for number in (150, 7, 31)]
    answer = api.answer(origin, "Rule 99", "Rule 99 🧭 says: never.")
    api.reply("Rules?", answer, passages=(*cites, api.cite(other, "Rule 5"), cites[1]))
    return api


def steps(page: Page) -> str:
    return page.locator("#source .steps").inner_text().replace("\n", " ")


@pytest.mark.usefixtures("four")
def test_the_other_quotes_of_a_file_are_a_step_away(page: Page) -> None:
    open_source(page, "Rules?")
    assert marked(page) == "Rule 99"
    expect(page.locator("#source .steps [role=status]")).to_have_text("3 of 4")
    expect(page.locator("#source mark")).to_be_focused()
    following = page.get_by_role("button", name="Next quote")
    following.focus()
    for rule, place in ((150, "4 of 4"), (7, "1 of 4"), (31, "2 of 4")):
        page.keyboard.press("Enter")
        expect(page.locator("#source .steps [role=status]")).to_have_text(place)
        assert marked(page).startswith(f"Rule {rule} ")
        expect(page.locator("#source .place")).to_have_text(f"paragraph {rule}")
        assert page.locator("#source p mark").evaluate(SEEN)
        expect(following).to_be_focused()
    page.get_by_role("button", name="Previous quote").click()
    assert marked(page).startswith("Rule 7 ")


def test_one_quote_has_no_steps(page: Page) -> None:
    open_source(page, LEAVE)
    page.get_by_role("button", name="Next quote").click()
    page.keyboard.press("Escape")
    page.locator(".answer .cite").nth(1).click()
    assert marked(page) == "within thirty days"
    page.keyboard.press("Escape")
    page.locator("#documents summary").click()
    page.locator("#documents .row").first.click()
    expect(page.locator("#source li").first).to_be_visible()
    expect(page.locator("#source .tools")).to_be_hidden()


def test_the_page_stands_in_the_margin(page: Page, api: FakeApi) -> None:
    origin = api.add("paged.pdf", "One.\n\nTwo.")
    api.reply("Paged?", api.answer(origin, "Two", "Two.", page=12))
    open_source(page, "Paged?")
    expect(page.locator("#source li:has(mark)")).to_have_attribute("data-page", "p. 12")


@pytest.mark.usefixtures("four")
def test_the_address_opens_the_source_at_the_words(page: Page) -> None:
    open_source(page, "Rules?")
    assert marked(page) == "Rule 99"
    shared = page.url
    page.goto("about:blank")
    page.goto(shared)
    assert marked(page) == "Rule 99"
    expect(page.locator("#source h2")).to_have_text("rules")
    expect(page.locator("#source .facts")).to_have_text("rules.txtparagraph 992026-03-01")
    expect(page.locator("#source .notice")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#question")).to_be_focused()
    assert page.url.endswith("/#")


def test_a_shared_address_marks_nothing_in_a_changed_file(page: Page, api: FakeApi) -> None:
    open_source(page, LEAVE)
    assert marked(page) == "thirty days"
    shared = page.url
    api.add("handbook/leave.md", "A new edition.\n\n" + next(iter(api.texts.values())))
    page.goto("about:blank")
    page.goto(shared)
    expect(page.locator("#source .notice")).to_contain_text("changed since the link was made")
    expect(page.locator("#source li").first).to_have_text("A new edition.")
    expect(page.locator("#source mark")).to_have_count(0)
    expect(page.locator("#source .tools")).to_be_hidden()


@pytest.mark.usefixtures("four")
def test_back_closes_the_source_and_forward_opens_it(page: Page) -> None:
    open_source(page, "Rules?")
    assert marked(page) == "Rule 99"
    page.get_by_role("button", name="Next quote").click()
    assert marked(page).startswith("Rule 150 ")
    page.go_back()
    expect(page.locator("#source")).to_be_hidden()
    expect(page.locator(".turn")).to_have_count(1)
    page.go_forward()
    assert marked(page).startswith("Rule 150 ")
    expect(page.locator("#source .place")).to_have_text("paragraph 150")


def test_closing_and_opening_again_leaves_one_step_behind(page: Page) -> None:
    page.goto("/")
    before = page.evaluate("history.length")
    for _ in range(3):
        page.locator("#documents .row").first.click()
        expect(page.locator("#source li").first).to_be_visible()
        page.keyboard.press("Escape")
    assert page.evaluate("history.length") == before + 1


ADDRESSES = ["d=..", "d=%2e%2e%2fstatus", "d=x&s=-1&e=9e99&t=0", "d=%F0%9F%A7%AD&s=NaN", "d=<b>"]


@pytest.mark.parametrize("hash_", ADDRESSES)
def test_an_address_that_names_nothing_says_so(page: Page, hash_: str) -> None:
    page.goto(f"/#{hash_}")
    expect(page.locator("#source .notice")).to_contain_text("Not here")
    expect(page.locator("#source mark")).to_have_count(0)


@pytest.mark.parametrize("places", ["s=3&e=1", "s=-5&e=3", "s=1&e=99999", "s=x&e=y", "s=5", "e=4"])
def test_an_address_with_odd_places_opens_the_document(
    page: Page, api: FakeApi, places: str
) -> None:
    origin = api.add("astral.txt", "🧭🧭 One.")
    page.goto(f"/#d={origin.document_id}&{places}")
    expect(page.locator("#source li")).to_have_text("🧭🧭 One.")
    expect(page.locator("#source h2")).to_have_text("astral")
