// Writes rows into the page, cell by cell. Nothing is replaced that has not changed, so focus, open menus and
// scroll position stay.
import { localTimes, setText } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const EVENTS = 8;

const byId = (id) => document.getElementById(id);
const places = (name) => document.querySelectorAll(`[data-row="${CSS.escape(name)}"]`);

/** A copy of a template's content. */
export function copy(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** Shows a shape, from the sheet that is already in use. */
export function shape(use, name) {
  const sheet = use.getAttribute("href").split("#")[0];
  if (use.getAttribute("href") !== `${sheet}#${name}`) use.setAttribute("href", `${sheet}#${name}`);
}

function light(element, st) {
  const all = element.matches("[data-light]") ? [element] : [];
  for (const part of [...all, ...element.querySelectorAll("[data-light]")]) part.dataset.st = st;
  for (const use of element.querySelectorAll("[data-shape]")) shape(use, st);
}

const value = (row, path) => path.split(".").reduce((part, key) => part?.[key], row);

/** Fills one place of a row: its table row, its bead on the rope, its entry in the list of troubles. */
function fill(element, row) {
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
  if (address) address.dataset.port = row.port;
}

function progress(bar, percent) {
  if (!bar) return;
  bar.hidden = percent === null;
  bar.value = percent ?? 0;
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
    from.href = `/pools/db/servers/${row.from}`;
    setText(delay, row.text);
    delay.dataset.st = row.st;
  });
}

/** Gives a fresh copy the name that its addresses and ids hold. */
function christen(element, row) {
  element.dataset.row = row.name;
  const own = element.matches("[data-id]") ? [element] : [];
  for (const part of [...own, ...element.querySelectorAll("[data-id]")]) part.id = part.dataset.id + row.name;
  for (const part of element.querySelectorAll("[data-target]")) {
    part.setAttribute("popovertarget", part.dataset.target + row.name);
  }
  for (const part of element.querySelectorAll("[data-hash]")) part.setAttribute("href", `#${part.dataset.hash}${row.name}`);
  for (const part of element.querySelectorAll("[data-url]")) {
    const url = ["/pools", row.pool, "servers", row.name, part.dataset.url].filter(Boolean).join("/");
    part.setAttribute(part.localName === "form" ? "action" : "href", url);
  }
  return element;
}

function ensure(list, template, row) {
  const here = [...list.children].some((e) => e.dataset.row === row.name);
  if (!here) list.append(christen(copy(template), row));
}

/** One server, in all its places. */
function server(row) {
  const rows = byId(`rows-${row.pool}`);
  if (rows) {
    ensure(rows, `t-${row.pool}`, row);
    ensure(byId(`beads-${row.pool}`), "t-bead", row);
  }
  for (const place of places(row.name)) fill(place, row);
  arrows(row);
}

/** What arrives at a database, on the page of it or of one that it copies. */
function arrows(row) {
  for (const link of row.links ?? []) {
    const place = document.querySelector(`[data-arrow="${CSS.escape(row.name)} ${CSS.escape(link.from)}"]`);
    if (!place) continue;
    place.dataset.st = link.st;
    setText(place.querySelector("[data-delay]"), link.text);
  }
}

function proxy(row) {
  for (const place of places(row.name)) fill(place, row);
}

/** The list under the verdict. An entry that stays keeps its place in the page, and the focus that is in it. */
function causes(rows) {
  const list = byId("todos");
  if (!list) return;
  const here = new Map([...list.children].map((entry) => [entry.dataset.cause, entry]));
  let after = null;
  for (const row of rows) {
    const entry = here.get(row.key) ?? copy("t-cause");
    here.delete(row.key);
    entry.dataset.cause = row.key;
    light(entry, row.st);
    for (const cell of entry.querySelectorAll("[data-c]")) setText(cell, row[cell.dataset.c]);
    const time = entry.querySelector("time");
    time.hidden = !row.iso;
    if (!row.iso) time.removeAttribute("datetime");
    else if (time.dateTime !== row.iso) {
      time.dateTime = row.iso;
      localTimes(entry);
    }
    remedies(entry.querySelector("[data-remedies]"), row.remedies);
    const next = after ? after.nextElementSibling : list.firstElementChild;
    if (next !== entry) list.insertBefore(entry, next);
    after = entry;
  }
  for (const entry of here.values()) entry.remove();
}

const REMEDIES = { post: "t-post", ask: "t-go", link: "t-go", text: "t-say" };

function remedies(place, rows) {
  const same = JSON.stringify(rows);
  const shown = place.dataset.same ?? JSON.stringify([...place.children].map(read));
  if (shown !== same) place.replaceChildren(...rows.map(control));
  place.dataset.same = same;
}

