"""The report in a real browser, opened from disk with the network cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from markupsafe import Markup
from playwright.sync_api import Browser, Page, expect

from rag.evaluation.report import page as report
from rag.evaluation.report.page import render

if TYPE_CHECKING:
    from tests.evaluation.report.conftest import Sample

_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
window.fired = () => { window.hasFired = true; };
"""
_FIRING = [
    "<img src=x onerror=fired()>",
    '"><img src=x onerror=fired()>',
    "'><img src=x onerror=fired()>",
    "</script><script>fired()</script>",
    "</style><svg onload=fired()></svg>",
    "</title><img src=x onerror=fired()>",
    "</select></textarea><img src=x onerror=fired()>",
    "<details open ontoggle=fired()>x</details>",
    "{{ ''.__class__ }}{% raw %}${fired()}",
    "\u202e\u2066<img src=x onerror=fired()>",
]
_SHOWN = "#rows > li:not([hidden])"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab that must end without a message, a script error, a refused load or any request."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, offline=True, reduced_motion="reduce"
    )
    context.add_init_script(_WATCH)
    page = context.new_page()
    page.set_default_timeout(10_000)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: told.append(request.url))
    yield page
    told += page.evaluate("window.violations")
    address = page.url.partition("#")[0]
    context.close()
    assert [line for line in told if line != address] == []


@pytest.fixture(scope="module")
def html(sample: type[Sample]) -> str:
    return render(sample.run(), sample.comparison())


@pytest.fixture
def opened(page: Page, html: str, tmp_path: Path) -> Page:
    return _open(page, html, tmp_path)


def _open(page: Page, html: str, folder: Path) -> Page:
    file = folder / "report.html"
    file.write_text(html, "utf-8")
    page.goto(file.as_uri())
    return page


def _expect_ids(page: Page, ids: list[str]) -> None:
    expect(page.locator(f"{_SHOWN} .id > bdi:first-child")).to_have_text(ids)


def test_a_cause_shows_its_rows(opened: Page) -> None:
    expect(opened.locator("#shown")).to_have_text("6 questions")
    opened.locator("a[data-outcome=wrongly_refused]").click()
    expect(opened.locator("#shown")).to_have_text("1 of 6 questions")
    _expect_ids(opened, ["a-3"])
    expect(opened.locator("[name=outcome]")).to_have_value("wrongly_refused")
    opened.locator(_SHOWN).locator("summary").click()
    expect(opened.locator(f"{_SHOWN} .refused mark")).to_be_visible()


@pytest.mark.parametrize(
    ("field", "value", "ids"),
    [
        ("outcome", "right", ["a-1", "a-5"]),
        ("outcome", "wrong", ["a-2", "a-3", "a-4"]),
        ("outcome", "refused", ["a-3", "a-5"]),
        ("outcome", "changed", ["a-1", "a-3"]),
        ("outcome", "unjudged", ["a-6"]),
        ("answerable", "no", ["a-4", "a-5"]),
        ("tag", "paraphrase (1)", ["a-3"]),
        ("order", "surest first", ["a-1", "a-4", "a-2", "a-3", "a-5", "a-6"]),
        ("order", "fastest first", ["a-4", "a-1", "a-3", "a-5", "a-6", "a-2"]),
    ],
)
def test_filters_and_orders(opened: Page, field: str, value: str, ids: list[str]) -> None:
    opened.select_option(f"[name={field}]", value)
    _expect_ids(opened, ids)
    opened.get_by_role("button", name="Show all").click()
    expect(opened.locator(_SHOWN)).to_have_count(6)
    _expect_ids(opened, [f"a-{number}" for number in range(1, 7)])


def test_search_is_by_words_without_accents(opened: Page) -> None:
    opened.fill("[name=text]", "JOSE words")
    expect(opened.locator("#nothing")).to_be_visible()
    opened.fill("[name=text]", "jose who says")
    expect(opened.locator(_SHOWN)).to_have_count(1)
    _expect_ids(opened, ["a-2"])


def test_a_changed_question_leads_to_its_row_though_it_is_hidden(opened: Page) -> None:
    opened.select_option("[name=outcome]", "right")
    expect(opened.locator(_SHOWN)).to_have_count(2)
    opened.get_by_role("link", name="How much leave is there?").press("Enter")
    expect(opened.locator("#q3 mark")).to_be_in_viewport()
    expect(opened.locator(_SHOWN)).to_have_count(6)


def test_by_keys(opened: Page) -> None:
    opened.keyboard.press("Tab")
    expect(opened.get_by_role("link", name="Skip to the questions")).to_be_focused()
    opened.keyboard.press("Enter")
    opened.keyboard.press("Tab")
    expect(opened.locator("[name=text]")).to_be_focused()
    opened.locator("#q2 summary").focus()
    opened.keyboard.press("Enter")
    expect(opened.locator("#q2 mark")).to_be_visible()
    opened.get_by_role("button", name="Open all shown").press("Space")
    expect(opened.locator("#rows details[open]")).to_have_count(6)


