// @ts-check
/** Filters, sorts and opens the rows that the page already holds; it writes no markup. */

/**
 * @typedef {object} Entry
 * @property {HTMLElement} node
 * @property {string[]} outcomes
 * @property {string[]} tags
 * @property {number} sure NaN where nothing is known, as `time`
 * @property {number} time
 */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

const list = byId("rows");
const form = /** @type {HTMLFormElement} */ (byId("filters"));
const unfold = byId("unfold");

/** @type {Entry[]} */
const entries = Array.from(list.children, (child) => {
  const node = /** @type {HTMLElement} */ (child);
  const { o = "", t = "", c, m } = node.dataset;
  return { node, outcomes: o.split(" "), tags: t.split(" "), sure: number(c), time: number(m) };
});

/** @type {string[] | null} what a search looks through: questions, answers, gold, files and ids */
let words = null;
let order = "";
let due = 0;

/** @param {string | undefined} text */
function number(text) {
  return text ? Number(text) : NaN;
}

/** @param {Entry} entry */
function searchable({ node }) {
  const parts = node.querySelectorAll("summary, .gold, .file, .id");
  return folded(Array.from(parts, (part) => part.textContent).join("\n"));
}

/** Without case and accents, as people type. @param {string} text */
function folded(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** @param {string} name */
function chosen(name) {
  const field = form.elements.namedItem(name);
  return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : "";
}

function apply() {
  due = 0;
  const [text, outcome, answerable, tag] = ["text", "outcome", "answerable", "tag"].map(chosen);
  const sought = folded(text).split(/\s+/).filter(Boolean);
  if (sought.length) words ??= entries.map(searchable);
  let count = 0;
  entries.forEach((entry, at) => {
    const { node, outcomes, tags } = entry;
    const fits =
      (!outcome || outcomes.includes(outcome)) &&
      (!answerable || node.dataset.a === answerable) &&
      (!tag || tags.includes(tag)) &&
      sought.every((word) => words?.[at].includes(word));
    if (node.hidden === fits) node.hidden = !fits;
    count += Number(fits);
  });
  sort(chosen("order"));
  const all = entries.length.toLocaleString("en");
  byId("shown").textContent = count === entries.length ? `${all} questions` : `${count.toLocaleString("en")} of ${all} questions`;
  byId("nothing").hidden = count > 0;
}

/** @param {string} wanted */
function sort(wanted) {
  if (wanted === order) return;
  order = wanted;
  const key = wanted.startsWith("time") ? "time" : "sure";
  const sign = wanted.endsWith("-") ? -1 : 1;
  const sorted = wanted ? entries.toSorted((one, other) => compared(one[key], other[key], sign)) : entries;
  const all = document.createDocumentFragment();
  for (const { node } of sorted) all.append(node);
  list.append(all);
}

/**
 * Unknown numbers come last either way.
 * @param {number} one
 * @param {number} other
 * @param {number} sign
 */
function compared(one, other, sign) {
  if (Number.isNaN(one) || Number.isNaN(other)) return Number(Number.isNaN(one)) - Number(Number.isNaN(other));
  return sign * (one - other);
}

/** Once a frame is enough, however fast somebody types. */
function applySoon() {
  due ||= requestAnimationFrame(apply);
}

/** @param {string} outcome */
function showOnly(outcome) {
  form.reset();
  const field = form.elements.namedItem("outcome");
  if (field instanceof HTMLSelectElement) field.value = outcome;
  apply();
}

/** Opens the row that the address names, whatever the filter hides. */
function openTarget() {
  const row = /^#q\d+$/.test(location.hash) ? byId(location.hash.slice(1)) : null;
  if (!row) return;
  if (row.hidden) {
    form.reset();
    apply();
  }
  const details = row.querySelector("details");
  if (details) details.open = true;
  row.scrollIntoView();
}

/** @param {boolean} open */
function unfoldShown(open) {
  unfold.setAttribute("aria-pressed", String(open));
  for (const { node } of entries) {
    const details = node.querySelector("details");
    if (details && !node.hidden) details.open = open;
  }
}

form.addEventListener("input", applySoon);
form.addEventListener("submit", (event) => event.preventDefault());
// The fields are empty only after the event.
form.addEventListener("reset", () => setTimeout(apply));
unfold.addEventListener("click", () => unfoldShown(unfold.getAttribute("aria-pressed") === "false"));
for (const link of document.querySelectorAll("a[data-outcome]")) {
  const { outcome = "" } = /** @type {HTMLElement} */ (link).dataset;
  link.addEventListener("click", () => showOnly(outcome));
}
addEventListener("hashchange", openTarget);
form.hidden = false;
apply();
openTarget();
