// What the stream tells, put into its places on the page.
import { christen, copy, fill, light, shape, value } from "./cells.js";
import { stays, whenLeft } from "./hand.js";
import { lead, plain, said, say } from "./says.js";
import { forget, put, total } from "./table.js";
import { setText, setTime, word } from "./text.js";

export { copy, shape };

const SVG = "http://www.w3.org/2000/svg";
const EVENTS = 8;

const byId = (id) => document.getElementById(id);

/** All places of the page that say something of a server or a proxy, by its name. */
function places() {
  const all = new Map();
  for (const place of document.querySelectorAll("[data-row]")) {
    const { row } = place.dataset;
    if (all.has(row)) all.get(row).push(place);
    else all.set(row, [place]);
  }
  return all;
}

/** A bead for each server of a pool, or one for all of them. */
function beads(pool, crowd) {
  const list = byId(`beads-${pool}`);
  if (!list) return;
  const one = list.querySelector("[data-crowd]");
  if (!crowd) {
    if (one) one.remove();
    return;
  }
  for (const bead of list.querySelectorAll("[data-row]")) bead.remove();
  const bead = one ?? copy("t-crowd");
  if (!one) {
    list.prepend(bead);
    bead.querySelector("a").setAttribute("href", `#${pool}`);
  }
  light(bead, crowd.st);
  for (const part of bead.querySelectorAll("[data-w]")) setText(part, crowd[part.dataset.w]);
}

/** A server that has a bead of its own, and none yet. */
function bead(row, here) {
  const list = byId(`beads-${row.pool}`);
  if (!list || list.querySelector("[data-crowd]") || here?.some((place) => list.contains(place))) return;
  const fresh = christen(copy("t-bead"), row);
  fill(fresh, row);
  list.append(fresh);
}

/** What arrives at a database, on the page of it or of one that it copies. */
function arrows(row) {
  for (const link of row.links ?? []) {
    const place = document.querySelector(`[data-arrow="${CSS.escape(row.name)} ${CSS.escape(link.from)}"]`);
    if (!place) continue;
    if (place.dataset.st !== link.st) place.dataset.st = link.st;
    setText(place.querySelector("[data-delay]"), link.text);
  }
}

/**
 * The list under the verdict. An entry that stays keeps its place in the page, and the focus that is in it; one that is
 * no more leaves, but not from under the hand.
 */
function causes(rows) {
  const list = byId("todos");
  if (!list) return;
  const here = new Map([...list.children].map((entry) => [entry.dataset.cause, entry]));
  for (const [key, entry] of here) if (!rows.some((row) => row.key === key)) outdate(entry);
  let after = null;
  for (const row of rows) {
    const entry = here.get(row.key) ?? copy("t-cause");
    stays(entry);
    delete entry.dataset.gone;
    entry.dataset.cause = row.key;
    entry.dataset.many = row.count;
    light(entry, row.st);
    for (const cell of entry.querySelectorAll("[data-c]")) say(cell, row[cell.dataset.c]);
    const time = entry.querySelector("time");
    hide(time, !row.iso);
    if (!row.iso) time.removeAttribute("datetime");
    else setTime(time, row.iso, row.time);
    remedies(entry.querySelector("[data-remedies]"), row.remedies);
    let next = after ? after.nextElementSibling : list.firstElementChild;
    while (next && next !== entry && "gone" in next.dataset) next = next.nextElementSibling;
    if (next !== entry) list.insertBefore(entry, next);
    after = entry;
  }
}

/** An entry that is no more, settled or said otherwise now, stands there only while somebody is at it. */
function outdate(entry) {
  whenLeft(entry, () => {
    entry.remove();
    counts();
  });
  if (!entry.isConnected) return;
  entry.dataset.gone = "";
  light(entry, "unknown");
  for (const cell of entry.querySelectorAll("[data-c]:not([data-c=title])")) {
    setText(cell, cell.dataset.c === "word" ? word("outdated") : "");
  }
  hide(entry.querySelector("time"), true);
}

const REMEDIES = { post: "t-post", ask: "t-go", link: "t-go", text: "t-say" };

/** What puts it right. No button turns into another one under the hand. */
function remedies(place, rows) {
  const same = JSON.stringify(rows);
  const shown = place.dataset.same ?? JSON.stringify([...place.children].map(read));
  if (shown === same) return stays(place);
  whenLeft(place, () => {
    place.replaceChildren(...rows.map(control));
    place.dataset.same = same;
  });
}

/** A control as the page came with it. */
function read(element) {
  if (element.localName === "p") return { kind: "text", says: said(element), url: "", icon: "info" };
  const kind = element.localName === "form" ? "post" : "ask" in element.dataset ? "ask" : "link";
  const url = element.getAttribute(kind === "post" ? "action" : "href");
  const icon = element.querySelector("use").getAttribute("href").split("#")[1];
  return { kind, says: said(element.querySelector("span")), url, icon };
}

