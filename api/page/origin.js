/** Where words come from, as a person reads it: names, titles, places. */

import { element } from "./dom.js";

/** Control and direction characters that could disguise a name; the two joiners belong to words. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** A name or title, isolated from the direction around it, with what would not be seen spelt out. */
export function named(text) {
	const spelt = text.replace(UNSEEN, (sign) => `[U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
	return element("bdi", {}, spelt);
}

/** Such as "paragraph 9, page 3". */
export function place({ paragraph, paragraph_end, page, page_label }) {
	const paragraphs = paragraph_end > paragraph ? `paragraphs ${paragraph}–${paragraph_end}` : `paragraph ${paragraph}`;
	if (page === null) return paragraphs;
	const label = page_label && page_label !== String(page) ? ` (${page_label})` : "";
	return `${paragraphs}, page ${page}${label}`;
}

/** Title and file name; a title that only repeats the file's name is left out. */
export function origin({ title, source }) {
	const stem = source.slice(source.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
	if (!title || title === stem || title === source) return [element("span", { class: "title" }, named(source))];
	return [element("span", { class: "title" }, named(title)), element("span", { class: "file" }, named(source))];
}
