/** Offsets and paragraphs of a text: pure functions. The API counts code points, JavaScript counts UTF-16 units. */

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
  for (const [start, end] of lines(text)) {
    if (!INK.test(text.slice(start, end))) {
      open = null;
    } else if (open) {
      open.end = end;
    } else {
      const last = found.at(-1);
      if (last) last.next = start;
      open = { number: found.length + 1, start: last ? start : 0, end, next: text.length };
      found.push(open);
    }
  }
  return found;
}

function* lines(text) {
  const breaks = /\r\n|\n|\r/g;
  let start = 0;
  while (breaks.exec(text)) {
    yield [start, breaks.lastIndex];
    start = breaks.lastIndex;
  }
  if (start < text.length) yield [start, text.length];
}

/** A piece of a text as strings and `mark` elements, with `from` to `to` marked (UTF-16 units). */
export function marked(text, piece, from, to) {
  const start = Math.min(Math.max(from, piece.start), piece.end);
  const end = Math.min(Math.max(to, start), piece.end);
  if (start === end) return [text.slice(piece.start, piece.end)];
  const mark = document.createElement("mark");
  mark.textContent = text.slice(start, end);
  return [text.slice(piece.start, start), mark, text.slice(end, piece.end)];
}
