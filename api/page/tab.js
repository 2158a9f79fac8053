/** What this tab keeps over a reload; where the browser forbids it or has no room, only until then. */

const kept = new Map();

export function recall(key) {
	try {
		return kept.has(key) ? kept.get(key) : sessionStorage.getItem(key);
	} catch {
		return null;
	}
}

/** Returns whether it will outlast a reload; null forgets. */
export function keep(key, value) {
	kept.set(key, value);
	try {
		value === null ? sessionStorage.removeItem(key) : sessionStorage.setItem(key, value);
		return true;
	} catch {
		return false;
	}
}
