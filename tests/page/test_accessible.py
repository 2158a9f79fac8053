"""For everyone: nothing serious for axe-core in any state; small, large and printed pages hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.page.conftest import FakeApi, Server

AXE = Path(pytest.importorskip("axe_playwright_python").__file__).with_name("axe.min.js")
LOOKS = {"light": (1280, 800), "dark": (1280, 800), "narrow": (320, 640)}
SERIOUS = {"serious", "critical"}
ASKED = "How many days of leave do I get?"
UNKNOWN = "Who paints the walls?"


@pytest.fixture(params=LOOKS)
def seen(
    browser: Browser, server: Server, api: FakeApi, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A tab whose policy lets axe-core in: nothing else is judged there."""
    api.policy = None
    width, height = LOOKS[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        base_url=f"http://127.0.0.1:{server.server_port}",
        color_scheme="dark" if request.param == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def faults(page: Page) -> list[tuple[str, Any]]:
    """What axe-core calls serious or critical: the rule and where it is broken."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found
        if one["impact"] in SERIOUS
    ]


def ask(page: Page, question: str) -> None:
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn").last.locator(".reply, .problem").wait_for()


def _loaded(page: Page, _: FakeApi) -> None:
    page.locator("#documents .row").first.wait_for()


def _empty(page: Page, api: FakeApi) -> None:
    api.texts.clear()
    page.reload()
    page.locator("#documents-state pre").wait_for()


def _answered(page: Page, _: FakeApi) -> None:
    ask(page, ASKED)


def _not_found(page: Page, _: FakeApi) -> None:
    ask(page, UNKNOWN)
    page.locator(".feedback button", has_text="Wrong").click()


def _rewritten(page: Page, api: FakeApi) -> None:
    api.replies["And travel?"] = {**api.replies[ASKED], "rewritten": "How long is travel?"}
    ask(page, ASKED)
    ask(page, "And travel?")
    page.locator(".rewritten").wait_for()


def _in_trouble(page: Page, api: FakeApi) -> None:
    api.fail("/v1/ask", 429, "too many at once", Retry_After="50")
    ask(page, ASKED)


def _narrowed(page: Page, _: FakeApi) -> None:
    page.locator("#narrow > summary").click()
    page.locator("#narrow select[name=folder]").select_option("handbook")
    page.locator("#chips button").wait_for()


def _source(page: Page, _: FakeApi) -> None:
    ask(page, ASKED)
    page.locator(".turn .cite").first.click()
    page.locator("#source p mark").wait_for()


def _added(page: Page, _: FakeApi) -> None:
    files: list[Any] = [
        {"name": name, "mimeType": "text/plain", "buffer": b"Tea is at four."}
        for name in ("tea.txt", "tea.exe")
    ]
    page.locator("#adding input").set_input_files(files)
    page.locator("#uploads .refused").wait_for()


def _removed(page: Page, _: FakeApi) -> None:
    page.locator("#documents li .close").first.click()
    page.locator("#documents .gone button").wait_for()


def _token(page: Page, api: FakeApi) -> None:
    api.token = "secret"  # noqa: S105
    page.reload()
    page.locator("#token[open]").wait_for()


STATES: dict[str, Callable[[Page, FakeApi], None]] = {
    "loaded": _loaded,
    "empty": _empty,
    "answered": _answered,
    "not found": _not_found,
    "rewritten": _rewritten,
    "in trouble": _in_trouble,
    "narrowed": _narrowed,
    "source": _source,
    "files added": _added,
    "document removed": _removed,
    "token": _token,
}


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_serious(seen: Page, api: FakeApi, state: str) -> None:
    seen.goto("/")
    seen.locator("#documents .row").first.wait_for()
    STATES[state](seen, api)
    assert faults(seen) == []
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert seen.evaluate(overflow) == 0


def test_axe_would_find_it(seen: Page) -> None:
    """The control: grey on grey, and a button without a name."""
    seen.goto("/")
    seen.evaluate(
        "() => { const p = document.createElement('p'); p.textContent = 'faint';"
        "p.setAttribute('style', 'color: #999; background: #aaa');"
        "document.querySelector('main').append(p, document.createElement('button')); }"
    )
    assert {rule for rule, _ in faults(seen)} == {"color-contrast", "button-name"}


def test_a_conversation_by_keyboard_alone(page: Page) -> None:
    page.goto("/")
    page.locator("#documents .row").first.wait_for()
    page.keyboard.type(ASKED)
    page.keyboard.press("Enter")
    page.locator(".turn .cite").first.wait_for()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.reply > .answer > .cite')"):
            break
    page.keyboard.press("Enter")
    page.locator("#source p mark").wait_for()
    assert page.locator("#source p mark").text_content() == "thirty days"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('.cite')")
    page.keyboard.press("/")
    page.keyboard.type(UNKNOWN)
    page.keyboard.press("Enter")
    page.locator(".not-found").wait_for()
    assert page.evaluate("document.activeElement.id") == "question"


def test_nothing_moves_where_that_is_asked_for(page: Page, api: FakeApi) -> None:
    page.goto("/")
    ask(page, ASKED)
    moving = "document.getAnimations().filter((one) => one.effect.getTiming().duration > 0).length"
    assert page.evaluate(moving) == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert api.asked


def test_lines_stay_short_on_a_very_large_screen(page: Page) -> None:
    page.set_viewport_size({"width": 3840, "height": 2160})
    page.goto("/")
    ask(page, ASKED)
    letters = (
        "() => { const box = document.querySelector('.reply > .answer > blockquote');"
        "const size = parseFloat(getComputedStyle(box).fontSize);"
        "return box.clientWidth / (size / 2); }"
    )
    assert 40 < page.evaluate(letters) < 110
    page.set_viewport_size({"width": 1280, "height": 800})


def test_what_is_printed(page: Page) -> None:
    page.goto("/")
    ask(page, ASKED)
    page.emulate_media(media="print")
    for hidden in (".composer", ".bar", ".feedback", "#documents"):
        assert not page.locator(hidden).first.is_visible(), hidden
    for shown in (".turn > h2", ".reply > .answer > blockquote", ".reply > .answer > .cite"):
        assert page.locator(shown).first.is_visible(), shown
    page.emulate_media(media="screen")


def test_text_that_runs_from_right_to_left(page: Page, api: FakeApi) -> None:
    sentence = "الإجازة السنوية ثلاثون يوما."
    leave = api.add("دليل/إجازة.txt", f"مقدمة\n\n{sentence}\n", "دليل الإجازة")
    api.reply("كم يوما؟", api.answer(leave, "ثلاثون يوما", sentence, confidence=0.9))
    page.goto("/")
    ask(page, "كم يوما؟")
    for where in (".turn > h2", ".answer blockquote", ".answer .cite bdi"):
        assert (
            page.locator(where).first.evaluate("(one) => getComputedStyle(one).direction") == "rtl"
        )
    page.locator(".turn .cite").first.click()
    assert page.locator("#source p mark").text_content() == "ثلاثون يوما"
