/** The list of indexed documents: to search, open, add to and remove from. */

import { asProblem } from "./api.js";
import { announce, button, element, find } from "./dom.js";
import { named, origin } from "./origin.js";
import { uploads } from "./uploads.js";
import { counted, told } from "./words.js";

const UNDO = 8000; // milliseconds in which a removal can be taken back
const FEW = 5; // documents that need no search

/** `collection` names the one that takes new files; `changed` is called when documents came or went. */
export function documentList(api, open, collection, changed) {
	const [state, details, jump] = ["#documents-state", "#documents", "#show-documents"].map((part) => find(part));
	const [summary, search, list, more] = ["summary", "input", "ul", ".more"].map((part) => find(part, details));
	const leaving = new Map(); // removals that can be taken back still, by document
	const adding = uploads(api, collection, () => load().then(changed));
	let cursor = null;
	let turn = 0;

	/** Begins the list anew; waits and tries again while the server is still reading files in. */
	async function load() {
		const mine = (turn += 1);
		try {
			const [status, listing] = await Promise.all([api.status(), api.documents(null, search.value)]);
			if (mine !== turn) return;
			list.replaceChildren();
			add(listing);
			count(status);
		} catch (error) {
			const { status, retryAfter } = asProblem(error);
			state.textContent = told(error);
			if (status === 503) setTimeout(load, 1000 * (retryAfter ?? 2));
		}
	}

	function add({ documents, next }) {
		cursor = next;
		more.hidden = next === null;
		list.append(...documents.map((one) => leaving.get(one.document_id)?.item ?? row(one)));
		if (!list.firstChild) list.append(element("li", { class: "gone" }, "No document has these words in its name or title."));
	}

	function count({ documents, writable }) {
		adding.allow(writable !== false);
		details.classList.toggle("fixed", writable === false);
		summary.textContent = jump.textContent = counted(documents, "document");
		details.hidden = jump.hidden = documents === 0;
		search.hidden = documents <= FEW && !search.value;
		state.replaceChildren(...(documents ? [] : invitation()));
	}

	function row(one) {
		const facts = [one.date, counted(one.paragraphs, "paragraph"), size(one.bytes)].filter(Boolean).join(" · ");
		const node = button("", () => open(one, node), "row");
		node.append(...origin(one), element("span", { class: "facts" }, facts));
		const away = button("✕", () => remove(item, one), "close");
		away.ariaLabel = `Remove ${one.title || one.source}`;
		const item = element("li", {}, node, away);
		return item;
	}

	/** Takes a document from the list at once, and from the index when that can't be undone any more. */
	function remove(item, { document_id: id, title, source }) {
		const [node, away] = item.children;
		const undo = button("Undo", () => back());
		const timer = setTimeout(settle, UNDO);

		function back(...words) {
			const focused = item.contains(document.activeElement);
			end();
			item.replaceChildren(node, away, ...words);
			if (focused) node.focus();
		}

		function end() {
			clearTimeout(timer);
			leaving.delete(id);
		}

		async function settle(keepalive = false) {
			end();
			try {
				await api.remove(id, keepalive);
			} catch (error) {
				const words = `Not removed. ${told(error)}`;
				if (asProblem(error).status !== 404) return back(element("p", { class: "failed", role: "alert" }, words));
			}
			const near = item.nextElementSibling ?? item.previousElementSibling;
			if (item.contains(document.activeElement)) (near?.querySelector("button") ?? summary).focus();
			item.remove();
			count(await api.status());
			changed();
		}

		leaving.set(id, { item, settle });
		item.replaceChildren(element("p", { class: "gone" }, named(title || source), " · Removed. ", undo));
		announce(`${title || source} removed`);
		undo.focus();
	}

	jump.onclick = () => {
		details.open = true;
		details.scrollIntoView({ block: "center" });
		summary.focus({ preventScroll: true });
	};
	more.onclick = async () => {
		const mine = turn;
		const last = list.lastElementChild;
		try {
			const listing = await api.documents(cursor, search.value);
			if (mine === turn) add(listing);
		} catch (error) {
			state.textContent = told(error);
		}
		last.nextElementSibling?.querySelector("button").focus();
	};
	search.oninput = () => {
		const mine = (turn += 1);
		setTimeout(() => mine === turn && load(), 250);
	};
	addEventListener("pagehide", () => leaving.forEach(({ settle }) => settle(true)));

	/** Makes room for the conversation. */
	function fold() {
		details.open = false;
		adding.tidy();
	}
	return { load, fold };
}

const size = (bytes) => bytes?.toLocaleString("en", { notation: "compact", style: "unit", unit: "byte", unitDisplay: "narrow" });

function invitation() {
	return ["No files are indexed yet. Point this at a folder of yours, then ask:", element("pre", {}, element("code", {}, "rag ingest FOLDER"))];
}
