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

/** What went wrong, and what to do next. */
export function explained(problem) {
	const { status } = problem;
	const detail = sentence(problem.detail);
	const wait = waiting(problem.retryAfter);
	if (status === 0) {
		return {
			title: "The server can't be reached",
			next: "It may have stopped, or the network is down. Nothing you typed is lost: ask again when it is back.",
		};
	}
	if (status === 401) {
		return { title: "An access token is needed", next: "Ask again and type the token that this server was started with." };
	}
	if (status === 404) return { title: "Not here", next: detail || "What you asked for is no longer in the index." };
	if (status === 413) return { title: "That is too long", next: detail || "Ask a shorter question." };
	if (status === 422) return { title: "This can't be asked as it is", next: detail || "Ask in other words." };
	if (status === 429) return { title: "Too many questions at once", next: `The server asks for a pause. Ask again ${wait}.` };
	if (status === 503) return { title: "Not ready yet", next: `${detail || "The files are still being read in."} Ask again ${wait}.` };
	if (status === 507) return { title: "The server's disk is full", next: detail || "Make room there, then ask again." };
	if (status >= 500) {
		return { title: "Something failed on the server", next: `${detail} Ask again; if it stays, look into the server's log.`.trim() };
	}
	return { title: problem.message, next: detail || "Ask again, perhaps in other words." };
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
