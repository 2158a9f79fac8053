"""The service as one client may see it: what lies outside looks as if it were not there.

Doors that strangers come through hold this and never the whole service, so that a route which
forgets to ask what its client may see has nothing to show.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.access import Access
from rag.errors import no_collection, no_document
from rag.rebuilding import Rebuilt
from rag.service import Original, Service
from rag.store.base import CollectionRecord
from rag.types import Document, DocumentRecord
from rag.verifying import Claim, Verification


class ScopedService:
    """What `access` lets through of a service."""

    def __init__(self, service: Service, access: Access) -> None:
        self._service = service
        self.access = access

    def within(self, collection: str) -> Service:
        """The service, for work in this collection alone. Raises `NotFound` outside the scope."""
        if not self.access.sees(collection):
            raise no_collection(collection)
        return self._service

    def _holding(self, document_id: str) -> Service:
        # An id is made from its collection, so it can't come to name a document of another one.
        if self.access.collections is not None:
            collection = self._service.collection_of(document_id)
            if not self.access.sees(collection):
                raise no_document(document_id)
        return self._service

    def document(self, document_id: str) -> tuple[Document, DocumentRecord]:
        return self._holding(document_id).document(document_id)

    def original(self, document_id: str) -> Original:
        return self._holding(document_id).original(document_id)

    def remove(self, document_id: str) -> None:
        self._holding(document_id).remove(document_id)

    def collections(self) -> list[CollectionRecord]:
        return [one for one in self._service.collections() if self.access.sees(one.name)]

    def documents(
        self, collection: str | None, limit: int, after: str | None, wanted: str
    ) -> tuple[list[DocumentRecord], str | None]:
        """As the service's; None for all collections in the scope."""
        if collection is not None:
            self.within(collection)
        within = self.access.collections
        return self._service.documents(collection, limit, after, wanted=wanted, within=within)

    def verify(self, claims: Sequence[Claim]) -> list[Verification]:
        return self._service.verify(claims, self.access.sees)

    @property
    def writable(self) -> bool:
        """Whether this client may change anything that it sees."""
        return self._service.writable and self.access.writes

    @property
    def rebuilding(self) -> Rebuilt | None:
        """Which collection is encoded anew, and how far."""
        current = self._service.rebuilds.current
        return current if current and self.access.sees(current.collection) else None

    @property
    def reader_name(self) -> str:
        return self._service.reader.name
