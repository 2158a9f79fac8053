"""XML out of documents: no DTD, no entities, no network, no depth without a bottom."""

from __future__ import annotations

from lxml import etree

from rag.errors import FileRefused

_FRESH = "open it in its program and save it afresh"
# Not `huge_tree`: depth stays below 256, so that a walk may be recursive.
_PARSER = etree.XMLParser(
    resolve_entities=False,
    load_dtd=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


def parsed_xml(data: bytes) -> etree._Element:
    """The root of a well-formed document. Raises `FileRefused` for any other, for one with a
    DOCTYPE, and for one that nests deeper than 255 elements.
    """
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        if not error.lineno:
            raise MemoryError from None  # libxml2 tells of it by an error at no place at all
        raise FileRefused(
            f"damaged, or nested deeper than any program writes: its XML can't be read; {_FRESH}"
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise FileRefused(f"its XML declares words of its own (a DOCTYPE); {_FRESH}")
    return root


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return etree.QName(element).localname
