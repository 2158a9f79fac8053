"""What can go wrong, one class per thing that a caller can act on.

A message says what is wrong and names the next step. Doors map the classes to exit codes and
HTTP statuses; nothing else is ever shown to a client.
"""


class RagError(Exception):
    """Base of every error that a caller is meant to see."""


class InvalidInput(RagError):
    """The caller's input can't be used as it is."""


class NotFound(RagError):
    """The named thing does not exist here."""


class Conflict(RagError):
    """The request contradicts what is stored."""


class FileRefused(RagError):
    """A file can't become a document; the message is the reason that the report shows."""


class UnsupportedFormat(FileRefused):
    """No reader for this kind of file."""


class FileVanished(FileRefused):
    """There is no such file any more."""


class TooLarge(FileRefused):
    """The file is larger than the configured limit."""


class ModelMismatch(RagError):
    """A collection was made with another embedder than the configured one.

    `made_with` is that one's fingerprint.
    """

    def __init__(self, message: str, made_with: str) -> None:
        super().__init__(message)
        self.made_with = made_with


class StoreBusy(RagError):
    """Another process is writing."""


class StoreFull(RagError):
    """No room left on the disk."""


class StoreAtLimit(StoreFull):
    """No room left in what the store may hold."""


class ReadOnly(RagError):
    """The index is only read here."""

    def __init__(self) -> None:
        super().__init__(
            "this index is only read here, so nothing can be added, removed or noted: use the "
            "server that may write, or leave --read-only and RAG_READ_ONLY out"
        )


class StoreUnreadable(RagError):
    """The store can't be opened: a newer schema, or not a store."""


class DocumentDamaged(StoreUnreadable):
    """One stored document is damaged and is not shown; the others are not touched by it."""


class ModelUnavailable(RagError):
    """The configured model can't be loaded."""


def no_collection(name: str) -> NotFound:
    """That a collection is not there, or not there for this client: nobody can tell which."""
    return NotFound(f"there is no collection {name!r}: `rag collections` lists them")


def no_document(document_id: str) -> NotFound:
    """That a document is not there, or not there for this client: nobody can tell which."""
    return NotFound(f"there is no document {document_id}: `rag documents` lists them")
