/** The small form that asks for the access token, where the server has one. */

import { find } from "./dom.js";

export function tokenForm(dialog) {
	const input = find("input", dialog);
	find("button.cancel", dialog).addEventListener("click", () => dialog.close(""));

	return (refused) => {
		find(".why", dialog).textContent = refused
			? "The server did not accept that token. Please type it again."
			: "This server answers only those who have its token.";
		input.value = "";
		dialog.returnValue = "";
		dialog.showModal();
		return new Promise((resolve) => {
			const form = find("form", dialog);
			const given = () => dialog.close("given");
			form.addEventListener("submit", given, { once: true });
			dialog.addEventListener(
				"close",
				() => {
					form.removeEventListener("submit", given);
					resolve(dialog.returnValue === "given" ? input.value : null);
					input.value = "";
				},
				{ once: true },
			);
		});
	};
}