@pytest.mark.parametrize("escaped", [True, False])
def test_nothing_fires(
    browser: Browser,
    sample: type[Sample],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    escaped: bool,
) -> None:
    """With the policy off; the same page without the escape fires, so these payloads can."""
    rows = []
    for number, payload in enumerate(_FIRING):
        answer = sample.answer(payload, f"It says {payload} here.", f"It says {payload} here.")
        answer |= {"source": payload, "heading": [payload]}
        rows.append(sample.row(f"{payload}{number}", payload, tags=[payload], answers=[payload],
                               answer=answer, right=False, detail=payload))  # fmt: skip
    monkeypatch.setattr(report, "_policy", lambda *_: "script-src 'unsafe-inline'")
    if not escaped:
        monkeypatch.setattr(report, "_visible", Markup)
    report._template.cache_clear()
    html = render(sample.run(rows))
    report._template.cache_clear()
    tab = browser.new_context(offline=True).new_page()
    tab.add_init_script(_WATCH)
    _open(tab, html, tmp_path)
    tab.evaluate("() => new Promise((done) => setTimeout(done, 150))")
    fired = tab.evaluate("window.hasFired")
    if escaped:
        assert fired is None
        assert tab.locator("img").count() == 0
        assert tab.locator("#rows .asked").all_text_contents() == _FIRING
        assert tab.locator("#rows mark").all_text_contents() == _FIRING
    else:
        assert fired is True
    tab.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_is_legible(opened: Page, width: int, scheme: str) -> None:
    opened.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened.set_viewport_size({"width": width, "height": 780})
    opened.get_by_role("button", name="Open all shown").click()
    assert opened.evaluate("document.compatMode") == "CSS1Compat"
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.evaluate(_LEAST_CONTRAST) >= 4.5
    assert opened.evaluate(_SMALLEST_PLOT_TYPE) >= 8


def test_endless_words_fit_a_phone(page: Page, sample: type[Sample], tmp_path: Path) -> None:
    endless = "w" * 3000
    answer = sample.answer(endless, endless, endless) | {"source": endless, "heading": [endless]}
    row = sample.row(endless, endless, answers=[endless], tags=[endless], answer=answer,
                     right=False, detail=endless)  # fmt: skip
    run = sample.run([row])
    run["question_set"]["path"] = run["settings"]["reader"] = run["weight_free"]["reader"] = endless
    run["metrics"][endless] = 0.5
    page.set_viewport_size({"width": 360, "height": 780})
    _open(page, render(run), tmp_path)
    page.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


# Of the words of the page and of the plots, against the page.
_LEAST_CONTRAST = """() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const ratio = (color) => {
    const [one, other] = [light(color), paper].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  };
  const words = document.querySelectorAll(
    "p, dd, dt, h2, h3, a, td, th, .state, .asked, .facts, svg.plot text");
  return Math.min(...Array.from(words, (node) => {
    const style = getComputedStyle(node);
    return ratio(node.matches("text") ? style.fill : style.color);
  }));
}"""
_SMALLEST_PLOT_TYPE = """() => Math.min(...Array.from(
  document.querySelectorAll("svg.plot text"),
  (node) => {
    const { a, b } = node.getScreenCTM();
    return parseFloat(getComputedStyle(node).fontSize) * Math.hypot(a, b);
  }))"""


def test_it_can_be_read_without_a_script(browser: Browser, html: str, tmp_path: Path) -> None:
    tab = browser.new_context(offline=True, java_script_enabled=False).new_page()
    _open(tab, html, tmp_path)
    expect(tab.locator("#filters")).to_be_hidden()
    expect(tab.locator("#rows > li")).to_have_count(6)
    tab.locator("#q1 summary").click()
    expect(tab.locator("#q1 mark")).to_be_visible()
    tab.context.close()


def test_paper_shows_the_rows_opened_and_no_filter(opened: Page) -> None:
    opened.emulate_media(media="print", color_scheme="dark")
    expect(opened.locator("#filters")).to_be_hidden()
    assert opened.locator("#q1 mark").bounding_box() is not None
    assert opened.evaluate("getComputedStyle(document.body).color") == "rgb(28, 32, 36)"


def test_thousands_of_rows_are_filtered_at_once(
    page: Page, sample: type[Sample], tmp_path: Path
) -> None:
    rows = [sample.row(f"r-{number}", f"Number {number}?") for number in range(4000)]
    _open(page, render(sample.run(rows)), tmp_path)
    page.fill("[name=text]", "r-3999")
    expect(page.locator("#shown")).to_have_text("1 of 4,000 questions", timeout=8000)
