"""What an HTML page says about itself: title, date, language."""

from __future__ import annotations

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from rag.loading.metadata import iso_date, language_tag, one_line

_TITLES = ("dcterms.title", "dc.title", "citation_title", "og:title", "title", "twitter:title")
_DATES = (
    "article:published_time", "datepublished", "dcterms.issued", "dcterms.date", "dc.date",
    "dc.date.issued", "citation_publication_date", "date", "pubdate", "dcterms.created",
    "article:modified_time", "datemodified", "dcterms.modified", "last-modified", "revised",
)  # fmt: skip
_LINKED_DATA = re.compile(r'"datePublished"\s*:\s*"(\d{4}-\d\d-\d\d)')


@dataclass(frozen=True, slots=True)
class About:
    """`title` is from the metadata, `page_title` the title element, often with the site's name."""

    title: str | None
    page_title: str | None
    date: str | None
    language: str | None


def about_page(page: LexborNode) -> About:
    """What the page's metadata, its title element and its root element say."""
    meta = _meta(page)
    element = page.css_first("head > title")
    declared = page.attributes.get("lang") or page.attributes.get("xml:lang")
    return About(
        title=next((title for name in _TITLES if (title := one_line(meta.get(name)))), None),
        page_title=one_line(element.text()) if element is not None else None,
        date=_date(page, meta),
        language=language_tag(declared or meta.get("content-language") or meta.get("og:locale")),
    )


def _date(page: LexborNode, meta: dict[str, str]) -> str | None:
    """The day of publication, else of change; a `time` element counts where it is the only one."""
    for name in _DATES:
        if day := iso_date(meta.get(name)):
            return day
    for script in page.css("script[type='application/ld+json']"):
        if found := _LINKED_DATA.search(script.text()):
            return iso_date(found[1])
    times = {iso_date(node.attributes.get("datetime")) for node in page.css("time[datetime]")}
    return times.pop() if len(times) == 1 else None


def _meta(page: LexborNode) -> dict[str, str]:
    """The page's meta entries by lower-case name; the first of a name counts."""
    entries: dict[str, str] = {}
    for node in page.css("meta[content]"):
        given = node.attributes
        name = given.get("name") or given.get("property") or given.get("http-equiv")
        name = name or given.get("itemprop") or ""
        entries.setdefault(name.strip().lower(), (given.get("content") or "").strip())
    return entries
