/** Offsets and paragraphs of a text. The API counts code points, JavaScript counts UTF-16 units. */

import { element } from "./dom.js";

/** Anything but the API's white space, which differs from \s in U+001C to U+001F, U+0085 and U+FEFF. */
const INK = /[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** The UTF-16 positions of ascending code point offsets; one beyond the text gives the text's length. */
export function unitsAt(text, offsets) {
	let unit = 0;
	let point = 0;
	return offsets.map((offset) => {
		for (; point < offset && unit < text.length; point += 1) unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
		return unit;
	});
}

/**
 * The blocks that blank lines separate, numbered from 1. A line ends in LF, CR LF or CR and in
 * nothing else; a blank line holds white space only. White space before the first counts to it.
 */
export function paragraphs(text) {
	const found = [];
	let open = null;
	for (const { 0: line, index } of text.matchAll(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+/g)) {
		const end = index + line.length;
		if (!INK.test(line)) {
			open = null;
		} else if (open) {
			open.end = end;
		} else {
			const last = found.at(-1);
			if (last) last.next = index;
			open = { number: found.length + 1, start: last ? index : 0, end, next: text.length };
			found.push(open);
		}
	}
	return found;
}

/** A piece of a text as strings and a `mark`, where any of it is between `from` and `to` (UTF-16 units). */
export function marked(text, { start, end }, from, to) {
	const [first, last] = [from, to].map((at) => Math.min(Math.max(at, start), end));
	if (first >= last) return [text.slice(start, end)];
	return [text.slice(start, first), element("mark", {}, text.slice(first, last)), text.slice(last, end)];
}
