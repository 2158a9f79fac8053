/** What the page says, in words: reasons, problems, figures. */

import { asProblem } from "./api.js";

const REASONS = {
	empty_index:
		"No files are indexed here yet, so there was nowhere to look. Add a folder with “rag ingest FOLDER”, then ask again.",
	no_passage:
		"Nothing in your files comes near this question. Try other words, or see in the list of documents whether the right files are there.",
	low_confidence:
		"Some passages come near, but none of them answers this clearly enough to stand behind. Read the nearest ones and judge for yourself.",
	unsupported_language:
		"This question seems to be in a language that answers can't be given in yet. Try asking it in English.",
};

export function whyNotFound(reason) {
	return Object.hasOwn(REASONS, reason ?? "")
		? REASONS[reason]
		: "Your files hold no answer that could be given word for word. Try asking in other words.";
}

/** By status: what went wrong, and what to do where the server gives no detail. */
const PROBLEMS = {
	401: ["An access token is needed", "Ask again and type a token that this server knows."],
	403: ["This token may not do that", "It may read only, or this server is read-only."],
	404: ["Not here", "What you asked for is no longer in the index."],
	408: ["The request took too long to arrive", "The network may be slow. Ask again."],
	413: ["That is too long", "Ask a shorter question."],
	422: ["This can't be asked as it is", "Ask in other words."],
	429: ["Too many questions at once", "The server asks for a pause."],
	503: ["Not ready yet", "The server is busy, or still reading files in."],
	507: ["The server's disk is full", "Make room there, then ask again."],
};
const AWAY = "It may have stopped, or the network is down. Nothing you typed is lost: ask again when it is back.";

/** What went wrong, and what to do next; unless `waits` is false, also how long to wait. */
export function explained({ status, message, detail, retryAfter }, waits = true) {
	if (status === 0) return { title: message, next: AWAY };
	const [title, next] = PROBLEMS[status] ?? [status >= 500 ? "Something failed on the server" : message, "Ask again, perhaps in other words."];
	const told = status === 401 || !detail ? next : sentence(detail);
	if (waits && (status === 429 || status === 503)) return { title, next: `${told} Ask again ${waiting(retryAfter)}.` };
	return { title, next: status >= 500 && !PROBLEMS[status] ? `${told} Ask again; if it stays, look into the server's log.` : told };
}

export function told(error) {
	const { title, next } = explained(asProblem(error));
	return `${title}. ${next}`;
}

function sentence(text) {
	const begun = text.charAt(0).toUpperCase() + text.slice(1);
	return !text || /[.!?…]$/.test(text) ? begun : `${begun}.`;
}

function waiting(seconds) {
	if (seconds === null) return "in a moment";
	return seconds < 90 ? `in ${counted(Math.max(1, seconds), "second")}` : `in ${counted(Math.round(seconds / 60), "minute")}`;
}

export function counted(count, noun) {
	return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

export function lasted(milliseconds) {
	if (milliseconds < 1) return "under 1 ms";
	return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

export function trust(confidence) {
	if (confidence >= 0.85) return "High confidence";
	return confidence >= 0.6 ? "Fair confidence" : "Low confidence";
}
