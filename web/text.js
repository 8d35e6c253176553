// Words and times. Sentences come from the server, ready in the reader's language; "§" stands for an age.

const lang = document.documentElement.lang;

/** A sentence that the server left for us. */
export function word(name) {
  return document.getElementById("words")?.dataset[name] ?? "";
}

/** Leads to the sign-in page, and from there back to here. */
export function signIn() {
  const here = location.pathname + location.search + location.hash;
  location.assign(here === "/" ? "/login" : `/login?back=${encodeURIComponent(here)}`);
}

const tenths = new Intl.NumberFormat(lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** An age: tenths below ten seconds, then seconds, then minutes. */
export function age(ms) {
  if (ms < 10_000) return `${tenths.format(Math.floor(ms / 100) / 10)}\u00a0s`;
  if (ms < 120_000) return `${Math.floor(ms / 1000)}\u00a0s`;
  return `${Math.floor(ms / 60_000)}\u00a0min`;
}

/** "2 s ago". */
export function ago(ms) {
  return word("ago").replace("§", age(ms));
}

const TWO = "2-digit";
const PARTS = { year: "numeric", month: TWO, day: TWO, hour: TWO, minute: TWO, second: TWO };

let format = null;

/** Day and time, as the server writes them: in its zone, whose name stands at the foot of the page. */
export function moment(ms) {
  const at = new Date(ms);
  try {
    format ??= new Intl.DateTimeFormat("en", { ...PARTS, hourCycle: "h23", timeZone: word("zone") });
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second}`;
  } catch {
    // A browser that does not know the zone names the one it uses.
    return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  }
}

/** Writes a moment into a `time` element. */
export function setTime(element, iso, text) {
  if (element.dateTime !== iso) element.dateTime = iso;
  setText(element, text);
}

/**
 * Writes text only where it differs: a selection or a reader's place in it survives. It is written into what stands
 * there, because for a new piece of text a browser looks up the styles of the page again.
 */
export function setText(element, text) {
  if (!element || element.textContent === text) return;
  const only = element.childNodes.length === 1 ? element.firstChild : null;
  if (only?.nodeType === Node.TEXT_NODE && text) only.data = text;
  else element.textContent = text;
}
