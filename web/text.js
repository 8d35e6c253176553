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

const clock = new Intl.DateTimeFormat(lang, { timeStyle: "medium" });
const moment = new Intl.DateTimeFormat(lang, { dateStyle: "short", timeStyle: "medium" });

/** Writes times as the reader's own clock shows them. */
export function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const format = time.hasAttribute("data-moment") ? moment : clock;
    setText(time, format.format(new Date(time.dateTime)));
  }
}

/** Writes text only where it differs: a selection or a reader's place in it survives. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
