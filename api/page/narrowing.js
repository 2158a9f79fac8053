/** Where to look: the fields beside the box, the chips that show and remove them, what the API is sent. */

import { button, element, find } from "./dom.js";
import { named } from "./origin.js";
import { told } from "./words.js";

const LABELS = { c: "Collection", folder: "Folder", type: "Type", since: "From", until: "Until" };
const NAMES = Object.keys(LABELS);
const EVERYWHERE = "default";

/** The part of a form or an address that narrows; the default collection doesn't. */
export const scopeOf = (parts) =>
	Object.fromEntries(NAMES.filter((name) => parts[name] && (name !== "c" || parts.c !== EVERYWHERE)).map((name) => [name, parts[name]]));

export const scopeView = (scope) =>
	element("p", { class: "scope" }, ...Object.entries(scope).map(([name, value]) => element("span", {}, `${LABELS[name]} `, named(value))));

export function asked({ c = EVERYWHERE, folder, type, since = null, until = null }) {
	const filters = { folders: folder ? [folder] : [], types: type ? [type] : [], date_from: since, date_to: until };
	return { collection: c, ...((folder || type || since || until) && { filters }) };
}

export function narrowing(api) {
	const [form, chips, panel, notice] = ["#composer", "#chips", "#narrow", "#narrow p"].map((part) => find(part));
	const fields = form.elements;
	const collection = () => fields.c.value || EVERYWHERE;
	const scope = () => scopeOf(Object.fromEntries(new FormData(form)));

	function set(parts) {
		for (const name of NAMES) {
			const field = fields[name];
			const value = parts[name] ?? (name === "c" ? EVERYWHERE : "");
			if (field.options && ![...field.options].some((one) => one.value === value)) field.append(new Option(value, value));
			field.value = value;
		}
		show();
	}

	function show() {
		chips.replaceChildren(...Object.entries(scope()).map(([name, value]) => element("li", {}, chip(name, value))));
	}

	function chip(name, value) {
		const node = button("", () => {
			const at = [...chips.children].indexOf(node.parentNode);
			set({ ...scope(), [name]: undefined });
			(chips.children[at]?.firstChild ?? find("#question")).focus();
			if (name === "c") offer();
		});
		node.append(`${LABELS[name]} `, named(value), " ✕");
		node.ariaLabel = `Remove ${LABELS[name]} ${value}`;
		return node;
	}

	/** Fills the fields with what the collection holds. */
	async function offer() {
		const { collections } = await api.collections();
		const now = { c: collection(), ...scope() };
		const names = collections.map(({ name }) => name);
		choices(fields.c, names, names.includes(now.c) ? now.c : names[0]);
		show();
		if (!panel.open) return;
		const { folders, types, date_from } = await api.collection(collection());
		choices(fields.folder, ["", ...folders.map(({ folder }) => folder)], now.folder);
		choices(fields.type, ["", ...types.map(({ type }) => type)], now.type);
		fields.since.parentNode.hidden = fields.until.parentNode.hidden = !date_from;
		notice.textContent = "";
		show();
	}

	function choices(field, values, value) {
		field.replaceChildren(...[...new Set(values)].map((one) => new Option(one || "Any", one)));
		if (values.includes(value)) field.value = value;
		field.parentNode.hidden = values.length < 2;
	}

	const refresh = () => offer().catch((error) => (notice.textContent = told(error)));
	panel.ontoggle = refresh;
	panel.onchange = ({ target }) => (target === fields.c ? refresh() : show());
	return { collection, scope, set, refresh };
}
