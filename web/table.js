// The tables of servers. The stream tells of all rows; in the page are those of one part of a table, found and ordered
// as somebody asked. The server does the same for readers without script (`view/window.rs`).
import { christen, copy, fill, light } from "./cells.js";
import { held, stays, whenLeft } from "./hand.js";
import { asked as wordOf, holds, sorted } from "./order.js";
import { setText, word } from "./text.js";

/** As the server has them. */
const ROWS = 12;
const FEW = 6;
/** The address is written once nobody has typed for so long: browsers bound how often (Safari: 100 times in 30 s). */
const QUIET_MS = 400;
/** A browser that refused is asked again after that time. */
const AGAIN_MS = 30_000;

/** Every row that is known, in the order of adding; all of them once the stream has begun. */
const known = new Map();
let whole = false;
/** What is asked of each table that is on the page. */
const tables = new Map();
let drawn = () => {};

/** Takes over the links and forms of the tables; `then` is called after other rows came into the page. */
export function tabulate(then) {
  drawn = then;
  for (const table of document.querySelectorAll("[data-table]")) {
    const pool = table.dataset.table;
    const form = document.querySelector(`[data-sift="${pool}"]`);
    const [field, order] = ["q", "sort"].map((name) => form.elements[`${pool}-${name}`]);
    const asked = { pool, table, form, field, order, body: table.tBodies[0], sort: table.dataset.order };
    asked.skip = Number(table.dataset.skip);
    tables.set(pool, asked);
    form.addEventListener("submit", (e) => asking(e, asked, () => (asked.skip = 0)));
    field.addEventListener("input", (e) => asking(e, asked, () => (asked.skip = 0)));
    field.addEventListener("change", () => writing && write());
    order.addEventListener("change", (e) => asking(e, asked, () => sort(asked, order.value)));
    table.closest(".panel").addEventListener("click", (e) => click(e, asked));
  }
  document.addEventListener("keydown", search);
  addEventListener("pagehide", () => writing && write());
}

/** `/` leads to the word that is looked for, but not out of what somebody types. */
function search(e) {
  const typing = e.target.closest("input, textarea, select, [contenteditable], dialog");
  if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey || typing) return;
  const here = document.activeElement?.closest(".panel")?.id;
  const all = [...tables.values()].filter(({ form }) => !form.hidden);
  const asked = all.find(({ pool }) => pool === here) ?? all[0];
  if (!asked) return;
  e.preventDefault();
  asked.field.focus();
  asked.field.select();
}

/** Before the stream has told of all rows, only the server can answer. */
function asking(e, asked, change) {
  if (!whole) return;
  e.preventDefault();
  change();
  draw(asked, true);
  remember();
}

function click(e, asked) {
  const link = e.target.closest("[data-sort], [data-turn], [data-clear]");
  if (!link || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey) return;
  const { sort: column, turn } = link.dataset;
  asking(e, asked, () => {
    if (column) sort(asked, asked.sort === column ? `-${column}` : column);
    else if (turn) asked.skip += Number(turn);
    else clear(asked);
  });
  // A way that leads no further gives the focus to the other one.
  if (turn && link.ariaDisabled) link.parentElement.querySelector("a:not([aria-disabled])")?.focus();
}

function clear(asked) {
  asked.field.value = "";
  asked.skip = 0;
  asked.field.focus();
}

function sort(asked, order) {
  asked.sort = order;
  asked.skip = 0;
  const column = order.replace("-", "");
  for (const option of asked.order.options) {
    const own = option.value.replace("-", "");
    option.value = own === column ? order : own;
  }
  asked.order.value = order;
}

/** The address of what is shown, or would be. */
function address(asked, change) {
  const said = new URLSearchParams();
  for (const one of tables.values()) {
    const { pool, field, sort: order, skip } = one === asked ? { ...one, ...change } : one;
    const part = wordOf(field.value);
    if (part) said.set(`${pool}-q`, part);
    if (order) said.set(`${pool}-sort`, order);
    if (skip > 0) said.set(`${pool}-page`, String(skip + 1));
  }
  return said.size > 0 ? `/?${said}` : "/";
}

let writing = 0;

/** It is to stand in the bar of the browser, to be kept and passed on; another language comes back to it. */
function remember() {
  const here = address(null);
  for (const back of document.querySelectorAll("input[name=back]")) back.value = here;
  clearTimeout(writing);
  writing = setTimeout(write, QUIET_MS);
}

function write() {
  clearTimeout(writing);
  writing = 0;
  try {
    history.replaceState(null, "", address(null));
  } catch {
    // Written too often, by whatever else is on this page: what is shown is right all the same.
    writing = setTimeout(write, AGAIN_MS);
  }
}

/** New rows, and rows that changed. */
export function put(rows) {
  // What the page itself knows before the stream has begun is not a whole row.
  const real = rows.filter((row) => row.kind !== undefined);
  for (const row of real) known.set(row.name, row);
  whole ||= rows.length > 0 && real.length === rows.length;
  if (!whole) return;
  for (const asked of tables.values()) draw(asked, false);
}