function control(row) {
  const element = copy(REMEDIES[row.kind]);
  if (row.kind === "text") {
    say(element, row.says);
    return element;
  }
  element.setAttribute(row.kind === "post" ? "action" : "href", row.url);
  if (row.kind === "ask") element.dataset.ask = "";
  shape(element.querySelector("use"), row.icon);
  setText(element.querySelector("span"), plain(row.says));
  return element;
}

/** What is said of all of it. */
function verdict(row) {
  const place = byId("verdict");
  if (!place) return;
  const cells = [...place.querySelectorAll("[data-f^='status.']")].filter((cell) => !cell.closest("[data-row]"));
  // The line under the bar of another page is a link itself.
  const write = place.localName === "a" ? (cell, words) => setText(cell, plain(words)) : say;
  for (const cell of cells) write(cell, value({ status: row }, cell.dataset.f));
  place.dataset.st = row.st;
  const use = [...place.querySelectorAll("[data-shape]")].find((u) => !u.closest("[data-row]"));
  if (use) shape(use, row.st);
  if (place.localName === "section") document.title = document.title.replace(/^.* · /, `${row.word} · `);
}

function rope(row) {
  for (const name of ["visitors", "web", "middle", "db"]) {
    const box = document.querySelector(`[data-cord="${name}"]`);
    if (box) strokes(box, row[name]);
  }
  const both = document.querySelector("[data-both]");
  hide(both, row.both.length !== 2);
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
  hide(gap, !row.gap);
  setText(gap.querySelector("[data-gap-text]"), row.gap);
}

function strokes(box, cords) {
  const same = JSON.stringify(cords);
  if (box.dataset.same !== same) box.replaceChildren(...cords.map(stroke));
  box.dataset.same = same;
}

function stroke(cord) {
  const path = document.createElementNS(SVG, "path");
  if (cord.class) path.setAttribute("class", cord.class);
  path.setAttribute("d", cord.d);
  return path;
}

/** Counts, and the words of an empty list. */
function counts() {
  const causes = byId("todos")?.querySelectorAll(":scope > :not([data-gone])");
  // Servers that share a cause have one entry, and count each: as the verdict counts.
  const todo = causes && [...causes].reduce((sum, entry) => sum + Number(entry.dataset.many), 0);
  const count = { todo, web: total("web"), db: total("db"), events: byId("events")?.children.length };
  for (const [name, many] of Object.entries(count)) {
    if (many === undefined) continue;
    setText(document.querySelector(`[data-count="${name}"]`), String(many));
    hide(document.querySelector(`[data-empty="${name}"]`), many > 0);
    if (name === "todo") hide(byId("todos"), byId("todos").children.length === 0);
  }
}

function hide(element, hidden) {
  if (element && element.hidden !== hidden) element.hidden = hidden;
}

/** Servers that are no more. The rows of tables leave by themselves; nothing leaves from under the hand. */
export function remove(names) {
  const here = places();
  for (const name of names) {
    const all = (here.get(name) ?? []).filter((place) => !place.closest("[data-table]"));
    for (const place of all) whenLeft(place, () => place.remove());
  }
  forget(names);
  lead();
  counts();
}

/** One line of the journal, on top of the last ones. */
export function event(row) {
  const list = byId("events");
  if (!list || list.querySelector(`[data-event="${row.id}"]`)) return;
  const line = copy("t-event");
  line.dataset.event = row.id;
  if (row.st) line.dataset.st = row.st;
  setTime(line.querySelector("time"), row.iso, row.time);
  shape(line.querySelector("use"), row.icon);
  say(line.querySelector("[data-e=text]"), row.text);
  setText(line.querySelector("[data-e=actor]"), row.actor);
  const after = [...list.children].find((e) => Number(e.dataset.event) < row.id);
  list.insertBefore(line, after ?? null);
  for (const old of [...list.children].slice(EVENTS)) {
    whenLeft(old, () => {
      old.remove();
      counts();
    });
  }
  lead();
  counts();
}

/** A picture, or the part of one that changed; `all`: every server that is known, for a pool that becomes few again. */
export function show(picture, all = []) {
  if (picture.verdict) verdict(picture.verdict);
  if (picture.causes) causes(picture.causes);
  if (picture.rope) {
    rope(picture.rope);
    beads("web", picture.rope.web_crowd);
    beads("db", picture.rope.db_crowd);
  }
  if (picture.writing) writing(picture.writing);
  if (picture.session) choice("keeping", picture.session, "/pools/web/session");
  const servers = picture.servers ?? [];
  put(servers);
  const here = places();
  for (const row of [...(picture.proxies ?? []), ...servers]) {
    for (const place of here.get(row.name) ?? []) {
      if (!place.closest("[data-table]")) stays(place);
      fill(place, row);
    }
  }
  for (const row of picture.rope && all.length > 0 ? all : servers) bead(row, here.get(row.name));
  for (const row of servers) arrows(row);
  lead();
  counts();
}
