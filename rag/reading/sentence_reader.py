"""A reader without weights to load: the sentence that shares most with the question.

It stays as the baseline that a trained reader has to beat and as the fast double in tests.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.analysis import terms
from rag.reading.answer_types import FUNCTION_WORDS, AnswerType, answer_type, spans
from rag.text import sentences
from rag.types import Candidate, Hit, Span

_CANDIDATES = 10
_RELATED_PREFIX = 0.7
_RELATED_CREDIT = 0.5


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    terms: tuple[str, ...]
    weights: Mapping[str, float]
    credits: Mapping[str, Mapping[str, float]]
    kind: AnswerType

    @property
    def total(self):
        return sum(self.weights.values())

    def coverage(self, found: Mapping[str, float]) -> float:
        t = self.total
        return sum(self.weights[k] * v for k, v in found.items()) / t if t else 0.0

    def matched(self, words) -> dict[str, float]:
        found: dict[str, float] = {}
        for w in words:
            for t, c in self.credits.get(w, {}).items():
                if c > found.get(t, 0.0):
                    found[t] = c
        return found


def question_terms(question: str) -> list[str]:
    words = re.findall(r"[^\W_]+(?:[’'][^\W_]+)*", question)
    return list(dict.fromkeys(t for w in words if w.lower() not in FUNCTION_WORDS for t in terms(w)))


def ask(question, passages: list[set[str]]) -> _Question:
    qt = question_terms(question)
    vocab = Counter(w for p in passages for w in p)
    n = len(passages)
    credits: dict[str, dict[str, float]] = {}
    weights = {}
    for t in qt:
        df = vocab.get(t, 0)
        weights[t] = math.log(1 + (n + 0.5) / (df + 0.5))
        credits.setdefault(t, {})[t] = 1.0
        k = t[: max(4, math.ceil(_RELATED_PREFIX * len(t)))]
        if len(t) >= 4:
            for v in vocab:
                if v != t and v.startswith(k) and len(v) * _RELATED_PREFIX <= len(t)+1:
                    credits.setdefault(v, {})[t] = _RELATED_CREDIT
    return _Question(question, tuple(qt), weights, credits, answer_type(question))


FEATURES = ["bias","cover_s","cover_win","cover_p","adj","typed","untyped","similarity","rank","question","fragment","len","missing_name","missing_max","head_cover","focus"]

def features(question, hits):
    """yield (hit, sentence span, feats)"""
    words = [terms(" ".join((h.origin.title, *h.passage.heading, h.passage.text))) for h in hits]
    q = ask(question, [set(w) for w in words])
    qnames = {t for s in spans(AnswerType.NAME, question) for t in terms(s.of(question))} | {t for t in q.terms if t.isdigit()}
    qnames &= set(q.terms)
    pairs = list(pairwise(q.terms))
    out = []
    for rank, (h, pw) in enumerate(zip(hits, words)):
        pm = q.matched(set(pw))
        cp = q.coverage(pm)
        hm = q.matched(set(terms(" ".join((h.origin.title, *h.passage.heading)))))
        missing = [t for t in q.terms if t not in pm]
        mn = max((q.weights[t] for t in missing if t in qnames), default=0.0)
        mm = max((q.weights[t] for t in missing), default=0.0) / max(q.weights.values(), default=1.0)
        base = h.passage.span.start
        for par in h.passage.paragraphs:
            ss = sentences(h.passage.text, par.shifted(-base))
            texts = [s.of(h.passage.text) for s in ss]
            tt = [terms(x) for x in texts]
            ms = [q.matched(set(t)) for t in tt]
            for i, (s, x, t, m) in enumerate(zip(ss, texts, tt, ms)):
                cs = q.coverage(m)
                if not m and rank>4:
                    continue
                win = dict(m)
                for j in (i-1, i+1):
                    if 0 <= j < len(ms):
                        for k, v in ms[j].items(): win[k] = max(win.get(k, 0), v)
                cw = q.coverage(win)
                pos = {}
                for n, w in enumerate(t):
                    for k in q.credits.get(w, {}): pos.setdefault(k, n)
                adj = sum(1 for a, b in pairs if a in pos and b in pos and abs(pos[b]-pos[a]) <= 2) / max(1, len(pairs))
                cands = [c for c in spans(q.kind, x) if not set(terms(c.of(x))) <= set(q.terms)] if q.kind is not AnswerType.CLAUSE else []
                strict = q.kind in (AnswerType.DATE, AnswerType.QUANTITY, AnswerType.PERSON, AnswerType.PLACE)
                f = dict(bias=1.0, cover_s=cs, cover_win=cw, cover_p=cp, adj=adj, typed=float(bool(cands) and strict), untyped=float(strict and not cands),
                    similarity=h.similarity, rank=1/(1+rank), question=float(x.rstrip("\"”' ").endswith("?")), fragment=float(not re.search(r"[.!?…]\W*$|[.!?…]", x[-6:])),
                    len=math.log(1+len(t)), missing_name=mn, missing_max=mm, head_cover=q.coverage(hm),
                    focus=0.0)
                out.append((h, s.shifted(base), [f[k] for k in FEATURES]))
    return q, out