/** A control as the page came with it. */
function read(element) {
  if (element.localName === "p") return { kind: "text", says: element.textContent, url: "", icon: "info" };
  const kind = element.localName === "form" ? "post" : "ask" in element.dataset ? "ask" : "link";
  const url = element.getAttribute(kind === "post" ? "action" : "href");
  const icon = element.querySelector("use").getAttribute("href").split("#")[1];
  return { kind, says: element.querySelector("span").textContent, url, icon };
}

function control(row) {
  const element = copy(REMEDIES[row.kind]);
  if (row.kind === "text") {
    setText(element, row.says);
    return element;
  }
  element.setAttribute(row.kind === "post" ? "action" : "href", row.url);
  if (row.kind === "ask") element.dataset.ask = "";
  shape(element.querySelector("use"), row.icon);
  setText(element.querySelector("span"), row.says);
  return element;
}

/** What is said of all of it. */
function verdict(row) {
  const place = byId("verdict");
  if (!place) return;
  for (const cell of place.querySelectorAll("[data-f^='status.']")) {
    if (!cell.closest("[data-row]")) setText(cell, value({ status: row }, cell.dataset.f));
  }
  place.dataset.st = row.st;
  const use = [...place.querySelectorAll("[data-shape]")].find((u) => !u.closest("[data-row]"));
  if (use) shape(use, row.st);
  if (place.localName === "section") document.title = document.title.replace(/^.* · /, `${row.word} · `);
}

function rope(row) {
  for (const name of ["visitors", "web", "middle", "db"]) {
    const box = document.querySelector(`[data-cord="${name}"]`);
    box?.replaceChildren(...row[name].map(stroke));
  }
  const both = document.querySelector("[data-both]");
  if (both) both.hidden = row.both.length !== 2;
  row.both.forEach((link, i) => {
    const place = both?.children[i];
    if (!place) return;
    place.dataset.st = link.st;
    setText(place.querySelector("[data-from]"), link.from);
    setText(place.querySelector("[data-delay]"), link.text);
  });
}

/** One of two ways. The chosen one stays where the focus may be. */
function choice(kind, chosen, address) {
  for (const link of document.querySelectorAll(`[data-${kind}]`)) {
    const word = link.dataset[kind];
    if (word === chosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    if (word !== chosen) link.href = `${address}/${word}`;
  }
}

/** Who takes writes, and how long nobody did when that last changed. */
function writing(row) {
  choice("routing", row.routing, "/pools/db/routing");
  const gap = document.querySelector("[data-gap]");
  if (!gap) return;
  gap.hidden = !row.gap;
  setText(gap.querySelector("[data-gap-text]"), row.gap);
}

function stroke(cord) {
  const path = document.createElementNS(SVG, "path");
  if (cord.class) path.setAttribute("class", cord.class);
  path.setAttribute("d", cord.d);
  return path;
}

/** Counts, and the words of an empty list. */
function counts() {
  const count = { todo: byId("todos"), web: byId("rows-web"), db: byId("rows-db"), events: byId("events") };
  for (const [name, list] of Object.entries(count)) {
    if (!list) continue;
    const none = list.children.length === 0;
    setText(document.querySelector(`[data-count="${name}"]`), String(list.children.length));
    const empty = document.querySelector(`[data-empty="${name}"]`);
    if (empty) empty.hidden = !none;
    const table = document.querySelector(`[data-table="${name}"]`) ?? (name === "todo" ? list : null);
    if (table) table.hidden = none;
  }
}

/** Servers that are no more. */
export function remove(names) {
  for (const name of names) for (const place of places(name)) place.remove();
  counts();
}

/** One line of the journal, on top of the last ones. */
export function event(row) {
  const list = byId("events");
  if (!list || list.querySelector(`[data-event="${row.id}"]`)) return;
  const line = copy("t-event");
  line.dataset.event = row.id;
  if (row.st) line.dataset.st = row.st;
  line.querySelector("time").dateTime = row.iso;
  shape(line.querySelector("use"), row.icon);
  setText(line.querySelector("[data-e=text]"), row.text);
  setText(line.querySelector("[data-e=actor]"), row.actor);
  localTimes(line);
  const after = [...list.children].find((e) => Number(e.dataset.event) < row.id);
  list.insertBefore(line, after ?? null);
  while (list.children.length > EVENTS) list.lastElementChild.remove();
  counts();
}

/** A picture, or the part of one that changed. */
export function show(picture) {
  if (picture.verdict) verdict(picture.verdict);
  if (picture.causes) causes(picture.causes);
  if (picture.rope) rope(picture.rope);
  if (picture.writing) writing(picture.writing);
  if (picture.session) choice("keeping", picture.session, "/pools/web/session");
  for (const row of picture.proxies ?? []) proxy(row);
  for (const row of picture.servers ?? []) server(row);
  counts();
}
