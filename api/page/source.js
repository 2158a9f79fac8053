/** The panel that shows where a quote stands: a whole document with the quoted words marked. */

import { address, linkTo } from "./address.js";
import { copyMenu } from "./copying.js";
import { element, find } from "./dom.js";
import { named, place } from "./origin.js";
import { layOut } from "./paper.js";
import { paragraphs, unitsAt } from "./text.js";
import { told } from "./words.js";

const CLOSED = "closed"; // the state of a step in the tab's history that closing left, to be used again

export function sourcePanel(dialog, api) {
	const narrow = matchMedia("(width < 60rem)");
	const [view, tools, notice, closer] = [".text", ".tools", ".notice", "button.close"].map((part) => find(part, dialog));
	let opener = null;
	let shown = null; // the document on show: its text can't change under its hash
	let quotes = [];
	let at = 0;
	let turn = 0;

	// At once, not on the close event: that comes later, and would take the focus from whoever has it.
	function close() {
		turn += 1;
		shown = null;
		dialog.close();
		view.replaceChildren();
		(opener?.isConnected ? opener : find("#question")).focus();
	}

	function leave() {
		const { d, s, e, t, ...rest } = address();
		history.replaceState(CLOSED, "", linkTo(rest));
		close();
	}

	/** Shows a citation or a document; a reply's other quotes from it are then a step away. */
	function open(target, from, reply) {
		opener = from;
		quotes = reply ? quotesOf(reply, target) : [];
		at = quotes.findIndex(({ start, end }) => start === target.start && end === target.end);
		visit(target);
	}

	function visit(target) {
		const { s, e, t, ...rest } = address();
		const quote = target.quote && { s: target.start, e: target.end, t: target.text_sha256.slice(0, 12) };
		const link = linkTo({ ...rest, d: target.document_id, ...quote });
		history[dialog.open || history.state === CLOSED ? "replaceState" : "pushState"](null, "", link);
		show(target);
	}

	/** Opens or closes what the address says. */
	function follow() {
		const { d, s, e, t = "" } = address();
		quotes = [];
		if (d) show({ document_id: d, start: Number(s), end: Number(e), text_sha256: t });
		else if (dialog.open) close();
	}

	function step(by) {
		at = (at + by + quotes.length) % quotes.length;
		visit(quotes[at]);
	}

	async function show(target) {
		const mine = (turn += 1);
		describe(target, "Opening…");
		if (!dialog.open) narrow.matches ? dialog.showModal() : dialog.show();
		if (!tools.contains(document.activeElement)) view.focus({ preventScroll: true });
		try {
			const { document_id: id, text_sha256 } = target;
			if (shown?.document_id !== id || shown.text_sha256 !== text_sha256) {
				view.replaceChildren();
				tools.hidden = true;
				const [text, record] = await Promise.all([api.text(id), api.document(id)]);
				if (mine === turn) shown = { ...record, text, blocks: paragraphs(text) };
			}
			if (mine === turn) fill(target);
		} catch (error) {
			if (mine === turn) describe(target, told(error));
		}
	}

	function fill(target) {
		const { text, blocks, ...record } = shown;
		const { start = 0, end = 0, sentence_start, sentence_end } = target;
		const [before, from, to, after] = unitsAt(text, [sentence_start ?? start, start, end, sentence_end ?? end]);
		const quote = text.slice(from, to);
		const same = record.text_sha256.startsWith(target.text_sha256);
		const stands = target.quote ? quote === target.quote : same;
		const paragraph = blocks.find(({ next }) => from < next)?.number;
		const cited = stands && quote ? { ...record, page: null, paragraph, quote, ...target } : target;
		describe({ ...record, ...cited }, ...(same && stands ? [] : changed(target.quote, stands)));
		layOut(view, text, blocks, stands ? from : 0, stands ? to : 0);
		view.scrollTop = 0;
		tools.hidden = !cited.quote;
		find(".steps", tools).hidden = quotes.length < 2;
		find(".steps span", tools).textContent = `${at + 1} of ${quotes.length}`;
		find(".copy", tools).replaceWith(copyMenu(cited, stands ? text.slice(before, after) : cited.quote));
		const mark = view.querySelector("mark");
		if (mark) point(mark, cited);
	}

	function point(mark, { page, page_label }) {
		if (page) mark.closest("li").dataset.page = `p. ${page_label ?? page}`;
		mark.tabIndex = -1;
		mark.scrollIntoView({ block: "center", behavior: "instant" });
		if (view.contains(document.activeElement)) mark.focus({ preventScroll: true });
	}

	function describe({ title, source = "", heading, date, ...more }, ...words) {
		const facts = { file: source, place: more.paragraph && place(more), heading: heading?.join(" › "), date };
		const known = Object.entries(facts).filter(([, fact]) => fact);
		find("h2", dialog).replaceChildren(named(title || source));
		find(".facts", dialog).replaceChildren(...known.map(([name, fact]) => element("span", { class: name }, named(fact))));
		notice.replaceChildren(...words);
		notice.hidden = words.length === 0;
	}

	closer.onclick = leave;
	dialog.oncancel = (event) => {
		event.preventDefault();
		leave();
	};
	document.addEventListener("keydown", (event) => {
		if (event.key === "Escape" && dialog.open && !document.querySelector("dialog:modal, :popover-open")) leave();
	});
	find(".previous", tools).onclick = () => step(-1);
	find(".next", tools).onclick = () => step(1);
	addEventListener("popstate", follow);
	follow();
	return { open };
}

/** A reply's different quotes from the same document, in its order. */
function quotesOf({ answers, passages }, { document_id }) {
	const all = [...passages, ...answers].flatMap(({ citation, also_in = [] }) => [citation, ...also_in]);
	const ours = all.filter((one) => one.document_id === document_id);
	const different = new Map(ours.map((one) => [`${one.start}-${one.end}`, one]));
	return [...different.values()].sort((one, other) => one.start - other.start || one.end - other.end);
}

/** What to say where the file is no longer the one that was quoted. */
function changed(quote, stands) {
	if (stands) return ["This file has changed since, but the quoted words still stand here."];
	if (!quote) return ["This file has changed since the link was made, so nothing is marked."];
	const words = "This file has changed since, and the quoted words no longer stand at their place. They were:";
	return [words, element("blockquote", { dir: "auto" }, quote)];
}
