/** Files that are dropped or chosen go to the server one by one; each has its own outcome. */

import { asProblem } from "./api.js";
import { announce, element, find } from "./dom.js";
import { named } from "./origin.js";
import { counted, told } from "./words.js";

const OUTCOMES = ["added", "replaced", "moved", "unchanged", "refused", "unsent"];
const REFUSALS = [413, 415, 422]; // they concern this file alone
const HOPELESS = [0, 401, 403, 507]; // the next file would fare no better
const FOLDER = "Folders can't be added here: drop the files in it, or use “rag ingest FOLDER”.";

/** What became of a file, and of the files that came inside it. */
function reported([own, ...inside]) {
	const noted = inside.filter(({ status, note }) => status === "refused" || note);
	const taken = inside.filter(({ status }) => !["refused", "removed"].includes(status)).length;
	const words = `${own.reason ?? own.note ?? own.status}${taken ? ` with ${counted(taken, "attachment")}` : ""}`;
	return [words, ...noted.map(({ source, reason, note }) => `${source.slice(own.source.length + 1)}: ${reason ?? note}`)].join("; ");
}

/** Returns what lets files in or not, and what puts outcomes away; `done` is called when all are sent. */
export function uploads(api, collection, done) {
	const panel = find("#uploads");
	const [tally, bar, list, cancel, close] = ["p", "progress", "ol", ".cancel", ".close"].map((part) => find(part, panel));
	const [offer, choose, input] = ["#adding", "#adding button", "#adding input"].map((part) => find(part));
	let waiting = [];
	let busy = false;

	function add(files) {
		if (!busy) list.replaceChildren();
		for (const file of files) {
			const one = { file, into: collection(), item: element("li", {}, named(file.name), element("span")) };
			list.append(one.item);
			say(one, "waiting");
			if (file.folder) say(one, "refused", FOLDER);
			else waiting.push(one);
		}
		panel.hidden = false;
		busy ? show() : sendAll();
	}

	function say({ item }, outcome, words) {
		item.className = outcome;
		item.lastChild.textContent = words ?? outcome;
	}

	function show() {
		const sum = (outcome) => list.querySelectorAll(`.${outcome}`).length;
		const sums = OUTCOMES.filter(sum).map((outcome) => `${sum(outcome)} ${outcome}`);
		bar.max = list.childElementCount;
		bar.value = bar.max - sum("waiting");
		tally.textContent = busy ? `Adding ${Math.min(bar.value + 1, bar.max)} of ${bar.max}` : sums.join(", ");
		bar.hidden = !busy;
		close.hidden = busy;
		cancel.hidden = waiting.length === 0;
	}

	async function sendAll() {
		busy = true;
		for (let one; show(), (one = waiting.shift()); ) await send(one);
		busy = false;
		show();
		announce(tally.textContent);
		done();
	}

	async function send(one) {
		say(one, "waiting", "sending…");
		try {
			const saw = (job) => say(one, "waiting", `${counted(job.passages_encoded, "passage")} read…`);
			const { results } = await api.upload(one.file, one.into, saw);
			say(one, results[0].status, reported(results));
		} catch (error) {
			const { status, detail, retryAfter, results } = asProblem(error);
			if (retryAfter !== null) {
				waiting.unshift(one);
				show();
				say(one, "waiting", `the server asks for a pause of ${counted(retryAfter, "second")}…`);
				await new Promise((resolve) => setTimeout(resolve, 1000 * retryAfter));
			} else if (REFUSALS.includes(status)) {
				say(one, "refused", results[0]?.reason ?? detail);
			} else {
				say(one, "unsent", `Unsent. ${told(error)}`);
				if (HOPELESS.includes(status)) stop();
			}
		}
	}

	function stop() {
		for (const one of waiting.splice(0)) say(one, "unsent");
	}

	cancel.onclick = () => {
		stop();
		show();
		tally.focus();
	};
	close.onclick = () => {
		panel.hidden = true;
		find("#question").focus();
	};
	choose.onclick = () => input.click();
	input.onchange = () => {
		add(input.files);
		input.value = "";
	};

	const lit = (on) => document.body.classList.toggle("dropping", on);
	addEventListener("dragover", (event) => {
		if (!event.dataTransfer.types.includes("Files")) return;
		event.preventDefault();
		event.dataTransfer.dropEffect = offer.hidden ? "none" : "copy";
		lit(!offer.hidden);
	});
	addEventListener("dragleave", ({ relatedTarget }) => relatedTarget ?? lit(false));
	addEventListener("drop", (event) => {
		lit(false);
		const items = [...event.dataTransfer.items].filter(({ kind }) => kind === "file");
		if (items.length === 0) return;
		event.preventDefault();
		add(items.map((item) => (item.webkitGetAsEntry()?.isDirectory ? { name: item.getAsFile().name, folder: true } : item.getAsFile())));
	});
	addEventListener("beforeunload", (event) => busy && event.preventDefault());
	return { allow: (can) => (offer.hidden = !can), tidy: () => (panel.hidden ||= !busy) };
}
