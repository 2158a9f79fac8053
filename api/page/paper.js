// @ts-check
/** A whole text laid out in numbered paragraphs, some words marked; large texts without freezing. */

import { element } from "./dom.js";
import { marked, paragraphs } from "./text.js";

/** @typedef {import("./text.js").Paragraph} Paragraph */

/** Paragraphs that are laid out together; more than a screen of them, however short they are. */
const CHUNK = 50;

/** UTF-16 units beyond which a paragraph is laid out in pieces. */
const ENDLESS = 20_000;

/** Milliseconds of work between two chances for the page to answer. */
const SLICE = 8;

/**
 * Fills the view around the mark at once and the rest little by little. When all is there, its text
 * joins to the whole text, and that of the marks to the marked words.
 * @param {HTMLElement} view
 * @param {string} text
 * @param {number} from in UTF-16 units, as `to`; where they are equal nothing is marked
 * @param {number} to
 */
export function layOut(view, text, from, to) {
  const chunks = chunked(paragraphs(text));
  const lists = chunks.map(emptyList);
  /** @param {number} at */
  const fill = (at) => lists[at].append(...chunks[at].map((one) => paragraphView(text, one, from, to)));

  const first = chunks.findIndex((chunk) => chunk[chunk.length - 1].next > from) - 1;
  const last = chunks.findLastIndex((chunk) => chunk[0].start < to) + 1;
  const near = chunks.map((_, at) => at).filter((at) => first <= at && at <= Math.max(last, 1));
  const far = chunks.map((_, at) => at).filter((at) => !near.includes(at));
  near.forEach(fill);
  view.replaceChildren(...lists);
  fillSlowly(far, fill, view, lists[0]);
}

/**
 * @param {number[]} rest
 * @param {(at: number) => void} fill
 * @param {HTMLElement} view
 * @param {HTMLElement} list one of this text's; when it has left the view the work is over
 */
async function fillSlowly(rest, fill, view, list) {
  let until = 0;
  for (const at of rest) {
    if (performance.now() > until) {
      await new Promise((resolve) => setTimeout(resolve));
      until = performance.now() + SLICE;
    }
    if (!view.contains(list)) return;
    fill(at);
  }
}

/** @param {Paragraph[]} all */
function chunked(all) {
  const chunks = [];
  for (let at = 0; at < all.length; at += CHUNK) chunks.push(all.slice(at, at + CHUNK));
  return chunks;
}

/**
 * A list that takes about the room that its paragraphs will need.
 * @param {Paragraph[]} chunk
 */
function emptyList(chunk) {
  const list = element("ol");
  const letters = chunk[chunk.length - 1].next - chunk[0].start;
  list.style.setProperty("--guess", `${Math.ceil(letters / 60 + chunk.length) * 27}px`);
  return list;
}

/**
 * @param {string} text
 * @param {Paragraph} paragraph
 * @param {number} from
 * @param {number} to
 */
function paragraphView(text, { number, start, end, next }, from, to) {
  const parts = pieces(text, start, end, from, to);
  const style = parts.length > 1 ? "piece" : "whole";
  const words = parts.map((part) => element("p", { dir: "auto", class: style }, ...marked(text, part, from, to)));
  const gap = element("span", { hidden: "" }, ...marked(text, { start: end, end: next }, from, to));
  return element("li", { value: String(number) }, ...words, gap);
}

/**
 * A paragraph whole, or an endless one in pieces that can be laid out one by one; none parts the
 * marked words.
 * @param {string} text
 * @param {number} start
 * @param {number} end
 * @param {number} from
 * @param {number} to
 */
function pieces(text, start, end, from, to) {
  const found = [];
  while (start < end) {
    const some = text.slice(start, start + ENDLESS);
    const space = end - start > ENDLESS ? some.lastIndexOf(" ") + 1 : 0;
    let cut = Math.min(end, start + (space || ENDLESS));
    if (from < cut && cut < to) cut = Math.min(to, end);
    if (isLowSurrogate(text, cut)) cut += 1;
    found.push({ start, end: cut });
    start = cut;
  }
  return found;
}

/**
 * @param {string} text
 * @param {number} at
 */
function isLowSurrogate(text, at) {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
