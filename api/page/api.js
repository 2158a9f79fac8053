/** The HTTP API as this page uses it. */

import { keep, recall } from "./tab.js";

const TOKEN = "token";
const POLLED = 500; // milliseconds between two looks at a job

/**
 * A request that brought no result. `status` is 0 where the server could not be reached, `retryAfter`
 * is in seconds, `results` are an upload's outcomes.
 */
export class Problem extends Error {
	constructor(status, title, detail = "", retryAfter = null, results = []) {
		super(title);
		Object.assign(this, { status, detail, retryAfter, results });
	}
}

export function connect(askForToken) {
	let asking = null;

	function freshToken(refused) {
		asking ??= askForToken(refused).finally(() => {
			asking = null;
		});
		return asking;
	}

	async function request(path, options = {}) {
		for (;;) {
			const token = recall(TOKEN);
			const response = await send(path, options, token);
			if (response.ok) return response;
			if (response.status !== 401) throw await problem(response);
			if (recall(TOKEN) !== token) continue; // another request brought a newer one
			keep(TOKEN, null);
			const fresh = await freshToken(token !== null);
			if (fresh === null) throw await problem(response);
			keep(TOKEN, fresh);
		}
	}

	async function json(path, options) {
		const response = await request(path, options);
		try {
			return await response.json();
		} catch {
			throw new Problem(-1, "The reply broke off", "Nothing you typed is lost: ask again.");
		}
	}

	const post = (path, body, signal) =>
		json(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });

	return {
		ask: (body, signal) => post("v1/ask", body, signal),

		feedback: (body) => post("v1/feedback", body),

		documents: (cursor, words) =>
			json(`v1/documents?${new URLSearchParams({ limit: "100", ...(words && { q: words }), ...(cursor && { cursor }) })}`),

		document: (id) => json(`v1/documents/${encodeURIComponent(id)}`),

		/**
		 * The document's text. Decoded here because Response.text() would swallow a leading U+FEFF
		 * that belongs to the text, and shift every offset.
		 */
		text: async (id) => {
			const response = await request(`v1/documents/${encodeURIComponent(id)}/text`);
			return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
		},

		status: () => json("v1/status"),

		collections: () => json("v1/collections"),

		collection: (name) => json(`v1/collections/${encodeURIComponent(name)}`),

		/** A large file is taken as a job: `saw` is told how it stands until it is through. */
		upload: async (file, collection, saw) => {
			const body = new FormData();
			body.append("files", file);
			if (collection) body.append("collection", collection);
			let reply = await json("v1/documents", { method: "POST", body });
			while (reply.state === "waiting" || reply.state === "running") {
				saw(reply);
				await new Promise((resolve) => setTimeout(resolve, POLLED));
				reply = await json(`v1/jobs/${reply.id}`);
			}
			if (!reply.results.length) throw new Problem(-1, "Not added", reply.detail ?? "The server stopped before it was through.");
			return reply;
		},

		remove: (id, keepalive) => request(`v1/documents/${encodeURIComponent(id)}`, { method: "DELETE", keepalive }),
	};
}

async function send(path, options, token) {
	const headers = new Headers(options.headers);
	if (token !== null) headers.set("Authorization", `Bearer ${token}`);
	try {
		return await fetch(path, { ...options, headers, cache: "no-store" });
	} catch {
		if (options.signal?.aborted) throw new Problem(-1, "Cancelled", "Nothing you typed is lost.");
		throw new Problem(0, "The server can't be reached");
	}
}

async function problem(response) {
	const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
	const retryAfter = Number.isNaN(seconds) ? null : seconds;
	const { title, detail, results } = await response.json().catch(() => ({}));
	return new Problem(
		response.status,
		typeof title === "string" ? title : `The server answered ${response.status}`,
		typeof detail === "string" ? detail : "",
		retryAfter,
		results,
	);
}

export function asProblem(error) {
	if (error instanceof Problem) return error;
	console.error(error);
	return new Problem(-1, "This page could not show the reply", "Reload the page, then ask again.");
}
