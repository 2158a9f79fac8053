/** This tab's conversation: each question with its reply, or with what went wrong. */

import { linkTo } from "./address.js";
import { asProblem } from "./api.js";
import { announce, button, element, find } from "./dom.js";
import { asked, scopeView } from "./narrowing.js";
import { named } from "./origin.js";
import { replyView, spoken } from "./reply.js";
import { keep, recall } from "./tab.js";
import { counted, explained } from "./words.js";

const KEY = "conversation";
const MOST = 30; // entries that are kept
const TURNS = 10; // that the API takes
const PATIENCE = 60; // seconds after which asking again is left to the person

const linkOf = ({ question, scope, reply }) => linkTo({ q: reply.rewritten ?? question, ...scope });

export function conversation(api, open) {
	const [box, log, clear] = ["#question", "#conversation", "#clear"].map((part) => find(part));
	const running = new Set();
	let entries = [];

	async function ask(question, scope, literal = false) {
		const control = new AbortController();
		const cancel = button("Cancel", () => control.abort());
		const pending = element("div", { class: "pending" }, "Looking through your files…", cancel);
		const turn = turnOf(question, scope, pending);
		turn.ariaBusy = "true";
		running.add(control);
		turn.scrollIntoView({ block: "start" });
		announce("Looking through your files");
		try {
			const history = literal ? [] : soFar(scope);
			const reply = await api.ask({ question, ...asked(scope), ...(history.length && { history }) }, control.signal);
			const entry = { question, scope, reply, said: [] };
			pending.replaceWith(...entryView(entry));
			entries.push(entry);
			remember();
			announce(spoken(reply));
		} catch (error) {
			const typed = box.value;
			box.value ||= turn.isConnected ? question : "";
			if (control.signal.aborted && !typed) giveBack(turn);
			else fail(turn, pending, asProblem(error), () => retry(turn, question, scope, literal));
		}
		running.delete(control);
		turn.ariaBusy = null;
	}

	function turnOf(question, scope, ...more) {
		const turn = element("article", { class: "turn" }, element("h2", { dir: "auto" }, question));
		if (Object.keys(scope).length) turn.append(scopeView(scope));
		turn.append(...more);
		log.append(turn);
		clear.hidden = false;
		return turn;
	}

	function soFar({ c }) {
		const same = entries.filter(({ scope }) => scope.c === c).slice(-TURNS);
		return same.map(({ question, reply }) => ({ question, answer: reply.answers[0]?.text ?? null }));
	}

	function entryView(entry) {
		const { question, scope, reply } = entry;
		const link = element("a", { href: linkOf(entry), title: "Copy a link that asks this again" }, "Link");
		link.onclick = async (event) => {
			if (event.ctrlKey || event.metaKey || event.shiftKey || !navigator.clipboard) return;
			event.preventDefault();
			await navigator.clipboard.writeText(link.href).then(
				() => (link.textContent = "Link copied"),
				() => (location.hash = link.hash),
			);
			announce(link.textContent);
		};
		const context = { collection: asked(scope).collection, question: reply.rewritten ?? question };
		const view = replyView(reply, (citation, from) => open(citation, from, reply), { ...context, api, said: entry.said, done: remember, link });
		return reply.rewritten ? [rewrittenView(entry), view] : [view];
	}

	function rewrittenView({ question, scope, reply }) {
		const edit = button("Edit", () => {
			box.value = reply.rewritten;
			box.focus();
		});
		const literally = button("Ask as typed", () => ask(question, scope, true));
		return element("p", { class: "rewritten" }, "Searched for: ", named(reply.rewritten), edit, literally);
	}

	/** The oldest go first where the browser has no room for all. */
	function remember() {
		entries = entries.slice(-MOST);
		for (let from = 0; from <= entries.length && !keep(KEY, JSON.stringify(entries.slice(from))); from += 1);
	}

	function giveBack(turn) {
		turn.remove();
		box.focus();
		announce("Cancelled. The question is back in the box.");
	}

	function fail(turn, pending, problem, again) {
		const soon = problem.retryAfter !== null && problem.retryAfter <= PATIENCE;
		const { title, next } = explained(problem, !soon);
		const view = element("div", { class: "problem" }, element("h3", {}, title), element("p", {}, next), button("Ask again", again));
		pending.replaceWith(view);
		announce(`${title}. ${next}`);
		if (soon) countDown(view, problem.retryAfter, again);
	}

	function retry(turn, question, scope, literal) {
		if (turn.contains(document.activeElement)) box.focus();
		turn.remove();
		if (box.value === question) box.value = "";
		ask(question, scope, literal);
	}

	function restore() {
		try {
			for (const entry of JSON.parse(recall(KEY)) ?? []) {
				turnOf(entry.question, entry.scope, ...entryView(entry));
				entries.push(entry);
			}
		} catch {
			keep(KEY, null);
		}
	}

	clear.onclick = () => {
		running.forEach((control) => control.abort());
		entries = [];
		keep(KEY, null);
		log.replaceChildren();
		clear.hidden = true;
		box.focus();
		announce("Conversation cleared");
	};
	restore();

	/** Asks what a link says, unless it was asked in this tab before. */
	function follow(question, scope) {
		const at = entries.findIndex((entry) => linkOf(entry) === linkTo({ q: question, ...scope }));
		if (at < 0) ask(question, scope, true);
	}
	return { ask, follow };
}

function countDown(view, seconds, again) {
	const words = element("p");
	const tell = () => (words.textContent = `Asks again by itself in ${counted(seconds, "second")}.`);
	const timer = setInterval(() => {
		seconds -= 1;
		if (!view.isConnected) clearInterval(timer);
		else if (seconds > 0) tell();
		else again();
	}, 1000);
	const stop = button("Leave it", () => {
		clearInterval(timer);
		words.remove();
		stop.remove();
		find("button", view).focus();
	});
	tell();
	find("p", view).after(words);
	view.append(" ", stop);
}
