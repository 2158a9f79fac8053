/** What stands behind the # of the page's address: `q` an entry; `d`, `s`, `e` and `t` a source. */

export const address = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

export const linkTo = (parts) => `#${new URLSearchParams(parts)}`;
