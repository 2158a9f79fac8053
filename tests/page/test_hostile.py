"""Hostile words stay words: nothing fires, with the content security policy on and off."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page.payloads import FIRING, INERT

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

    from tests.page.conftest import FakeApi

PAGE = Path(__file__).parents[2] / "api" / "page"
SETTLE = "() => new Promise((done) => setTimeout(done, 150))"


def fill_every_field(api: FakeApi, payload: str) -> None:
    sentence = f"It says {payload} here."
    origin = api.add(f"folder/{payload}", f"Before.\n\n{sentence}\n\nAfter.", payload)
    origin = replace(origin, collection=payload, date=payload, loader=payload)
    api.origins[origin.document_id] = origin
    citation = replace(api.cite(origin, payload, sentence), heading=(payload,), page=1)
    citation = replace(citation, page_label=payload)
    answer = replace(api.answer(origin, payload, sentence), citation=citation)
    both = (answer, replace(answer, also_in=(citation,)))
    api.reply(payload, *both, passages=(citation,), rewritten=f"In full {payload}")
    api.reply(f"Not {payload}", passages=(citation,), reason=payload)


@pytest.mark.parametrize("policy", ["on", "off"])
def test_nothing_fires(page: Page, api: FakeApi, policy: str) -> None:
    if policy == "off":
        api.policy = None
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    payloads = [*FIRING, *INERT]
    assert len(payloads) >= 120
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    for payload in payloads:
        fill_every_field(api, payload)
        api.fail("/v1/documents", 415, payload)
    api.collections = ("default", *payloads)
    api.fail("/v1/ask", 422, " ".join(payloads))
    page.goto(f"/?q={FIRING[0]}#{FIRING[5]}&type={FIRING[3]}&folder={FIRING[1]}")
    page.locator("#narrow > summary").click()
    refused = payloads[::5]
    page.evaluate(JOURNEY, [payloads, refused])
    page.evaluate(SETTLE)
    assert page.evaluate("window.hasFired") is None
    assert dialogs == []
    assert page.locator("img:not(header img), svg, iframe, video, main script").count() == 0
    assert page.locator(".turn").count() == len(payloads) + len(refused) + 1
    assert page.evaluate("window.shown") == payloads
    own = page.url.split("/")[2]
    assert {url.split("/")[2] for url in sent} == {own}
    assert page.locator("#uploads li").count() == len(payloads)
    assert page.locator("#narrow option").count() > len(payloads)


# Asks each payload, then opens its source; the first question meets the failure.
JOURNEY = """async ([payloads, refused]) => {
  const until = async (found) => {
    for (;;) {
      const value = found();
      if (value) return value;
      await new Promise((done) => setTimeout(done, 2));
    }
  };
  const box = document.querySelector("#question");
  const ask = async (question) => {
    box.value = question;
    document.querySelector("#composer").requestSubmit();
    const turn = document.querySelector(".turn:last-child");
    await until(() => !turn.hasAttribute("aria-busy"));
    return turn;
  };
  await ask(payloads[0]);
  const files = new DataTransfer();
  for (const payload of payloads) files.items.add(new File([payload], payload));
  const chosen = document.querySelector("#adding input");
  chosen.files = files.files;
  chosen.dispatchEvent(new Event("change"));
  window.shown = [];
  for (const payload of payloads) {
    const turn = await ask(payload);
    turn.querySelector(".cite").click();
    const mark = await until(() => document.querySelector("#source p mark"));
    if (turn.querySelector("mark").textContent === mark.textContent) {
      window.shown.push(mark.textContent);
    }
    document.querySelector("#source .close").click();
  }
  for (const payload of refused) await ask(`Not ${payload}`);
  const panel = document.querySelector("#uploads");
  await until(() => !panel.querySelector(".waiting"));
}"""


CONTROL = """async (payloads) => {
  const silent = [];
  for (const payload of payloads) {
    window.hasFired = false;
    document.body.innerHTML = `<p>${payload}</p>`;
    for (let waited = 0; !window.hasFired && waited < 500; waited += 1) {
      await new Promise((done) => setTimeout(done, 4));
    }
    if (!window.hasFired) silent.push(payload);
  }
  return silent;
}"""


def test_the_payloads_would_fire_where_markup_is_made(page: Page) -> None:
    """The control: as raw innerHTML, without the policy, the same words do fire."""
    page.goto("about:blank")
    assert page.evaluate(CONTROL, FIRING) == []


def test_a_name_shows_what_would_disguise_it(page: Page, api: FakeApi) -> None:
    api.add("invoice\u202egnp.exe", "One.", "two\nlines\u2066")
    page.goto("/")
    row = page.locator("#documents .row").last
    row.wait_for()
    names = row.locator("bdi").all_text_contents()
    assert names == ["two[U+000A]lines[U+2066]", "invoice[U+202E]gnp.exe"]


def test_the_page_uses_nothing_that_makes_markup_or_code() -> None:
    sinks = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
        r"|DOMParser|createContextualFragment|setHTMLUnsafe"
    )
    for path in PAGE.glob("*.js"):
        assert not sinks.search(path.read_text("utf-8")), path.name
    html = (PAGE / "index.html").read_text("utf-8")
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:|https?://", html)
    assert re.findall(r"<script[^>]*>(?!</script>)", html) == []


def test_the_whole_page_is_flat() -> None:
    html = (PAGE / "index.html").read_text("utf-8")
    assert "page/" not in re.sub(r'(?:href|src)="page/[^"/]+"', "", html)
    for path in PAGE.glob("*.js"):
        for name in re.findall(r'from "([^"]+)"', path.read_text("utf-8")):
            assert (PAGE / name).is_file()
