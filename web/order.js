// Which rows of a table hold a word, and in which order they stand. The rule is the server's (`view/window.rs`); both
// are tested with the same cases (`view/order.json`).

/** What needs attention comes first. */
const URGENCY = ["crit", "unknown", "warn", "busy", "maint", "good"];
/** Characters of a word to look for. */
const LONGEST = 100;
const ACCENTS = "àâäçéèêëîïôöùûüÿ";
const PLAIN = "aaaceeeeiioouuuy";

const fold = (text) =>
  text.toLowerCase().replace(/[àâäçéèêëîïôöùûüÿ]/g, (c) => PLAIN[ACCENTS.indexOf(c)]);

/** Two texts as people count and spell: below zero when the first one comes first. */
export const compare = (a, b) => ranks(key(a), key(b));

/** What a text goes by: its parts, cut where digits begin and end, and itself where these are equal. */
const key = (text) => ({ text, parts: fold(text).match(/[0-9]+|[^0-9]+/g) ?? [] });

function ranks(a, b) {
  const many = Math.min(a.parts.length, b.parts.length);
  for (let i = 0; i < many; i++) {
    const way = part(a.parts[i], b.parts[i]);
    if (way !== 0) return way;
  }
  return a.parts.length - b.parts.length || points(a.text, b.text);
}

/** Numbers come before other text. */
function part(a, b) {
  const [one, other] = [a, b].map((part) => (/^[0-9]/.test(part) ? part.replace(/^0+/, "") : null));
  if (one === null || other === null) return one === other ? points(a, b) : one === null ? 1 : -1;
  return one.length - other.length || points(one, other);
}

/** By code points; texts themselves go by halves of them. */
function points(a, b) {
  const [one, other] = [[...a], [...b]];
  const at = one.findIndex((c, i) => c !== other[i]);
  if (at < 0) return one.length - other.length;
  return other[at] === undefined ? 1 : one[at].codePointAt(0) - other[at].codePointAt(0);
}

/** Rows ordered by a column, "-" before its name for the other way round; as they came without one. */
export function sorted(rows, order) {
  const column = order.replace("-", "");
  if (!column) return rows;
  const urgency = ({ status: { st } }) => (URGENCY.includes(st) ? URGENCY.indexOf(st) : URGENCY.length);
  const of = (row) => ({ row, name: key(row.name), by: column === "status" ? urgency(row) : key(row[column]) });
  const by = column === "status" ? (a, b) => a - b : ranks;
  const all = rows.map(of).sort((a, b) => by(a.by, b.by) || ranks(a.name, b.name));
  if (order.startsWith("-")) all.reverse();
  return all.map(({ row }) => row);
}

/** The word that somebody looks for, as it is asked of the server. */
export const asked = (typed) => [...typed.trim()].slice(0, LONGEST).join("");

/** Whether a row shows that word. */
export function holds(row, word) {
  const { name, kind, address, port, cookie, status, role } = row;
  const texts = [name, kind, `${address}:${port}`, cookie, status.word, status.reason, role ?? ""];
  return fold(texts.join("\n")).includes(fold(word));
}
