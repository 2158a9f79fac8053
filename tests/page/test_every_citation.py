"""Each citation of 200 answers is clicked: what the page marks is what the citation quotes.

The real application with light parts answers over files that are hard to count in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.conftest import WATCH, serving

pytest.importorskip("playwright.sync_api", reason="needs Playwright")

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ANSWERS = 200
NAMES = [a + b for a in ("zor", "mal", "ket", "bur", "fin") for b in ("van", "dek", "lop", "mir")]
PLACES = ("harbour", "museum", "library", "station", "garden", "school", "market", "bridge", "mill",
          "tower", "chapel")  # fmt: skip
SENTENCES = (
    "👩‍👩‍👧‍👦 The {place} of {name} opens at {hour} 🕰️ every day.",
    "The {place} of {name} – שלום עולם – opens at {hour} every day.",
    "The cafe\u0301 of the {place} of {name} opens at {hour} e\u0301very day.",
    "The {place} of {name}\topens\tat {hour} every day. 🏴󠁧󠁢󠁳󠁣󠁴󠁿 Nobody minds.",
    "\u200fה{place} של {name} opens at {hour} כל יום.",
    "The {place}\u2028of {name} opens at {hour} 𝔢very day.",
)
GAPS = {"lf": "\n\n", "crlf": "\r\n \r\n", "cr": "\r\r", "mixed": "\r\n\t\n\r", "bom": "\n\n"}
FILLER = "Nothing is said here 🧭 about hours, only about العربية and 𝔉raktur."


def write_corpus(folder: Path) -> list[str]:
    """Writes a file for each name and returns a question for each fact."""
    questions = []
    for number, name in enumerate(NAMES):
        style, gap = list(GAPS.items())[number % len(GAPS)]
        blocks = [f"Notes on {name} ({style})"]
        for at, place in enumerate(PLACES):
            sentence = SENTENCES[(number + at) % len(SENTENCES)]
            hour = f"{(number + at) % 24}:{5 * at:02d}"
            blocks += [sentence.format(place=place, name=name, hour=hour), FILLER]
            questions.append(f"When does the {place} of {name} open?")
        mark = "\ufeff" if style == "bom" else ""
        suffix = "md" if number % 3 == 0 else "txt"
        (folder / f"{name} {style}.{suffix}").write_bytes((mark + gap.join(blocks)).encode())
    return questions


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("corpus")
    return folder, write_corpus(folder)


@pytest.fixture(scope="module")
def address(
    corpus: tuple[Path, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where the real application listens."""
    with serving(tmp_path_factory.mktemp("home"), corpus[0]) as base:
        yield base


# Asks, opens every chip, and notes what the address says and what stands between the marks' ends.
CLICK = """async (question) => {
  const until = async (found) => {
    const end = performance.now() + 10_000;
    while (!found()) {
      if (performance.now() > end) throw new Error(`waited in vain: ${found}`);
      await new Promise((done) => setTimeout(done, 1));
    }
  };
  document.querySelector("#question").value = question;
  document.querySelector("#composer").requestSubmit();
  const turn = document.querySelector("#conversation > :last-child");
  await until(() => !turn.hasAttribute("aria-busy"));
  const seen = [];
  for (const chip of turn.querySelectorAll(".cite")) {
    chip.click();
    await until(() => document.querySelector("#source .notice").hidden);
    const marks = document.querySelectorAll("#source .text mark");
    const range = document.createRange();
    range.setStartBefore(marks[0]);
    range.setEndAfter(marks[marks.length - 1]);
    const { d, s, e } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const marked = Array.from(marks, (mark) => mark.textContent).join("");
    seen.push([d, Number(s), Number(e), range.toString(), marked]);
  }
  return seen;
}"""


def citations(reply: Any) -> list[Any]:
    found = [*reply["answers"], *reply["passages"]]
    return [one for item in found for one in [item["citation"], *item["also_in"]]]


def test_every_citation_of_200_answers_is_marked_exactly(
    browser: Browser,
    address: str,
    corpus: tuple[Path, list[str]],
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    context = browser.new_context(base_url=address, reduced_motion="reduce")
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto("/")
    answered = clicked = 0
    for question in corpus[1]:
        with page.expect_response("**/v1/ask") as asked:
            seen = page.evaluate(CLICK, question)
        reply = asked.value.json()
        cited = citations(reply)
        answered += reply["answered"]
        clicked += len(seen)
        quotes = {(one["document_id"], one["start"], one["end"]): one["quote"] for one in cited}
        assert len(seen) == len(cited)
        assert {tuple(one[:3]) for one in seen} == quotes.keys(), question
        for *place, between, marked in seen:
            assert marked == between == quotes[tuple(place)], question
    assert page.evaluate("window.violations") == []
    context.close()
    record_testsuite_property("clicked", f"{clicked} citations of {answered} answers")
    assert answered >= ANSWERS
