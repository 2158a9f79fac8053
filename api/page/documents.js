/** The list of indexed documents: to search, open, add to and remove from. */

import { asProblem } from "./api.js";
import { announce, button, element, find } from "./dom.js";
import { named, origin } from "./origin.js";
import { uploads } from "./uploads.js";
import { counted, told } from "./words.js";

const UNDO = 8000; // milliseconds in which a removal can be taken back
const FEW = 5; // documents that need no search

/** `collection` names the one that takes new files; `changed` is called when documents came or went. */
export function documentList(api, open, collection, changed) {
  const [state, details, jump] = ["#documents-state", "#documents", "#show-documents"].map((part) => find(part));
  const [summary, search, list, more] = ["summary", "input", "ul", ".more"].map((part) => find(part, details));
  const leaving = new Map(); // removals that can be taken back still, by document
  const allow = uploads(api, collection, () => load().then(changed));
  let cursor = null;
  let turn = 0;

  /** Begins the list anew; waits and tries again while the server is still reading files in. */
  async function load() {
    const mine = (turn += 1);
    try {
      const [status, listing] = await Promise.all([api.status(), api.documents(null, search.value)]);
      if (mine !== turn) return;
      list.replaceChildren();
      add(listing);
      count(status);
    } catch (error) {
      const { status, retryAfter } = asProblem(error);
      state.textContent = told(error);
      if (status === 503) setTimeout(load, 1000 * (retryAfter ?? 2));
    }
  }

  function add({ documents, next }) {
    cursor = next;
    more.hidden = next === null;
    list.append(...documents.map((one) => leaving.get(one.document_id)?.item ?? row(one)));
    if (!list.firstChild) list.append(element("li", { class: "gone" }, "No document has these words in its name or title."));
  }

  function count({ documents, writable }) {
    allow(writable !== false);
    details.classList.toggle("fixed", writable === false);
    summary.textContent = jump.textContent = counted(documents, "document");
    details.hidden = jump.hidden = documents === 0;
    search.hidden = documents <= FEW && !search.value;
    state.replaceChildren(...(documents ? [] : invitation()));
  }

  function row(one) {
    const facts = [one.date, counted(one.paragraphs, "paragraph"), size(one.bytes)].filter(Boolean).join(" · ");
    const node = button("", () => open(one, node), "row");
    node.append(...origin(one), element("span", { class: "facts" }, facts));
    const away = button("✕", () => remove(item, one), "close");
    away.ariaLabel = `Remove ${one.title || one.source}`;
    const item = element("li", {}, node, away);
    return item;
  }

  /** Takes a document from the list at once, and from the index when that can't be taken back any more. */
  function remove(item, one) {
    const before = [...item.children];
    const back = (...words) => {
      item.replaceChildren(...before.slice(0, 2), ...words);
      before[0].focus();
    };
    const decide = () => {
      clearTimeout(timer);
      leaving.delete(one.document_id);
    };
    const settle = async (keepalive) => {
      decide();
      try {
        await api.remove(one.document_id, keepalive);
      } catch (error) {
        if (asProblem(error).status !== 404) {
          announce(`Not removed. ${told(error)}`);
          return back(element("p", { class: "failed" }, `Not removed. ${told(error)}`));
        }
      }
      const near = item.nextElementSibling ?? item.previousElementSibling;
      if (item.contains(document.activeElement)) (near?.querySelector("button") ?? summary).focus();
      item.remove();
      count(await api.status());
      changed();
    };
    const undo = button("Undo", () => {
      decide();
      back();
    });
    const timer = setTimeout(settle, UNDO, false);
    leaving.set(one.document_id, { item, settle });
    item.replaceChildren(element("p", { class: "gone" }, named(one.title || one.source), " · Removed. ", undo));
    undo.focus();
  }

  jump.addEventListener("click", () => {
    details.open = true;
    details.scrollIntoView({ block: "center" });
    summary.focus({ preventScroll: true });
  });
  more.addEventListener("click", async () => {
    const last = list.lastElementChild;
    await api.documents(cursor, search.value).then(add, (error) => (state.textContent = told(error)));
    last.nextElementSibling?.querySelector("button").focus();
  });
  search.addEventListener("input", () => {
    const mine = (turn += 1);
    setTimeout(() => mine === turn && load(), 250);
  });
  addEventListener("pagehide", () => leaving.forEach(({ settle }) => settle(true)));
  return { load, fold: () => (details.open = false) };
}

const size = (bytes) => bytes?.toLocaleString("en", { notation: "compact", style: "unit", unit: "byte", unitDisplay: "narrow" });

function invitation() {
  return ["No files are indexed yet. Add some, or point this at a folder of yours, then ask:", element("pre", {}, element("code", {}, "rag ingest FOLDER"))];
}
