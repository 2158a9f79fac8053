// @ts-check
/** The list of indexed documents, and what to do where there is none. */

import { asProblem } from "./api.js";
import { element, find } from "./dom.js";
import { origin } from "./origin.js";
import { counted, explained } from "./words.js";

/** @typedef {import("./api.js").DocumentRecord} DocumentRecord */

/**
 * @param {import("./api.js").Api} api
 * @param {(document: DocumentRecord, opener: HTMLElement) => void} open
 */
export function documentList(api, open) {
  const state = find("#documents-state");
  /** @type {HTMLDetailsElement} */
  const details = find("#documents");
  const list = find("ul", details);
  const more = find("button.more", details);
  /** @type {string | null} */
  let cursor = null;

  const jump = find("#show-documents");
  jump.addEventListener("click", () => {
    details.open = true;
    details.scrollIntoView({ block: "center" });
    find("summary", details).focus({ preventScroll: true });
  });
  more.addEventListener("click", async () => {
    const known = list.childElementCount;
    await page();
    /** @type {HTMLElement | null} */ (list.children[known]?.querySelector("button"))?.focus();
  });

  /** Begins the list anew; waits and tries again while the server is still reading files in. */
  async function load() {
    try {
      const [status, listing] = await Promise.all([api.status(), api.documents(null)]);
      list.replaceChildren();
      add(listing);
      const shown = list.childElementCount;
      const label = counted(status.documents ?? shown, "document");
      find("summary", details).textContent = jump.textContent = label;
      details.hidden = jump.hidden = shown === 0;
      state.replaceChildren(...(shown === 0 ? invitation() : []));
    } catch (error) {
      const problem = asProblem(error);
      const { title, next } = explained(problem);
      state.replaceChildren(element("p", {}, `${title}. ${next}`));
      if (problem.status === 503) setTimeout(load, 1000 * (problem.retryAfter ?? 2));
    }
  }

  async function page() {
    try {
      add(await api.documents(cursor));
    } catch (error) {
      const { title, next } = explained(asProblem(error));
      state.replaceChildren(element("p", {}, `${title}. ${next}`));
    }
  }

  /** @param {import("./api.js").Listing} listing */
  function add({ documents, next }) {
    cursor = next;
    more.hidden = next === null;
    list.append(...documents.map((document) => row(document, open)));
  }

  return { load, fold: () => (details.open = false) };
}

function invitation() {
  return [
    element("p", {}, "No files are indexed yet. Point this at a folder of yours, then ask:"),
    element("pre", {}, element("code", {}, "rag ingest FOLDER")),
  ];
}

/**
 * @param {DocumentRecord} document
 * @param {(document: DocumentRecord, opener: HTMLElement) => void} open
 */
function row(document, open) {
  const facts = [document.date, counted(document.paragraphs, "paragraph")].filter(Boolean).join(" · ");
  const node = element("button", { type: "button", class: "row" }, ...origin(document), element("span", { class: "facts" }, facts));
  node.addEventListener("click", () => open(document, node));
  return element("li", {}, node);
}
