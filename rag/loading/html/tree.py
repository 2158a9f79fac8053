"""What of an HTML tree is content: a walk over it that leaves out menus, banners and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

# fmt: off
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
    "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "legend", "li", "main", "menu",
    "ol", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "ul",
})
"""Elements that begin and end a paragraph."""

_NEVER = frozenset({
    "annotation", "annotation-xml", "audio", "button", "canvas", "datalist", "dialog", "embed",
    "head", "iframe", "input", "nav", "noscript", "object", "progress", "script", "select",
    "style", "svg", "template", "textarea", "video",
})
_NEVER_ROLES = frozenset({
    "alertdialog", "dialog", "menu", "menubar", "navigation", "search", "toolbar",
})
_SITE_ROLES = frozenset({"banner", "complementary", "contentinfo"})
_SITE_PARTS = frozenset({"aside", "footer", "header"})
_SITE_NAMES = frozenset({
    "ad", "ads", "advert", "advertisement", "breadcrumb", "breadcrumbs", "footer", "masthead",
    "newsletter", "pager", "pagination", "popup", "share", "sharing", "sidebar", "skip", "social",
})
_LISTS = frozenset({"menu", "ol", "ul"})
_MENU_NAMES = frozenset({"menu", "nav", "navbar", "navigation", "toolbar", "topbar"})
_COOKIE_NAMES = ("consent", "cookie", "didomi", "gdpr", "onetrust", "usercentrics")
_BANNER_NAMES = frozenset({
    "bar", "banner", "dialog", "message", "modal", "notice", "overlay", "popup",
})
# fmt: on
_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_MENU_LINKS, _MENU_SHARE, _MENU_WORDS = 3, 0.8, 5  # least links, least share of text, most words


def content_root(body: LexborNode) -> LexborNode:
    """The page's `main` element, or its body where it has none with words."""
    mains = body.css("main, [role=main]")
    return next((main for main in mains if main.text().strip()), body)


def walk(root: LexborNode, is_site: bool = True) -> Iterator[tuple[LexborNode, bool]]:
    """Every node of content under `root`, on entering (True) and, elements only, on leaving.

    Of a body outside a site, such as a book's, all is content. Not recursive: a hostile page
    nests deeper than Python's stack.
    """
    body = root if is_site and root.tag == "body" else None
    articles = 0
    yield root, True
    path = [(root, root.child)]  # open elements, each with its next child to visit
    while path:
        parent, node = path.pop()
        if node is None:
            articles -= parent.tag == "article"
            yield parent, False
            continue
        path.append((parent, node.next))
        if node.is_text_node:
            yield node, True
        elif node.is_element_node and not _boilerplate(node, None if articles else body):
            articles += node.tag == "article"
            yield node, True
            path.append((node, node.child))


def words(root: LexborNode) -> str:
    """All words of content under `root` on one line."""
    parts: list[str] = []
    for node, entering in walk(root):
        if node.is_text_node:
            parts.append(node.text_content or "")
        elif entering and (node.tag in BLOCKS or node.tag == "br"):
            parts.append(" ")
    return " ".join("".join(parts).split())


def _boilerplate(node: LexborNode, body: LexborNode | None) -> bool:
    """Whether an element is no content; without `body`, in an article, names prove little."""
    tag, attributes = node.tag, node.attributes
    role, names = (attributes.get("role") or "").lower(), _names(attributes)
    if tag in _NEVER or role in _NEVER_ROLES or _is_hidden(attributes):
        return True
    cookies = any(name.startswith(_COOKIE_NAMES) for name in names)
    site = tag in _SITE_PARTS or role in _SITE_ROLES or bool(names & _SITE_NAMES)
    menu = bool(body) and (tag in _LISTS or bool(names & _MENU_NAMES))
    if not (cookies or (site and body) or menu) or node.css_first("h1, main, article") is not None:
        return False
    if site and body and len(node.text()) * 2 < len(body.text()):
        return True
    return (cookies and _is_banner(node, names)) or (menu and _is_menu(node))


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    if "hidden" in attributes:
        return attributes["hidden"] != "until-found"
    return _HIDDEN.search(attributes.get("style") or "") is not None


def _names(attributes: dict[str, str | None]) -> frozenset[str]:
    """The words in an element's class and id: `siteNav` and `site-nav` are `site` and `nav`."""
    given = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    return frozenset(part.lower() for part in _NAME_PARTS.findall(given))


def _is_banner(node: LexborNode, names: frozenset[str]) -> bool:
    """Whether an element called after cookies asks for something: a page may be about cookies."""
    return bool(names & _BANNER_NAMES) or node.css_first("button, [role=button]") is not None


def _is_menu(node: LexborNode) -> bool:
    """Whether an element is little else than short links."""
    links = [len(link.text().split()) for link in node.css("a")]
    return (
        len(links) >= _MENU_LINKS
        and sum(links) >= _MENU_SHARE * len(node.text().split())
        and max(links) <= _MENU_WORDS
    )
