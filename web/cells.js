// Writes what a row says into one place of the page, cell by cell. Nothing is replaced that has not changed, so focus,
// open menus and scroll position stay.
import { setText } from "./text.js";

const byId = (id) => document.getElementById(id);

/** A copy of a template's content. */
export function copy(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** Shows a shape, from the sheet that is already in use. */
export function shape(use, name) {
  const sheet = use.getAttribute("href").split("#")[0];
  if (use.getAttribute("href") !== `${sheet}#${name}`) use.setAttribute("href", `${sheet}#${name}`);
}

/** Gives a place the colour and the shape of a status. */
export function light(element, st) {
  const all = element.matches("[data-light]") ? [element] : [];
  for (const part of [...all, ...element.querySelectorAll("[data-light]")]) {
    if (part.dataset.st !== st) part.dataset.st = st;
  }
  for (const use of element.querySelectorAll("[data-shape]")) shape(use, st);
}

/** What a row holds under a path: "status.word". */
export const value = (row, path) => path.split(".").reduce((part, key) => part?.[key], row);

/** Fills one place of a row: its table row, its bead on the rope, its entry in the list of troubles. */
export function fill(element, row) {
  const cells = element.matches("[data-f]") ? [element] : [];
  for (const cell of [...cells, ...element.querySelectorAll("[data-f]")]) {
    const text = value(row, cell.dataset.f);
    if (text !== undefined) setText(cell, text);
  }
  if (row.status && element.dataset.row) light(element, row.status.st);
  if (row.show) controls(element, row.show);
  if (row.links) links(element.querySelector("[data-links]"), row.links);
  if (row.progress !== undefined) progress(element.querySelector("[data-progress]"), row.progress);
  element.querySelector("[data-writer]")?.classList.toggle("on", row.writer);
  const address = element.querySelector("[data-port]");
  if (address && address.dataset.port !== row.port) address.dataset.port = row.port;
}

function progress(bar, percent) {
  if (!bar) return;
  if (bar.hidden !== (percent === null)) bar.hidden = percent === null;
  if (bar.value !== (percent ?? 0)) bar.value = percent ?? 0;
}

/** Shows what may be asked now. Focus on a control that goes moves to the one that takes its place. */
function controls(element, show) {
  const lost = [];
  for (const control of element.querySelectorAll("[data-a]")) {
    const hide = !show.includes(control.dataset.a);
    if (hide && !control.hidden && control.contains(document.activeElement)) lost.push(control);
    if (control.hidden !== hide) control.hidden = hide;
  }
  for (const control of lost) {
    const near = control.parentElement.querySelector("[data-a]:not([hidden])") ?? control.closest("tr");
    (near?.querySelector("button") ?? near)?.focus();
  }
}

function links(list, rows) {
  if (!list) return;
  while (list.children.length > rows.length) list.lastElementChild.remove();
  while (list.children.length < rows.length) list.append(copy("t-link"));
  rows.forEach((row, i) => {
    const [from, delay] = list.children[i].children;
    setText(from, row.from);
    const page = `/pools/db/servers/${row.from}`;
    if (from.getAttribute("href") !== page) from.setAttribute("href", page);
    setText(delay, row.text);
    if (delay.dataset.st !== row.st) delay.dataset.st = row.st;
  });
}

/** Gives a fresh copy the name that its addresses and ids hold. */
export function christen(element, row) {
  element.dataset.row = row.name;
  const own = element.matches("[data-id]") ? [element] : [];
  for (const part of [...own, ...element.querySelectorAll("[data-id]")]) part.id = part.dataset.id + row.name;
  for (const part of element.querySelectorAll("[data-target]")) {
    part.setAttribute("popovertarget", part.dataset.target + row.name);
  }
  for (const part of element.querySelectorAll("[data-hash]")) {
    part.setAttribute("href", `#${part.dataset.hash}${row.name}`);
  }
  for (const part of element.querySelectorAll("[data-url]")) {
    const url = ["/pools", row.pool, "servers", row.name, part.dataset.url].filter(Boolean).join("/");
    part.setAttribute(part.localName === "form" ? "action" : "href", url);
  }
  return element;
}
