"""The API's documentation works offline, under a policy of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from api.middleware import DOCS_POLICY
from tests.page.conftest import WATCH, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_the_documentation_is_shown_offline(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        page = browser.new_page()
        page.add_init_script(WATCH)
        asked: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        reply = page.goto(f"{address}/docs")
        page.locator(".opblock", has_text="/v1/ask").wait_for()
        assert reply is not None
        assert reply.headers["content-security-policy"] == DOCS_POLICY
        assert all(url.startswith((f"{address}/", "data:image/")) for url in asked)
        assert page.evaluate("window.violations") == []
        assert errors == []
        page.close()
    assert "eval" not in DOCS_POLICY
    assert "script-src 'self';" in DOCS_POLICY
