// @ts-check
/** The panel that shows where a quote stands: a whole document with the quoted words marked. */

import { asProblem } from "./api.js";
import { element, find } from "./dom.js";
import { named, place } from "./origin.js";
import { layOut } from "./paper.js";
import { unitsAt } from "./text.js";
import { explained } from "./words.js";

/** @typedef {import("./api.js").Citation} Citation */
/** @typedef {import("./api.js").DocumentRecord} DocumentRecord */

/**
 * @param {HTMLDialogElement} dialog
 * @param {import("./api.js").Api} api
 */
export function sourcePanel(dialog, api) {
  /** @type {HTMLElement | null} */
  let opener = null;
  let turn = 0;
  const narrow = matchMedia("(width < 60rem)");
  const view = find(".text", dialog);

  // At once, not on the close event: that comes later, and would take the focus from whoever has it.
  function close() {
    turn += 1;
    dialog.close();
    view.replaceChildren();
    opener?.focus();
  }

  find("button.close", dialog).addEventListener("click", close);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && dialog.open && !document.querySelector("dialog:modal")) close();
  });

  /**
   * @param {Citation | DocumentRecord} target
   * @param {HTMLElement} from takes the focus back
   */
  async function open(target, from) {
    const citation = "quote" in target ? target : null;
    const mine = (turn += 1);
    opener = from;
    find("h2", dialog).replaceChildren(named(target.title || target.source));
    find(".facts", dialog).replaceChildren(...factsOf(target));
    notice(dialog, "Opening…");
    view.replaceChildren();
    if (!dialog.open) narrow.matches ? dialog.showModal() : dialog.show();
    view.focus({ preventScroll: true });
    try {
      const [text, record] = await Promise.all([
        api.text(target.document_id),
        citation ? api.document(target.document_id) : target,
      ]);
      if (mine === turn) show(dialog, text, citation, /** @type {DocumentRecord} */ (record));
    } catch (error) {
      if (mine !== turn) return;
      const { title, next } = explained(asProblem(error));
      notice(dialog, `${title}. ${next}`);
    }
  }

  return { open };
}

/** @param {Citation | DocumentRecord} target */
function factsOf(target) {
  const facts = [element("span", { class: "file" }, named(target.source))];
  if ("quote" in target) {
    facts.push(element("span", { class: "place" }, place(target)));
    if (target.heading.length) facts.push(element("span", { class: "heading" }, named(target.heading.join(" › "))));
  } else if (target.date) {
    facts.push(element("span", {}, target.date));
  }
  return facts;
}

/**
 * @param {HTMLElement} dialog
 * @param {...(string | Node)} words none hides the notice
 */
function notice(dialog, ...words) {
  const node = find(".notice", dialog);
  node.replaceChildren(...words);
  node.hidden = words.length === 0;
}

/**
 * @param {HTMLElement} dialog
 * @param {string} text
 * @param {Citation | null} citation
 * @param {DocumentRecord} record
 */
function show(dialog, text, citation, record) {
  const view = find(".text", dialog);
  const [from, to] = citation ? unitsAt(text, [citation.start, citation.end]) : [0, 0];
  const stands = citation !== null && text.slice(from, to) === citation.quote;
  notice(dialog, ...changed(citation, record, stands));
  layOut(view, text, stands ? from : 0, stands ? to : 0);
  view.scrollTop = 0;

  const mark = view.querySelector("p mark");
  if (!(mark instanceof HTMLElement)) return;
  mark.tabIndex = -1;
  mark.scrollIntoView({ block: "center", behavior: "instant" });
  if (dialog.contains(document.activeElement)) mark.focus({ preventScroll: true });
}

/**
 * What to say where the file is no longer the one that was quoted.
 * @param {Citation | null} citation
 * @param {DocumentRecord} record
 * @param {boolean} stands whether the quoted words stand at the cited place
 */
function changed(citation, record, stands) {
  if (citation === null) return [];
  if (!stands) {
    return [
      element("p", {}, "This file has changed since. The quoted words no longer stand at their place, so nothing is marked. They were:"),
      element("blockquote", { dir: "auto" }, citation.quote),
    ];
  }
  const same = record.text_sha256 === undefined || record.text_sha256 === citation.text_sha256;
  return same ? [] : [element("p", {}, "This file has changed since, but the quoted words still stand here.")];
}
