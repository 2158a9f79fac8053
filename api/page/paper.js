/** A whole text laid out in numbered paragraphs, some words marked; large texts without freezing. */

import { element } from "./dom.js";
import { marked } from "./text.js";

const CHUNK = 50; // paragraphs laid out together: more than a screen of them, however short
const ENDLESS = 20_000; // UTF-16 units beyond which a paragraph is laid out in pieces
const SLICE = 8; // milliseconds of work between two chances for the page to answer

/**
 * Fills the view around what is marked at once and the rest little by little. In the end its text is
 * the whole text, and the marks hold what stands between `from` and `to`, in UTF-16 units.
 */
export async function layOut(view, text, blocks, from, to) {
	const chunks = [];
	for (let at = 0; at < blocks.length; at += CHUNK) chunks.push(blocks.slice(at, at + CHUNK));
	const lists = chunks.map(emptyList);
	const fill = (at) => lists[at].append(...chunks[at].map((block) => paragraphView(text, block, from, to)));

	const first = chunks.findIndex((chunk) => chunk.at(-1).next > from) - 1;
	const last = Math.max(chunks.findLastIndex((chunk) => chunk[0].start < to), 0) + 1;
	const far = [];
	lists.forEach((_, at) => (first <= at && at <= last ? fill(at) : far.push(at)));
	view.replaceChildren(...lists);

	let until = 0;
	for (const at of far) {
		if (performance.now() > until) {
			await new Promise((resolve) => setTimeout(resolve));
			until = performance.now() + SLICE;
		}
		if (!lists[0].isConnected) return; // another text has taken the place
		fill(at);
	}
}

/** A list that takes about the room that its paragraphs will need. */
function emptyList(chunk) {
	const list = element("ol");
	const letters = chunk.at(-1).next - chunk[0].start;
	list.style.setProperty("--guess", `${Math.ceil(letters / 60 + chunk.length) * 27}px`);
	return list;
}

function paragraphView(text, { number, start, end, next }, from, to) {
	const parts = pieces(text, start, end, from, to);
	const style = { dir: "auto", class: parts.length > 1 ? "piece" : "" };
	const words = parts.map((part) => element("p", style, ...marked(text, part, from, to)));
	const gap = element("span", { hidden: "" }, ...marked(text, { start: end, end: next }, from, to));
	return element("li", { value: number }, ...words, gap);
}

/** A paragraph in pieces that can be laid out one by one; none parts the marked words or a surrogate pair. */
function pieces(text, start, end, from, to) {
	const found = [];
	while (start < end) {
		const space = end - start > ENDLESS ? text.slice(start, start + ENDLESS).lastIndexOf(" ") + 1 : 0;
		let cut = Math.min(end, start + (space || ENDLESS));
		if (from < cut && cut < to) cut = Math.min(to, end);
		if (/[\udc00-\udfff]/.test(text.charAt(cut))) cut += 1;
		found.push({ start, end: cut });
		start = cut;
	}
	return found;
}
