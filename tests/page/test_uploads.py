"""Bringing files: chosen or dropped, one by one, each with its outcome in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright")
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

if TYPE_CHECKING:
    from tests.page.conftest import FakeApi

DRAG = """([files, events]) => {
  const data = new DataTransfer();
  let taken;
  for (const [name, text] of files) data.items.add(new File([text], name));
  for (const kind of events) {
    const how = { dataTransfer: data, bubbles: true, cancelable: true };
    taken = !document.querySelector("#question").dispatchEvent(new DragEvent(kind, how));
  }
  return taken;
}"""


def file(name: str, text: str) -> FilePayload:
    return {"name": name, "mimeType": "", "buffer": text.encode()}


def choose(page: Page, *files: FilePayload) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add files").click()
    chooser.value.set_files(list(files))


def drop(page: Page, *names: str) -> None:
    page.evaluate(DRAG, [[[name, f"Of {name}."] for name in names], ["dragover", "drop"]])


def outcomes(page: Page) -> Locator:
    return page.locator("#uploads li")


def tally(page: Page) -> Locator:
    return page.locator("#uploads > p")


def test_each_file_has_its_outcome(page: Page, api: FakeApi) -> None:
    api.add("kept.txt", "Kept.")
    api.add("changed.txt", "It was red.")
    page.goto("/")
    choose(
        page,
        file("new.md", "# New 🧭"),
        file("kept.txt", "Kept."),
        file("changed.txt", "It is blue."),
        file("tool.exe", "MZ"),
    )
    expect(tally(page)).to_have_text("1 added, 1 replaced, 1 unchanged, 1 refused")
    expect(outcomes(page)).to_have_text(
        [
            "new.mdadded",
            "kept.txtunchanged",
            "changed.txtreplaced",
            "tool.exeunsupported type: save it as text",
        ]
    )
    expect(page.locator("#announcer")).to_have_text("1 added, 1 replaced, 1 unchanged, 1 refused")
    expect(page.locator("#show-documents")).to_have_text("5 documents")
    assert [name for name, _, _ in api.uploads] == ["new.md", "kept.txt", "changed.txt", "tool.exe"]
    assert api.uploads[0][1:] == ("# New 🧭".encode(), "default")


def _job(state: str, encoded: int, *results: Any, detail: str | None = None) -> dict[str, Any]:
    return {
        "id": "5b0c",
        "state": state,
        "passages_encoded": encoded,
        "results": list(results),
        "detail": detail,
    }


def test_a_large_file_is_watched_until_it_is_through(
    page: Page, api: FakeApi, until: Callable[[Callable[[], bool]], None]
) -> None:
    added = {
        "source": "large.txt",
        "status": "added",
        "document_id": "0",
        "reason": None,
        "note": None,
    }
    api.jobs = [_job("waiting", 0), _job("running", 64), _job("done", 80, added)]
    held: list[Route] = []
    page.route("**/v1/jobs/*", lambda route: held.append(route))  # noqa: PLW0108 - it is looked into
    page.goto("/")
    drop(page, "large.txt")
    for words in ("0 passages read…", "64 passages read…"):
        expect(outcomes(page)).to_have_text([f"large.txt{words}"])
        until(lambda: bool(page.evaluate("1") and held))  # handlers run in calls of Playwright's
        held.pop().continue_()
    expect(tally(page)).to_have_text("1 added")
    assert api.jobs == []


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (_job("failed", 9, detail="no room left"), "Unsent. Not added. No room left."),
        (_job("cancelled", 9), "Unsent. Not added. The server stopped before it was through."),
    ],
)
def test_a_job_that_comes_to_nothing_says_so(
    page: Page, api: FakeApi, end: dict[str, Any], told: str
) -> None:
    api.jobs = [_job("running", 1), end]
    page.goto("/")
    drop(page, "large.txt")
    expect(outcomes(page)).to_have_text([f"large.txt{told}"])


def test_what_was_not_read_of_a_file_is_told(page: Page) -> None:
    page.goto("/")
    choose(page, file("half-scanned.txt", "Half."))
    expect(tally(page)).to_have_text("1 added")
    expect(outcomes(page)).to_have_text(["half-scanned.txt1 of 2 pages has no text: 2"])


def test_files_go_to_the_collection_that_is_chosen(page: Page, api: FakeApi) -> None:
    api.collections = ("default", "zoo")
    page.goto("/")
    page.click("#narrow summary")
    page.get_by_label("Collection").select_option("zoo")
    drop(page, "zebra.txt")
    expect(tally(page)).to_have_text("1 added")
    assert [collection for _, _, collection in api.uploads] == ["zoo"]


def test_files_are_dropped_anywhere_and_nothing_typed_is_lost(page: Page, api: FakeApi) -> None:
    page.goto("/")
    expect(page.locator("#adding")).to_be_visible()  # files are taken from then on
    page.fill("#question", "Half a quest")
    assert page.evaluate(DRAG, [[["one.txt", "One."]], ["dragover"]])
    expect(page.locator("body")).to_have_class("dropping")
    drop(page, "one.txt", "two.txt")
    expect(page.locator("body")).not_to_have_class("dropping")
    expect(tally(page)).to_have_text("2 added")
    expect(page.locator("#question")).to_have_value("Half a quest")
    page.get_by_role("button", name="Close the list of added files").click()
    expect(page.locator("#uploads")).to_be_hidden()
    expect(page.locator("#question")).to_be_focused()
    assert len(api.uploads) == 2


def test_what_is_dropped_later_is_sent_after(page: Page, api: FakeApi) -> None:
    page.goto("/")
    expect(page.locator("#documents .row")).to_have_count(2)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/documents", hold, times=1)
    drop(page, "one.txt", "two.txt")
    drop(page, "three.txt")
    expect(tally(page)).to_have_text("Adding 1 of 3")
    held[0].continue_()
    expect(tally(page)).to_have_text("3 added")
    assert [name for name, _, _ in api.uploads] == ["one.txt", "two.txt", "three.txt"]


def test_the_rest_is_cancelled(page: Page, api: FakeApi) -> None:
    page.goto("/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/documents", hold)
    drop(page, "one.txt", "two.txt", "three.txt")
    expect(tally(page)).to_have_text("Adding 1 of 3")
    page.get_by_role("button", name="Cancel the rest").click()
    expect(tally(page)).to_be_focused()
    held[0].continue_()
    expect(tally(page)).to_have_text("1 added, 2 unsent")
    expect(outcomes(page)).to_have_text(["one.txtadded", "two.txtunsent", "three.txtunsent"])
    assert [name for name, _, _ in api.uploads] == ["one.txt"]


def test_a_folder_is_refused_in_words(page: Page, api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook" / "a.txt").write_text("One.", "utf-8")
    (tmp_path / "beside.txt").write_text("Two.", "utf-8")
    page.goto("/")
    expect(page.get_by_role("button", name="Add files")).to_be_visible()
    devtools = page.context.new_cdp_session(page)
    dropped = [str(tmp_path / name) for name in ("handbook", "beside.txt")]
    for kind in ("dragEnter", "dragOver", "dragOver", "drop"):
        data = {"items": [], "files": dropped, "dragOperationsMask": 1}
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 300, "data": data})
    expect(tally(page)).to_have_text("1 added, 1 refused")
    expect(outcomes(page).first).to_contain_text("handbookFolders can't be added here")
    assert [name for name, _, _ in api.uploads] == ["beside.txt"]


REFUSALS = {
    413: ("larger than 100 MB: send fewer", "one.txtlarger than 100 MB: send fewer"),
    415: ("no text", "one.txtno text"),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_concerns_one_file(page: Page, api: FakeApi, status: int) -> None:
    detail, words = REFUSALS[status]
    page.goto("/")
    expect(page.locator("#documents .row")).to_have_count(2)
    api.fail("/v1/documents", status, detail)
    drop(page, "one.txt", "two.txt")
    expect(outcomes(page)).to_have_text([words, "two.txtadded"])


ENDS = {403: "This token may not do that", 507: "The server's disk is full"}


@pytest.mark.parametrize("status", ENDS)
def test_what_no_file_can_pass_ends_the_sending(page: Page, api: FakeApi, status: int) -> None:
    page.goto("/")
    expect(page.locator("#documents .row")).to_have_count(2)
    api.fail("/v1/documents", status, "make room")
    drop(page, "one.txt", "two.txt")
    expect(tally(page)).to_have_text("2 unsent")
    expect(outcomes(page).first).to_contain_text(f"Unsent. {ENDS[status]}")
    assert api.uploads == []


def test_a_server_that_is_away_is_told(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#documents .row")).to_have_count(2)
    page.route("**/v1/**", lambda route: route.abort())
    drop(page, "one.txt", "two.txt")
    expect(tally(page)).to_have_text("2 unsent")
    expect(outcomes(page).first).to_contain_text("The server can't be reached")


def test_a_pause_that_the_server_asks_for_is_kept(page: Page, api: FakeApi) -> None:
    page.clock.install()
    page.goto("/")
    expect(page.locator("#documents .row")).to_have_count(2)
    api.fail("/v1/documents", 429, "slower", Retry_After="30")
    drop(page, "one.txt", "two.txt")
    expect(outcomes(page).first).to_have_text("one.txtthe server asks for a pause of 30 seconds…")
    page.clock.run_for(29_000)
    assert api.uploads == []
    page.clock.run_for(2_000)
    expect(tally(page)).to_have_text("2 added")


def test_where_nothing_may_be_added_nothing_can_be_dropped(page: Page, api: FakeApi) -> None:
    api.writable = False
    page.goto("/")
    expect(page.locator("#documents .row")).to_have_count(2)
    assert page.evaluate(DRAG, [[["one.txt", "One."]], ["dragover"]]), "the browser would open it"
    expect(page.locator("body")).not_to_have_class("dropping")


def test_the_first_files_come_by_the_page(page: Page, api: FakeApi) -> None:
    api.texts.clear()
    page.goto("/")
    expect(page.locator("#documents-state")).to_contain_text("No files are indexed yet")
    choose(page, file("one.txt", "One."))
    expect(page.locator("#show-documents")).to_have_text("1 document")
    expect(page.locator("#documents-state")).to_be_empty()


def test_outcomes_make_room_for_a_question(page: Page) -> None:
    page.goto("/")
    drop(page, "one.txt")
    expect(tally(page)).to_have_text("1 added")
    page.fill("#question", "Who paints the walls?")
    page.press("#question", "Enter")
    expect(page.locator("#uploads")).to_be_hidden()


def test_hostile_names_are_words(page: Page) -> None:
    page.goto("/")
    drop(page, "<img src=x onerror=fired()>.txt", "invoice\u202egnp.txt")
    expect(outcomes(page).first).to_contain_text("<img src=x onerror=fired()>.txt")
    expect(outcomes(page).last).to_contain_text("invoice[U+202E]gnp.txt")
    assert page.evaluate("window.hasFired") is None


def test_a_mail_tells_what_became_of_its_attachments(page: Page, api: FakeApi) -> None:
    assert api.uploads == []
    page.goto("/")
    results = [
        {"source": "m.eml", "status": "added", "document_id": "0" * 32, "reason": None},
        {"source": "m.eml/a.pdf", "status": "added", "document_id": "1" * 32, "reason": None},
        {"source": "m.eml/b.png", "status": "refused", "document_id": None, "reason": "a picture"},
        {"source": "m.eml/c.txt", "status": "removed", "document_id": "2" * 32, "reason": None},
    ]
    page.route(
        "**/v1/documents",
        lambda route: (
            route.fulfill(status=201, json={"results": results})
            if route.request.method == "POST"
            else route.fallback()
        ),
    )
    choose(page, file("m.eml", "From: a"))
    expect(outcomes(page)).to_have_text(["m.emladded with 1 attachment; b.png: a picture"])
    expect(tally(page)).to_have_text("1 added")
