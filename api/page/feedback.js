/** Whether an answer, or that there was none, was right: said once, kept by the server. */

import { button, element } from "./dom.js";
import { told } from "./words.js";

/** `citation` is the answer's, null where nothing was found; `done` is called when it was taken. */
export function feedbackView(api, { question, collection, citation }, said, done) {
	const status = element("span", { role: "status" }, said ? "Thank you" : "");
	const right = button("Right", () => send({ verdict: "right" }));
	const wrong = button("Wrong", () => {
		more.hidden = !more.hidden;
		wrong.ariaExpanded = !more.hidden;
		if (!more.hidden) input.focus();
	});
	const words = citation ? "What would be right? (optional)" : "Which words should have been found?";
	const input = element("input", { "aria-label": words, placeholder: words, maxlength: "1000", dir: "auto" });
	input.required = !citation;
	const more = element("span", { hidden: "" }, input, element("button", { class: "quiet" }, "Send"));
	const label = citation ? "Is this answer right?" : "Is it right that nothing was found?";
	const view = element("form", { class: "feedback", "aria-label": label }, ...(said ? [] : [right, wrong, more]), status);
	let busy = false;

	async function send(verdict) {
		if (busy) return;
		busy = true;
		try {
			await api.feedback({ question, collection, citation, ...verdict });
			status.textContent = "Thank you";
			status.tabIndex = -1;
			if (view.contains(document.activeElement)) status.focus();
			[right, wrong, more].forEach((one) => one.remove());
			done();
		} catch (error) {
			status.textContent = `Not sent. ${told(error)}`;
		}
		busy = false;
	}

	view.onsubmit = (event) => {
		event.preventDefault();
		send({ verdict: "wrong", expected: input.value.trim() || null });
	};
	return view;
}
