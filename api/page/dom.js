/** Making elements. Words from the API only ever become text nodes here, never markup. */

export function element(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
	node.append(...children);
	return node;
}

export function button(label, action, style = "quiet") {
	const node = element("button", { type: "button", class: style }, label);
	node.addEventListener("click", action);
	return node;
}

/** Says something to those who can't see it. */
export function announce(words) {
	find("#announcer").textContent = words;
}

export function find(selector, root = document) {
	const node = root.querySelector(selector);
	if (node === null) throw new Error(`The page has no ${selector}`);
	return node;
}
