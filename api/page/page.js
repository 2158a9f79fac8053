/** The chat page: joins the box, the conversation, the documents and the source panel. */

import { address } from "./address.js";
import { connect } from "./api.js";
import { conversation } from "./conversation.js";
import { documentList } from "./documents.js";
import { find } from "./dom.js";
import { narrowing, scopeOf } from "./narrowing.js";
import { sourcePanel } from "./source.js";
import { tokenForm } from "./token.js";

const box = find("#question");
const composer = find("#composer");

const api = connect(tokenForm(find("#token")));
const where = narrowing(api);
const talk = conversation(api, (...source) => panel.open(...source));
const panel = sourcePanel(find("#source"), api);
const documents = documentList(api, panel.open, where.collection, where.refresh);

composer.onsubmit = (event) => {
	event.preventDefault();
	const question = box.value.trim();
	if (!question) return box.focus();
	box.value = "";
	documents.fold();
	talk.ask(question, where.scope());
};

box.onkeydown = (event) => {
	if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
	event.preventDefault();
	composer.requestSubmit();
};

document.addEventListener("keydown", (event) => {
	const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
	if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
	if (document.querySelector("dialog:modal")) return;
	event.preventDefault();
	box.focus();
});

function follow() {
	const parts = address();
	if (!parts.q) return;
	documents.fold();
	where.set(scopeOf(parts));
	talk.follow(parts.q, scopeOf(parts));
}

addEventListener("hashchange", follow);
documents.load();
where.refresh();
follow();
