"""What DOCX and PPTX have in common: parts, how they refer to each other, and their properties."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from rag.errors import FileRefused
from rag.loading.metadata import iso_date, language_tag, one_line
from rag.loading.xml_tree import local, parsed_xml
from rag.loading.zipped import members

_RELATIONSHIPS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
RELATIONSHIP = f"{_RELATIONSHIPS}id"
"""The attribute by which an element refers to another part."""
MATHS = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
ALTERNATIVES = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
"""The element that says the same in several ways, for newer and for older programs."""
# Strict files name everything otherwise; their words are the same.
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_USUAL = rb"http://schemas.openxmlformats.org/\1/2006/\2"


@dataclass(frozen=True, slots=True)
class Target:
    """A part that another one refers to: the last word of the kind of reference, and its name."""

    kind: str
    part: str


@dataclass(frozen=True, slots=True)
class Properties:
    """What a document says about itself; the day is that of the last change, else of creation."""

    title: str | None
    date: str | None
    language: str | None


class Package:
    """The parts of an Office document. Raises `FileRefused` wherever one is damaged."""

    def __init__(self, data: bytes) -> None:
        self._members = members(data)
        main = next(self.related("", "officeDocument"), None)
        if main is None or main not in self._members:
            raise FileRefused("damaged: its main part is missing; save it afresh")
        self.main = main

    def __contains__(self, part: str) -> bool:
        return part in self._members

    def root(self, part: str) -> etree._Element:
        """The XML of a part that is there."""
        return parsed_xml(_STRICT.sub(_USUAL, self._members[part]))

    def targets(self, part: str) -> dict[str, Target]:
        """The parts of the package that one refers to, by the id of the reference."""
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        if relations not in self._members:
            return {}
        return {
            element.get("Id", ""): Target(
                element.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, element.get("Target", "")))[1:],
            )
            for element in self.root(relations)
            if element.get("TargetMode") != "External"
        }

    def related(self, part: str, kind: str) -> Iterator[str]:
        """The names of the parts that one refers to in a way, those that are there."""
        for target in self.targets(part).values():
            if target.kind == kind and target.part in self._members:
                yield target.part

    def companion(self, kind: str) -> etree._Element | None:
        """The XML of the main part's only companion of a kind, such as its styles."""
        part = next(self.related(self.main, kind), None)
        return None if part is None else self.root(part)

    def properties(self) -> Properties:
        """Title, day and language out of the core properties."""
        part = next(self.related("", "core-properties"), None)
        found = {} if part is None else {local(e): e.text for e in self.root(part)}
        return Properties(
            title=one_line(found.get("title")),
            date=iso_date(found.get("modified")) or iso_date(found.get("created")),
            language=language_tag(found.get("language")),
        )


def chosen(alternatives: etree._Element) -> etree._Element | None:
    """The first way of saying it that has words, so that they are read once."""
    ways = list(alternatives)
    with_words = (way for way in ways if next(way.iter("{*}t"), None) is not None)
    return next(with_words, ways[0] if ways else None)
