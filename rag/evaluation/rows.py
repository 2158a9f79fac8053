"""One question's line in a run: what was asked, what came and how it is judged, as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from typing_extensions import TypedDict

from rag.evaluation import metrics
from rag.evaluation.causes import Outcome, cause_of
from rag.evaluation.gold import Gold, Locator, whole_words
from rag.evaluation.questions import Question
from rag.tuning import strength
from rag.types import Citation, Considered, Fate, RankedPassage, Reply


class GoldRow(TypedDict):
    """A piece of evidence and the first place where it stands, null where it does not."""

    source: str
    quote: str | None
    document_id: str | None
    start: int | None
    end: int | None


class QuotedRow(TypedDict):
    """An answer where it stands: `context` is its passage, which begins at `context_start`."""

    text: str
    sentence: str
    confidence: float | None
    source: str
    document_id: str
    paragraph: int
    paragraph_end: int
    page: int | None
    heading: list[str]
    start: int
    end: int
    sentence_start: int
    sentence_end: int
    context: str
    context_start: int


class ShownRow(TypedDict):
    """A passage of the reply; `held` are the numbers of the pieces of evidence that it holds."""

    source: str
    document_id: str
    paragraph: int
    start: int
    end: int
    score: float
    gold: bool
    held: list[int]
    also_in: list[str]


class Row(TypedDict):
    """A question, its gold, its reply and its scores. `history` are the questions before it, and
    `rewritten` is what was searched for where that is not the question.

    `guess` is what the reader would have said where it refused; `strength` says how sure it was of
    its answer or guess, and `sound` whether that is what confidence promises (`is_sound`). What is
    right is null for a question that nobody has said to be answerable or not.
    """

    id: str
    question: str
    history: list[str]
    rewritten: str | None
    tags: list[str]
    answerable: bool | None
    answers: list[str]
    rejected: list[str]
    gold: list[GoldRow]
    answered: bool
    right: bool | None
    cause: str | None
    detail: str | None
    reason: str | None
    answer: QuotedRow | None
    guess: QuotedRow | None
    guess_right: bool | None
    sound: bool | None
    strength: float | None
    passages: list[ShownRow]
    milliseconds: float | None
    scores: dict[str, float]


def judged(question: Question, reply: Reply, locator: Locator, milliseconds: float | None) -> Row:
    """The row of a question from its explained reply; without the scores of retrieval, which are
    told for all questions at once.
    """
    gold = locator.gold(question)
    answer = next((one for one in reply.considered if one.fate is Fate.ANSWER), None)
    guess = None if answer else next((one for one in reply.considered if one.best), None)
    said = answer or guess
    outcome = _outcome(question, reply, gold, guess)
    known = question.answerable is not None
    cause = cause_of(outcome) if known else None
    return Row(
        id=question.id,
        question=question.question,
        history=[turn.question for turn in question.history],
        rewritten=reply.rewritten,
        tags=list(question.tags),
        answerable=question.answerable,
        answers=list(question.answers),
        rejected=list(question.rejected),
        gold=_gold_rows(gold),
        answered=outcome.answered,
        right=outcome.right if known else None,
        cause=cause,
        detail=_detail(gold) if cause else None,
        reason=reply.reason,
        answer=_quoted(answer) if answer else None,
        guess=_quoted(guess) if guess else None,
        guess_right=outcome.would_be_right if guess and known else None,
        sound=metrics.is_sound(_words(said), _sentence(said), question.answers)
        and _in_place([said.citation, *said.also_in], gold)
        if said and known
        else None,
        strength=strength(said.best) if said and said.best else None,
        passages=[_shown(passage, gold) for passage in reply.passages],
        milliseconds=milliseconds,
        scores=_scores(question, reply, gold, outcome, locator),
    )


def _outcome(question: Question, reply: Reply, gold: Gold, guess: Considered | None) -> Outcome:
    best = reply.answers[0] if reply.answers else None
    answers = question.answers
    return Outcome(
        answerable=bool(question.answerable),
        answered=best is not None,
        indexed=not gold.pieces or any(piece.stands for piece in gold.pieces),
        read=_was_read(reply, gold, answers),
        right_words=best is not None and metrics.is_right(best.text, answers),
        right_place=best is not None and _in_place([best.citation, *best.also_in], gold),
        would_be_right=guess is not None
        and metrics.is_right(_words(guess), answers)
        and _in_place([guess.citation, *guess.also_in], gold),
    )


def _was_read(reply: Reply, gold: Gold, answers: Sequence[str]) -> bool:
    read = [one for one in reply.considered if one.fate is not Fate.NOT_READ]
    if not gold.pieces:
        patterns = [whole_words(answer) for answer in answers]
        return any(pattern.search(one.citation.quote) for one in read for pattern in patterns)
    return any(gold.held_by([one.citation, *one.also_in]) for one in read)


def _in_place(citations: Iterable[Citation], gold: Gold) -> bool:
    """Whether a right file is cited; any is, where the set names none."""
    sources = {piece.source for piece in gold.pieces}
    return not sources or any(citation.origin.source in sources for citation in citations)


def _scores(
    question: Question, reply: Reply, gold: Gold, outcome: Outcome, locator: Locator
) -> dict[str, float]:
    best = reply.answers[0] if reply.answers else None
    scores = {"answered": float(outcome.answered)}
    if best:
        citations = [c for answer in reply.answers for c in (answer.citation, *answer.also_in)]
        scores["citation_verbatim"] = float(all(_verbatim(c, locator) for c in citations))
    if question.rejected:
        rejected = {metrics.normalised(words) for words in question.rejected}
        again = best is not None and metrics.normalised(best.text) in rejected
        scores["rejected_again"] = float(again)
    if question.answerable is None:
        return scores
    text = best.text if best else ""
    scores |= {
        "right": float(outcome.right),
        "exact_match": metrics.exact_match(text, question.answers),
        "f1": metrics.f1(text, question.answers),
    }
    if not question.answerable:
        return scores | {"wrongly_answered": float(outcome.answered)}
    scores |= {
        "answer_in_sentence": float(
            best is not None and metrics.holds(best.sentence, question.answers)
        ),
        "wrongly_refused": float(not outcome.answered),
    }
    if gold.pieces:
        cited = [best.citation, *best.also_in] if best else []
        scores |= {
            "retrieved": float(outcome.read),
            "citation_source": float(bool(cited) and outcome.right_place),
            "citation_paragraph": float(any(gold.same_paragraph(c) for c in cited)),
            "citation_quote": float(any(gold.quoted_by(c) for c in cited)),
        }
    return scores


def _verbatim(citation: Citation, locator: Locator) -> bool:
    return citation.span.of(locator.text(citation.origin.document_id)) == citation.quote


def _gold_rows(gold: Gold) -> list[GoldRow]:
    rows: list[GoldRow] = []
    for piece in gold.pieces:
        first = piece.stands[0] if piece.stands else None
        rows.append(
            GoldRow(
                source=piece.source,
                quote=piece.quote,
                document_id=first.document_id if first else None,
                start=first.span.start if first else None,
                end=first.span.end if first else None,
            )
        )
    return rows


def _detail(gold: Gold) -> str | None:
    return "; ".join(piece.missing for piece in gold.pieces if piece.missing) or None


def _quoted(one: Considered) -> QuotedRow | None:
    if not (one.best and one.quoted):
        return None
    passage, quoted = one.best.hit.passage, one.quoted
    return QuotedRow(
        text=quoted.quote,
        sentence=_sentence(one),
        confidence=one.best.confidence,
        source=quoted.origin.source,
        document_id=quoted.origin.document_id,
        paragraph=quoted.paragraph,
        paragraph_end=quoted.paragraph_end,
        page=quoted.page,
        heading=list(quoted.heading),
        start=quoted.span.start,
        end=quoted.span.end,
        sentence_start=one.best.sentence.start,
        sentence_end=one.best.sentence.end,
        context=passage.text,
        context_start=passage.span.start,
    )


def _words(one: Considered) -> str:
    return one.quoted.quote if one.quoted else ""


def _sentence(one: Considered) -> str:
    if one.best is None:
        return ""
    passage = one.best.hit.passage
    return one.best.sentence.shifted(-passage.span.start).of(passage.text)


def _shown(passage: RankedPassage, gold: Gold) -> ShownRow:
    citation = passage.citation
    held = gold.held_by([citation, *passage.also_in])
    return ShownRow(
        source=citation.origin.source,
        document_id=citation.origin.document_id,
        paragraph=citation.paragraph,
        start=citation.span.start,
        end=citation.span.end,
        score=passage.score,
        gold=bool(held),
        held=sorted(held),
        also_in=[copy.origin.source for copy in passage.also_in],
    )
