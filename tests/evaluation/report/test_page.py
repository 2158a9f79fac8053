"""The report as a text: all is there, nothing is trusted, and it is always the same."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from rag.evaluation.report.labels import CAUSES
from rag.evaluation.report.page import render
from rag.evaluation.report.rows import marked

if TYPE_CHECKING:
    from tests.evaluation.report.conftest import Sample

_HOSTILE = (
    "</script></style><img src=x onerror=fired()>\"'&\u202e\u05d0 \x00\x1b[31m\x7f\x85\ud800 🏖️"
)


def _parsed(html: str) -> LexborHTMLParser:
    return LexborHTMLParser(html)


def _texts(page: LexborHTMLParser | LexborNode, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in page.css(selector)]


def _one(page: LexborHTMLParser | LexborNode, selector: str) -> LexborNode:
    (node,) = page.css(selector)[:1]
    return node


def _attribute(page: LexborHTMLParser | LexborNode, selector: str, name: str) -> str:
    return _one(page, selector).attributes[name] or ""


def _with(value: Any, words: str) -> Any:
    """The same value, with all texts but keys and the names that the format fixes replaced."""
    if isinstance(value, str):
        return words
    if isinstance(value, list):
        return [_with(item, words) for item in value]
    if isinstance(value, dict):
        return {key: _with(item, words) for key, item in value.items()}
    return value


def test_every_metric_cause_and_row_is_there(sample: type[Sample]) -> None:
    run = sample.run()
    page = _parsed(render(run))
    table = " ".join(_texts(page, ".metrics"))
    for name, value in run["metrics"].items():
        assert (name in table) is (value is not None)  # what no question tells is left out
        if value is not None and not name.endswith("_ms"):
            assert f"{value:.3f}" in table
    assert "0.310" in table  # the weight-free reader's
    assert "0.360–0.440" in table  # an interval
    for cause in CAUSES.values():
        assert cause.title in _texts(page, ".causes h3")
    assert len(page.css("#rows > li")) == len(run["rows"])
    for row, shown in zip(run["rows"], _texts(page, "#rows > li"), strict=True):
        assert row["question"] in shown
        assert row["id"] in shown
    assert _texts(page, "#rows > li > details > summary > .state") == [
        "Right", "Read wrongly", "Wrongly refused", "Wrongly answered", "Rightly refused",
        "Not judged",
    ]  # fmt: skip
    assert _texts(page, ".tiles .value") == [
        "40.0 %",
        "33.0 %",
        "50.0 %",
        "25.0 %",
        "83.0 %",
        "38 ms",
    ]


def test_lower_is_better_is_marked(sample: type[Sample]) -> None:
    page = _parsed(render(sample.run()))
    marks = {
        _one(row, "code").text(): bool(row.css(".lower"))
        for row in page.css(".metrics tbody tr")
        if row.css("code")
    }
    assert marks["wrongly_answered"]
    assert marks["latency_p50_ms"]
    assert marks["cause_read_wrongly"]
    assert not marks["right"]


def test_the_marks_stand_exactly_on_sentence_and_answer(sample: type[Sample]) -> None:
    answer = sample.answer()  # astral characters stand before it
    parts = marked(answer)
    assert parts.words == "thirty days"
    assert parts.lead + parts.words + parts.tail == answer["sentence"]
    assert "".join(parts[:5]) == answer["context"]
    page = _parsed(render(sample.run([sample.row("1", "How many?")])))
    assert _one(page, ".given mark").text() == "thirty days"
    assert _one(page, ".given .sentence").text() == answer["sentence"]
    assert _one(page, ".given blockquote").text() == answer["context"]


def test_a_long_passage_is_cut_around_the_sentence(sample: type[Sample]) -> None:
    sentence = "It is thirty days."
    context = f"{'🏝️ word ' * 500}{sentence}{' wörter' * 500}"
    parts = marked(sample.answer(context=context, sentence=sentence))
    assert (parts.words, parts.cut_before, parts.cut_after) == ("thirty days", True, True)
    assert parts.lead + parts.words + parts.tail == sentence
    assert 300 < len(parts.before) <= 400
    assert 300 < len(parts.after) <= 400


@pytest.mark.parametrize("change", [{"text": "forty days"}, {"start": 0}, {"end": 10_000}])
def test_wrong_offsets_mark_nothing_and_are_told(
    sample: type[Sample], change: dict[str, Any]
) -> None:
    row = sample.row("1", "How many?", answer=sample.answer() | change)
    page = _parsed(render(sample.run([row])))
    assert not page.css("mark")
    assert "nothing is marked" in _one(page, ".given .note").text()
    assert sample.answer()["context"] in _one(page, ".given").text()


def test_a_refusal_shows_what_was_held_back(sample: type[Sample]) -> None:
    page = _parsed(render(sample.run([sample.refused("1", "How many?")])))
    assert not page.css(".given")
    assert _one(page, ".refused mark").text() == "thirty"
    assert _texts(page, ".refused .would") == ["Held back, 31 % sure: it would have been right"]


def test_hostile_words_stay_words(sample: type[Sample]) -> None:
    run, comparison = sample.run(), sample.comparison()
    plain = _parsed(render(run, comparison))
    for row in run["rows"]:
        row |= {key: _with(row[key], _HOSTILE) for key in ("id", "question", "tags", "answers",
                "rejected", "gold", "detail", "reason", "answer", "guess", "passages")}  # fmt: skip
    for key in ("settings", "version", "weight_free", "corpus"):
        run[key] = _with(run[key], _HOSTILE)
    run["question_set"] |= {"path": _HOSTILE, "fingerprint": _HOSTILE, "left_out": [_HOSTILE]}
    run["metrics"][_HOSTILE] = 0.5
    comparison["metrics"][_HOSTILE] = comparison["metrics"]["right"]
    comparison |= {"warnings": [_HOSTILE], "broken": [_HOSTILE], "fixed": []}
    html = render(run, comparison)
    html.encode()  # half a surrogate pair is gone
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", html)
    page = _parsed(html)
    assert not page.css("img, [onerror]")
    assert len(page.css("script")) == len(page.css("style")) == 1
    assert _one(page, "script").text() == _one(plain, "script").text()
    first = _one(page, "#rows .asked").text()
    assert first.startswith("</script></style><img src=x onerror=fired()>")
    assert "␀␛[31m␡\ufffd\ufffd 🏖️" in first
    for node in page.css("[dir=auto], bdi"):
        assert node.tag in {"bdi", "span", "li", "blockquote", "a", "p"}  # what isolates directions


def test_nothing_is_loaded_and_only_its_own_script_may_run(sample: type[Sample]) -> None:
    html = render(sample.run(), sample.comparison())
    assert "http" not in html.replace("http-equiv", "")
    assert not re.search(r"url\((?!#)|@import|\bsrc=|<link|<base|javascript:", html)
    assert not re.search(r"\s(style|on\w+)=", html)
    page = _parsed(html)
    targets = [node.attributes["href"] or "" for node in page.css("[href]")]
    assert all(target.startswith("#") for target in targets)
    for target in targets:
        assert page.css(f"[id='{target[1:]}']"), target
    ids = [node.attributes["id"] for node in page.css("[id]")]
    assert len(ids) == len(set(ids))
    policy = unescape(_attribute(page, "meta[http-equiv]", "content"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_page_is_well_made(sample: type[Sample]) -> None:
    page = _parsed(render(sample.run(), sample.comparison()))
    assert _attribute(page, "html", "lang") == "en"
    assert [len(page.css(tag)) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    for table in page.css("table"):
        assert table.css("caption")
        assert all("scope" in head.attributes for head in table.css("th"))
    plots = page.css("svg.plot")
    assert len(plots) == 5
    assert all(plot.attributes["role"] == "img" for plot in plots)
    told = _attribute(page, "svg.plot", "aria-label").replace("\xa0", " ")
    assert told == "Recall by k: the passage 62 % at 1, 85 % at 10; its file 82 % at 1, 97 % at 10."


def test_a_run_with_little_in_it(sample: type[Sample]) -> None:
    """Every part that can be missing is: it is said, and the rest stands."""
    row = sample.refused("1", "Why?", answerable=None, answers=[], gold=[], right=None, cause=None,
                         guess=None, guess_right=None, strength=None, milliseconds=None,
                         passages=[], reason=None, detail=None, tags=[], scores={})  # fmt: skip
    run = sample.run(
        [row],
        corpus=None,
        weight_free=None,
        metrics={"right": None, "latency_p50_ms": None},
        intervals={},
        curves={"recall": [], "risk_coverage": [], "reliability": []},
    )
    run["settings"]["mode"] = "reader"
    page = _parsed(render(run))
    assert not page.css("svg.plot")
    assert len(page.css("figure.missing")) == 5
    assert all(text.startswith("Left out: ") for text in _texts(page, "figcaption"))
    assert _texts(page, ".tiles .value") == ["–"] * 6
    assert "each asked of its own paragraph" in _one(page, ".lead").text()
    assert not page.css("#comparison")
    render(sample.run([], metrics={}))  # no row at all


def test_a_comparison_names_what_changed(sample: type[Sample]) -> None:
    page = _parsed(render(sample.run(), sample.comparison()))
    assert _texts(page, ".changes .verdict") == [
        "better", "no clear change", "worse", "no clear change",
    ]  # fmt: skip
    (fixed,) = page.css(".changed .fixed a")
    assert (fixed.attributes["href"], fixed.text()) == ("#q1", "How many days of leave do I get?")
    assert _texts(page, ".changed .broken li") == ["How much leave is there?", "gone"]
    assert _texts(page, "ul.notice li") == ["the corpus differs"]
    assert _attribute(page, "#q3", "data-o").split() == [
        "wrong", "wrongly_refused", "refused", "changed", "broken",
    ]  # fmt: skip
    assert _texts(page, ".tiles .before")[0] == "before: 20.0 %"


def test_the_same_run_gives_the_same_bytes(sample: type[Sample]) -> None:
    run = sample.run()
    again = json.loads(json.dumps(run))
    assert render(run, sample.comparison()) == render(again, sample.comparison())
    assert run == again  # and is left as it was


def test_recall_by_file_alone(sample: type[Sample]) -> None:
    """As in a collection that is judged by document."""
    run = sample.run()
    run["curves"]["recall"] = [[1, None, 0.5], [2, None, 0.75]]
    label = _one(_parsed(render(run)), 'svg[aria-label^="Recall by k"]').attributes["aria-label"]
    assert label == "Recall by k: its file 50\xa0% at 1, 75\xa0% at 2."
