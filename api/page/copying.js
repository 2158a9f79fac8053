/** Words with their citation, to be pasted elsewhere: as text, Markdown or BibTeX. */

import { button, element } from "./dom.js";
import { place } from "./origin.js";

const LATEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
const flat = (text) => text.replace(/\s+/g, " ").trim();
const inMarkdown = (line) => line.trim().replace(/[\\`*_[\]<>#|~&]/g, "\\$&").replace(/^(\d*)([-+=.)])/, "$1\\$2");
const inLatex = (text) => text.replace(/[\\~^#$%&_{}]/g, (sign) => LATEX[sign] ?? `\\${sign}`);
const prefix = ({ sha256 }) => sha256.slice(0, 12);

function facts(citation) {
	const names = new Set([flat(citation.title), flat(citation.source)]);
	return [...names, place(citation), citation.date, `SHA-256 ${prefix(citation)}`].filter(Boolean);
}

export const FORMS = {
	Text: (words, citation) => `“${words}”\n${facts(citation).join(", ")}`,
	Markdown: (words, citation) => {
		const lines = [...words.split(/\r\n?|\n/), "", `— ${facts(citation).join(", ")}`];
		return lines.map((line) => `> ${inMarkdown(line)}`.trim()).join("\n");
	},
	BibTeX: (words, citation) => {
		const { title, source, paragraph, page, date } = citation;
		const fields = { title: flat(title), file: flat(source), paragraph, page, date, sha256: prefix(citation), quote: words };
		const lines = Object.entries(fields).flatMap(([name, value]) => (value ? `  ${name} = {${inLatex(`${value}`)}}` : []));
		return `@misc{${source.replace(/\W+/g, "-")}-${prefix(citation)},\n${lines.join(",\n")}\n}`;
	},
};

/** A menu that copies words, such as an answer's sentence, with their citation. */
export function copyMenu(citation, words) {
	const choices = Object.keys(FORMS).map((form) => button(form, () => copy(FORMS[form](words, citation))));
	const menu = element("div", { popover: "", class: "forms" }, ...choices);
	const opener = button("Copy", () => {});
	opener.popoverTargetElement = menu;

	async function copy(text) {
		if (!(await copied(text, menu))) return;
		menu.hidePopover();
		opener.textContent = "Copied";
		setTimeout(() => (opener.textContent = "Copy"), 2000);
	}
	return element("span", { class: "copy" }, opener, menu);
}

/** Whether the text is on the clipboard; if not it is left selected in the menu. */
async function copied(text, menu) {
	try {
		await navigator.clipboard.writeText(text); // there is none where the page came by plain HTTP
		return true;
	} catch {
		menu.querySelector("textarea")?.remove();
		const area = element("textarea", { readonly: "", rows: 4, "aria-label": "To be copied by hand" });
		area.value = text;
		menu.append(area);
		area.select();
		return document.execCommand("copy");
	}
}
