// A server's log, followed: the newest lines are asked for once a second while the page is looked at.
import { setText, setTime, signIn } from "./text.js";

const PACE_MS = 1_000;
const ROWS = 200;
/** Lines that are kept for who reads old ones. Beyond it nothing is added before they have gone back to the top. */
const KEPT = 2_000;
/** Whoever has scrolled by less reads the newest lines. */
const TOP = 40;
/** Lines of one entry that may still be growing. */
const GROWS = 50;

/** Follows the log of the page, if it shows one. */
export function tail() {
  const place = document.querySelector("[data-tail]");
  if (place) setTimeout(() => look(place), PACE_MS);
}

async function look(place) {
  if (!paused()) {
    try {
      const url = new URL(location.href);
      url.searchParams.set("after", place.dataset.tail);
      const answer = await fetch(url, { headers: { Accept: "application/json" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") return signIn();
      if (answer.ok && !paused()) show(place, await answer.json());
    } catch {
      // Not there for a moment: the page's own banner says so.
    }
  }
  setTimeout(() => look(place), PACE_MS);
}

/** Somebody stopped the page, or does not look at it. */
function paused() {
  return document.hidden || document.getElementById("pause")?.getAttribute("aria-pressed") === "true";
}

function show(place, { last, requests, files }) {
  // A Cordée that was started anew counts from the beginning.
  place.dataset.tail = last;
  const list = document.getElementById("requests");
  // A database has no requests.
  if (list && requests.length > 0) put(list, requests);
  for (const file of files) lines(file);
}

/** Requests that wait for a reader of old ones, newest first. */
let waiting = [];

function put(list, requests) {
  const box = list.closest("[data-tail-table]");
  box.hidden = false;
  list.closest(".panel").querySelector("[data-tail-none]").hidden = true;
  waiting = [...requests.toReversed(), ...waiting].slice(0, ROWS);
  if (add(box, list, { fresh: () => waiting.map(line), many: waiting.length, drop: 0, most: ROWS })) waiting = [];
}

function line(request) {
  const row = document.getElementById("t-request").content.firstElementChild.cloneNode(true);
  for (const cell of row.querySelectorAll("[data-v]")) {
    if (cell.dataset.v === "at") setTime(cell, request.iso, request.text);
    else setText(cell, request[cell.dataset.v]);
    if (cell.dataset.v === "address") cell.href = `/visitors?address=${encodeURIComponent(request.address)}`;
  }
  if (request.st) row.querySelector("[data-v=status]").dataset.st = request.st;
  return row;
}

/**
 * Puts new entries on top of a list, which is scrolled in its box, in place of the first few. For whoever has scrolled
 * down nothing moves: what falls off at the end does so only out of sight.
 */
function add(box, list, { fresh, many, drop, most }) {
  const reads = box.scrollTop >= TOP;
  const entries = [...list.children];
  if (reads && entries.length + many > KEPT) return false;
  const place = (element) => element.getBoundingClientRect();
  const at = reads ? entries.slice(drop).find((entry) => place(entry).bottom > place(box).top) : undefined;
  const before = at && place(at).top;
  for (const entry of entries.slice(0, drop)) entry.remove();
  list.prepend(...fresh());
  box.scrollTop = at ? box.scrollTop + place(at).top - before : 0;
  const end = place(box).bottom;
  const sees = (entry) => reads && place(entry).top < end;
  while (list.children.length > most && !sees(list.lastElementChild)) list.lastElementChild.remove();
  return true;
}

/** Writes what is new at a file's end; the newest line stands first. */
function lines({ name, lines, hidden }) {
  const log = [...document.querySelectorAll("pre[data-file]")].find((pre) => pre.dataset.file === name);
  if (!log || String(document.getSelection()) !== "") return;
  checks(log, hidden);
  log.closest(".panel").querySelector(".empty").hidden = lines.length > 0;
  log.hidden = lines.length === 0;
  if (lines.length === 0) return log.replaceChildren();
  const shown = [...log.children].map((span) => span.textContent);
  const { many, drop, gap } = change(lines.map(({ text }) => `${text}\n`), shown);
  if (many === 0 && drop === 0) return;
  const fresh = () => [...lines.slice(0, many).map(span), ...(gap ? [span({ text: "⋯" })] : [])];
  add(log, log, { fresh, many, drop, most: lines.length });
}

/** How many lines are new at the front, and how many they take the place of: the newest entry may have grown. */
function change(lines, shown) {
  for (let both = 0; both < lines.length + GROWS; both++) {
    for (let drop = 0; drop <= Math.min(both, GROWS); drop++) {
      const many = both - drop;
      const same = Math.min(lines.length - many, shown.length - drop);
      const goesOn = (line, i) => line === shown[drop + i];
      if (same > 0 && lines.slice(many, many + same).every(goesOn)) return { many, drop };
    }
  }
  // Nothing of what is shown is in the file any more: it was emptied, or more came than is asked for at once.
  return { many: lines.length, drop: 0, gap: shown.length > 0 };
}

function span({ text, st }) {
  const line = document.createElement("span");
  if (st) line.dataset.st = st;
  line.textContent = `${text}\n`;
  return line;
}

/** How many checks are hidden. */
function checks(log, says) {
  const button = log.closest(".panel").querySelector("[data-hidden]");
  if (!button) return;
  setText(button, says);
  button.closest("form").hidden = says === "";
}
