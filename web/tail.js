// A server's log, followed: the newest lines are asked for once a second while the page is looked at.
import { setText, setTime, signIn } from "./text.js";

const PACE_MS = 1_000;
const ROWS = 200;

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
  if (list) for (const request of requests) put(list, request);
  for (const file of files) lines(file);
}

function put(list, request) {
  const row = document.getElementById("t-request").content.firstElementChild.cloneNode(true);
  for (const cell of row.querySelectorAll("[data-v]")) {
    if (cell.dataset.v === "at") setTime(cell, request.iso, request.text);
    else setText(cell, request[cell.dataset.v]);
    if (cell.dataset.v === "address") cell.href = `/visitors?address=${encodeURIComponent(request.address)}`;
  }
  if (request.st) row.querySelector("[data-v=status]").dataset.st = request.st;
  const panel = list.closest(".panel");
  panel.querySelector("[data-tail-table]").hidden = false;
  panel.querySelector("[data-tail-none]").hidden = true;
  list.prepend(row);
  while (list.children.length > ROWS) list.lastElementChild.remove();
}

/** Writes a file's end where it differs; a reader who has scrolled down stays at the lines they read. */
function lines({ name, lines, hidden }) {
  const log = [...document.querySelectorAll("pre[data-file]")].find((pre) => pre.dataset.file === name);
  if (!log || String(document.getSelection()) !== "") return;
  checks(log, hidden);
  log.hidden = lines.length === 0;
  log.closest(".panel").querySelector(".empty").hidden = !log.hidden;
  const text = lines.map(({ text }) => `${text}\n`).join("");
  if (log.textContent === text) return;
  // New lines come in above.
  const below = log.scrollTop < 40 ? null : log.scrollHeight - log.scrollTop;
  log.replaceChildren(
    ...lines.map(({ text, st }) => {
      const span = document.createElement("span");
      if (st) span.dataset.st = st;
      span.textContent = `${text}\n`;
      return span;
    }),
  );
  log.scrollTop = below === null ? 0 : log.scrollHeight - below;
}

/** How many checks are hidden. */
function checks(log, says) {
  const button = log.closest(".panel").querySelector("[data-hidden]");
  if (!button) return;
  setText(button, says);
  button.closest("form").hidden = says === "";
}
