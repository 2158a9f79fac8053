/** The chat page: joins the box, the conversation, the documents and the source panel. */

import { asProblem, connect } from "./api.js";
import { documentList } from "./documents.js";
import { announce, button, element, find } from "./dom.js";
import { replyView, spoken } from "./reply.js";
import { sourcePanel } from "./source.js";
import { tokenForm } from "./token.js";
import { explained } from "./words.js";

const box = find("#question");
const composer = find("#composer");
const collections = find("#collection select");

const api = connect(tokenForm(find("#token")));
const source = sourcePanel(find("#source"), api);
const documents = documentList(api, source.open, () => collections.value, offer);

async function ask(question) {
	const pending = element("div", { class: "pending" }, "Looking through your files…");
	const turn = element("article", { class: "turn", "aria-busy": "true" }, element("h2", { dir: "auto" }, question), pending);
	find("#conversation").append(turn);
	documents.fold();
	turn.scrollIntoView({ block: "start" });
	announce("Looking through your files");
	try {
		const reply = await api.ask(question, collections.value || null);
		pending.replaceWith(replyView(reply, (citation, from) => source.open(citation, from, reply)));
		announce(spoken(reply));
		if (reply.reason === "empty_index") documents.load();
	} catch (error) {
		const { title, next } = explained(asProblem(error));
		pending.replaceWith(problemView(title, next, () => retry(turn, question)));
		announce(`${title}. ${next}`);
		if (!box.value) box.value = question;
	}
	turn.removeAttribute("aria-busy");
}

function retry(turn, question) {
	turn.remove();
	if (box.value === question) box.value = "";
	box.focus();
	ask(question);
}

function problemView(title, next, again) {
	return element("div", { class: "problem" }, element("h3", {}, title), element("p", {}, next), button("Ask again", again));
}

composer.addEventListener("submit", (event) => {
	event.preventDefault();
	const question = box.value.trim();
	if (!question) return box.focus();
	box.value = "";
	ask(question);
});

box.addEventListener("keydown", (event) => {
	if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
	event.preventDefault();
	composer.requestSubmit();
});

document.addEventListener("keydown", (event) => {
	const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
	if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
	if (document.querySelector("dialog:modal")) return;
	event.preventDefault();
	box.focus();
});

function offer() {
	offerCollections().catch(() => {}); // the list of documents says what is wrong
}

async function offerCollections() {
	const names = (await api.collections()).collections.map(({ name }) => name);
	collections.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
	if (names.includes("default")) collections.value = "default";
	find("#collection").hidden = names.length < 2;
}

documents.load();
offer();