/** Servers that are no more. */
export function forget(names) {
  for (const name of names) known.delete(name);
  for (const asked of tables.values()) {
    if (whole) draw(asked, false);
    else for (const row of [...asked.body.rows]) if (names.includes(row.dataset.row) && !held(row)) row.remove();
  }
}

/** What is known of a server; nothing while not all of them are. */
export const server = (name) => (whole ? known.get(name) ?? null : undefined);

/** How many servers a pool has; nothing while that is not known. */
export function total(pool) {
  return tables.has(pool) && whole ? all(pool).length : undefined;
}

const all = (pool) => [...known.values()].filter((row) => row.pool === pool);

/** The rows that are asked for, in order. */
function found({ pool, field, sort: order }) {
  const part = wordOf(field.value);
  return sorted(part ? all(pool).filter((row) => holds(row, part)) : all(pool), order);
}

/** Puts the asked rows into the page. What is there already stays the same element. */
function draw(asked, demanded) {
  const rows = found(asked);
  const pages = Math.max(1, Math.ceil(rows.length / ROWS));
  asked.skip = Math.min(Math.max(asked.skip, 0), pages - 1);
  const first = asked.skip * ROWS;
  const part = rows.slice(first, first + ROWS).map((row) => row.name);
  // Somebody is at the rows: none of them changes its place.
  const here = !demanded && held(asked.body) ? stay(asked.body, part) : part;
  place(asked, here);
  if (String(here) === String(part)) stays(asked.body);
  else whenLeft(asked.body, () => draw(asked, false));
  const last = first + part.length;
  const from = part.length === 0 ? 0 : first + 1;
  frame(asked, { many: rows.length, pages, from, last, here: here.length, demanded });
  drawn();
}

/**
 * The rows that stand there, each in its place, whether they are asked for or not; what is new comes after them. One
 * whose server is no more leaves, but not from under the hand.
 */
function stay(body, part) {
  const rows = [...body.rows].filter((row) => known.has(row.dataset.row) || held(row));
  const there = rows.map((row) => row.dataset.row);
  const fresh = part.filter((name) => !there.includes(name));
  return [...there, ...fresh.slice(0, Math.max(0, ROWS - there.length))];
}

function place({ pool, body }, names) {
  const there = new Map([...body.rows].map((element) => [element.dataset.row, element]));
  let next = body.rows[0] ?? null;
  for (const name of names) {
    const row = known.get(name);
    const here = there.get(name);
    const element = here ?? christen(copy(`t-${pool}`), row);
    if (!here) fill(element, row);
    mark(element, row === undefined);
    there.delete(name);
    if (element === next) next = next.nextElementSibling;
    else body.insertBefore(element, next);
  }
  for (const element of there.values()) element.remove();
}

/** Whether the server of a row that stays under the hand is no more. */
function mark(element, gone) {
  if ("gone" in element.dataset !== gone) element.toggleAttribute("data-gone", gone);
  if (!gone) return;
  light(element, "unknown");
  setText(element.querySelector("[data-f='status.word']"), word("removed"));
  setText(element.querySelector("[data-f='status.reason']"), "");
}

/** What stands around the rows: numbers, ways to the other parts, the order. */
function frame(asked, { many, pages, from, last, here, demanded }) {
  const { pool, table, form, field, sort: order, skip } = asked;
  const count = total(pool);
  away(table, here === 0, demanded);
  away(form, count <= FEW && !field.value, false);
  away(document.querySelector(`[data-none="${pool}"]`), here > 0 || count === 0, demanded);
  const pager = document.querySelector(`[data-pager="${pool}"]`);
  away(pager, pages === 1, demanded);
  setText(pager.querySelector("[data-range]"), `${from}–${last}`);
  setText(pager.querySelector("[data-found]"), String(many));
  for (const way of pager.querySelectorAll("[data-turn]")) {
    const to = skip + Number(way.dataset.turn);
    const closed = to < 0 || to >= pages;
    if ((way.ariaDisabled === "true") !== closed) way.ariaDisabled = closed ? "true" : null;
    lead(way, closed ? null : `${address(asked, { skip: to })}#${pool}`);
  }
  for (const link of table.tHead.querySelectorAll("[data-sort]")) {
    const its = link.dataset.sort === order.replace("-", "");
    const way = its ? (order.startsWith("-") ? "descending" : "ascending") : null;
    if (link.parentElement.ariaSort !== way) link.parentElement.ariaSort = way;
    const next = way === "ascending" ? `-${link.dataset.sort}` : link.dataset.sort;
    lead(link, `${address(asked, { sort: next, skip: 0 })}#${pool}`);
  }
}

function lead(link, to) {
  if (to === null) link.removeAttribute("href");
  else if (link.getAttribute("href") !== to) link.setAttribute("href", to);
}

/** Shows a part, or hides it: at once when that was asked for, else when nobody is at it. */
function away(element, hidden, demanded) {
  const hide = () => element.hidden !== hidden && (element.hidden = hidden);
  if (hidden && !element.hidden && !demanded) return whenLeft(element, hide);
  stays(element);
  hide();
}
