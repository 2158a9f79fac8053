"""What clients send, and how errors look."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from rag.feedback import Verdict
from rag.filters import EVERYTHING, MOST_FILTERS, Filters
from rag.payloads import (
    CollectionPayload,
    DocumentPayload,
    OutcomePayload,
    VerificationPayload,
)
from rag.service import COLLECTION_NAME, DEFAULT_COLLECTION
from rag.settings import LONGEST_QUESTION, MOST_PASSAGES


def _encodable(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a surrogate pair") from error
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


Text = Annotated[str, AfterValidator(_encodable)]
Question = Annotated[
    Text, AfterValidator(_not_blank), Field(min_length=1, max_length=LONGEST_QUESTION)
]
Offset = Annotated[int, Field(strict=True, ge=0, le=2**53)]
LONGEST_NOTE = 2_000  # characters
LONGEST_ANSWER = 2_000  # characters
MOST_TURNS = 10
MOST_CITATIONS = 100  # in one request
LONGEST_QUOTE = 100_000  # characters
_LONGEST_PATH = 8_000  # characters
_SHA256 = "^[0-9a-f]{64}$"
DOCUMENT_ID = "^[0-9a-f]{32}$"
_Path = Annotated[Text, Field(max_length=_LONGEST_PATH)]
_Names = Annotated[list[_Path], Field(max_length=MOST_FILTERS)]
_Date = Annotated[Text, Field(json_schema_extra={"format": "date"})]
CollectionName = Annotated[str, Field(pattern=f"^{COLLECTION_NAME}$")]


class FiltersRequest(BaseModel):
    """Which documents to look in: those in any of the folders, of any of the types, and dated from
    `date_from` to `date_to`, both included. What is left out lets everything through.

    A folder is a whole beginning of a source and holds all that lies below it; a type is a file
    extension in lower case, without its dot. `GET /v1/collections/{name}` lists both.
    """

    # A filter that is misspelt must not let everything through.
    model_config = ConfigDict(extra="forbid")

    folders: _Names = []
    types: _Names = []
    date_from: _Date | None = None
    date_to: _Date | None = None

    def filters(self) -> Filters:
        """Raises `InvalidInput`."""
        return Filters(tuple(self.folders), tuple(self.types), self.date_from, self.date_to)


class SearchRequest(BaseModel):
    """A question, how many passages to show, and the collection and documents to look in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "How much annual leave do I get?"}]}
    )

    question: Question
    top_k: Annotated[int, Field(strict=True, ge=1, le=MOST_PASSAGES)] = 5
    collection: CollectionName = DEFAULT_COLLECTION
    filters: FiltersRequest | None = None

    def filtering(self) -> Filters:
        """Raises `InvalidInput`."""
        return self.filters.filters() if self.filters else EVERYTHING


class EarlierTurn(BaseModel):
    """An earlier question of the conversation as it was asked, and the answer's words, if any."""

    question: Question
    answer: Annotated[Text, Field(max_length=LONGEST_ANSWER)] | None = None


class AskRequest(SearchRequest):
    """A search that also wants the answer. A reader that is not calibrated gives no confidence
    and so reaches no `min_confidence` above 0. With `explain` the reply says of each passage that
    was found why it won or lost. `history` is the conversation so far, oldest first, so that "And
    in Kharkiv?" can be completed: `rewritten` says how. Without it the words are taken literally.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "question": "And sick leave?",
                    "history": [
                        {"question": "How much annual leave do I get?", "answer": "28 days"}
                    ],
                }
            ]
        }
    )

    min_confidence: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] | None = (
        None
    )
    explain: Annotated[bool, Field(strict=True)] = False
    history: Annotated[list[EarlierTurn], Field(max_length=MOST_TURNS)] = []


class Cited(BaseModel):
    """A citation as a reply gave it; what else it holds is not looked at."""

    document_id: Annotated[str, Field(pattern=DOCUMENT_ID)]
    start: Offset
    end: Offset
    sentence_start: Offset | None = None
    sentence_end: Offset | None = None


class FeedbackRequest(BaseModel):
    """What somebody says of a reply: whether its first answer, or that it gave none, was right.

    `citation` is that answer's, null where there was none; `expected` the words that would have
    been right.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "question": "How much annual leave do I get?",
                    "verdict": "wrong",
                    "citation": None,
                    "expected": "28 days",
                }
            ]
        }
    )

    question: Question
    verdict: Verdict
    collection: CollectionName = DEFAULT_COLLECTION
    citation: Cited | None = None
    expected: Annotated[Text, AfterValidator(_not_blank), Field(max_length=LONGEST_NOTE)] | None = (
        None
    )
    note: Annotated[Text, Field(max_length=LONGEST_NOTE)] | None = None


class Kept(BaseModel):
    """A citation as a reply gave it, by `document_id` or by `source`; what else it holds is not
    looked at.
    """

    document_id: Annotated[str, Field(pattern=DOCUMENT_ID)] | None = None
    source: Annotated[Text, Field(min_length=1, max_length=_LONGEST_PATH)] | None = None
    start: Offset
    end: Offset
    quote: Annotated[Text, Field(min_length=1, max_length=LONGEST_QUOTE)]
    text_sha256: Annotated[str, Field(pattern=_SHA256)]
    sha256: Annotated[str, Field(pattern=_SHA256)] | None = None
    sentence_start: Offset | None = None
    sentence_end: Offset | None = None
    prefix: Annotated[Text, Field(max_length=LONGEST_NOTE)] | None = None
    suffix: Annotated[Text, Field(max_length=LONGEST_NOTE)] | None = None

    @model_validator(mode="after")
    def _names_a_stretch_of_a_document(self) -> Self:
        if self.document_id is None and self.source is None:
            raise ValueError("names no document: give document_id or source")
        if self.end <= self.start:
            raise ValueError("end must be larger than start")
        return self


class VerifyRequest(BaseModel):
    """Citations to check, as replies gave them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "citations": [
                        {
                            "source": "handbook/leave.md",
                            "start": 52,
                            "end": 59,
                            "quote": "28 days",
                            "text_sha256": "0" * 64,
                        }
                    ]
                }
            ]
        }
    )

    citations: Annotated[list[Kept], Field(min_length=1, max_length=MOST_CITATIONS)]


class Verifications(TypedDict):
    """How each citation stands, in the order of the request."""

    results: list[VerificationPayload]


class FeedbackTaken(TypedDict):
    """The id of the line in the question set."""

    id: str


class Problem(TypedDict):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


class UploadResults(TypedDict):
    """What became of each uploaded file, in the order of their names."""

    results: list[OutcomePayload]


class JobState(StrEnum):
    """How a job stands; the last three are ends."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class JobPayload(TypedDict):
    """How an upload stands: `files` in all, `finished` those that are through, with their
    `results`; `detail` is why it failed.
    """

    id: str
    collection: str
    state: JobState
    files: int
    finished: int
    passages_encoded: int
    results: list[OutcomePayload]
    detail: str | None


class DocumentsPage(TypedDict):
    """Documents by source, and the cursor of the next page if there is one."""

    documents: list[DocumentPayload]
    next: str | None


class Collections(TypedDict):
    """The collections and their sizes."""

    collections: list[CollectionPayload]


class Health(TypedDict):
    """Whether the process lives."""

    status: str


class Readiness(TypedDict):
    """How far the paths given at start are ingested."""

    ready: bool
    detail: str
    files: int
    total_files: int
