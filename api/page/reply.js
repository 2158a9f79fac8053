/** A reply as the conversation shows it. */

import { button, element } from "./dom.js";
import { feedbackView } from "./feedback.js";
import { origin, place } from "./origin.js";
import { marked, unitsAt } from "./text.js";
import { counted, lasted, trust, whyNotFound } from "./words.js";

/** `about` is what feedback needs to know, which answers were judged already, and the entry's link. */
export function replyView(reply, open, about) {
	const cite = numbered(open);
	const judge = (at) => judgeView(reply.answers[at]?.citation ?? null, at, about);
	const [first, ...others] = reply.answers;
	const facts = factsView(first?.confidence ?? null, reply.took_ms.total);
	const view = element("div", { class: "reply" }, first ? answerView(first, cite) : notFoundView(reply.reason));
	view.append(element("div", { class: "after" }, facts, about.link, judge(0)));
	if (others.length) view.append(othersView(others, cite, judge));
	if (reply.passages.length) view.append(passagesView(reply, cite));
	return view;
}

function judgeView(citation, at, { api, said, done, question, collection }) {
	return feedbackView(api, { question, collection, citation }, said[at], () => {
		said[at] = true;
		done();
	});
}

/** The reply in one breath, for the live region. */
export function spoken(reply) {
	const [first] = reply.answers;
	if (!first) return `Not found in your files. ${whyNotFound(reply.reason)}`;
	const { title, source } = first.citation;
	return `Answer: ${first.text}. From ${title || source}, ${place(first.citation)}. The sentence: ${first.sentence}`;
}

function numbered(open) {
	let number = 0;
	return (citation) => {
		number += 1;
		const node = button("", () => open(citation, node), "cite");
		node.append(
			element("span", { class: "number" }, String(number)),
			element("span", { class: "where" }, ...origin(citation), element("span", { class: "place" }, place(citation))),
		);
		return node;
	};
}

function answerView(answer, cite) {
	const view = element("div", { class: "answer" });
	view.append(element("blockquote", { dir: "auto" }, ...sentenceView(answer)), cite(answer.citation));
	view.append(...alsoView(answer.also_in, cite));
	return view;
}

/** The sentence with the answer marked, provided that the offsets give exactly the answer's words. */
function sentenceView({ sentence, citation }) {
	const origin = citation.sentence_start ?? citation.start;
	const [from, to] = unitsAt(sentence, [citation.start - origin, citation.end - origin]);
	if (sentence.slice(from, to) !== citation.quote) return [sentence];
	return marked(sentence, { start: 0, end: sentence.length }, from, to);
}

function alsoView(citations, cite) {
	if (!citations?.length) return [];
	return [element("div", { class: "also" }, element("span", {}, "also in"), ...citations.map(cite))];
}

function factsView(confidence, milliseconds) {
	const facts = element("p", { class: "facts" });
	if (confidence !== null) {
		facts.append(element("span", { title: `${Math.round(confidence * 100)} %` }, trust(confidence)), " · ");
	}
	facts.append(lasted(milliseconds));
	return facts;
}

function othersView(answers, cite, judge) {
	const items = answers.map((answer, at) => element("li", {}, answerView(answer, cite), judge(at + 1)));
	return element("section", { class: "others" }, element("h3", {}, "Also answered"), element("ul", {}, ...items));
}

function notFoundView(reason) {
	return element(
		"div",
		{ class: "not-found" },
		element("h3", {}, "Not found in your files"),
		element("p", {}, whyNotFound(reason)),
	);
}

function passagesView({ answers, passages }, cite) {
	const found = answers.length > 0;
	const label = found ? counted(passages.length, "passage") + " read" : `Nearest passages (${passages.length})`;
	const items = passages.map((passage) => element("li", {}, ...passageView(passage, cite)));
	const view = element("details", { class: "passages" }, element("summary", {}, label), element("ol", {}, ...items));
	view.toggleAttribute("open", !found);
	return view;
}

function passageView(passage, cite) {
	return [
		element("blockquote", { dir: "auto" }, passage.text),
		cite(passage.citation),
		...alsoView(passage.also_in, cite),
	];
}
