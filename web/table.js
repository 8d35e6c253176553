// The tables of servers. The stream tells of all rows; in the page are those of one part of a table, found and ordered as
// somebody asked. The server does the same for readers without script (`view/window.rs`).
import { christen, copy, fill } from "./cells.js";
import { setText } from "./text.js";

/** As the server has them. */
const ROWS = 12;
const FEW = 6;
const URGENCY = ["crit", "unknown", "warn", "busy", "maint", "good"];

const { compare } = new Intl.Collator("en", { numeric: true });
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
    order.addEventListener("change", (e) => asking(e, asked, () => sort(asked, order.value)));
    table.closest(".panel").addEventListener("click", (e) => click(e, asked));
  }
  document.addEventListener("keydown", search);
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
    if (field.value.trim()) said.set(`${pool}-q`, field.value.trim());
    if (order) said.set(`${pool}-sort`, order);
    if (skip > 0) said.set(`${pool}-page`, String(skip + 1));
  }
  return said.size > 0 ? `/?${said}` : "/";
}

/** It stands in the bar of the browser, so that it can be kept and passed on; another language comes back to it. */
function remember() {
  const here = address(null);
  history.replaceState(null, "", here);
  for (const back of document.querySelectorAll("input[name=back]")) back.value = here;
}

/** New rows, and rows that changed. */
export function put(rows) {
  // What the page itself knows before the stream has begun is not a whole row.
  const real = rows.filter((row) => row.kind !== undefined);
  for (const row of real) known.set(row.name, row);
  whole ||= real.length === rows.length;
  if (!whole) return;
  for (const asked of tables.values()) draw(asked, false);
}

/** Rows that are no more. */
export function forget(names) {
  for (const name of names) known.delete(name);
  if (!whole) return;
  for (const asked of tables.values()) draw(asked, false);
}

/** How many servers a pool has; nothing while that is not known. */
export function total(pool) {
  return tables.has(pool) && whole ? all(pool).length : undefined;
}

const all = (pool) => [...known.values()].filter((row) => row.pool === pool);

const texts = ({ name, kind, address, port, cookie, status, role }) =>
  [name, kind, `${address}:${port}`, cookie, status.word, status.reason, role ?? ""].join("\n").toLowerCase();

/** The rows that are asked for, in order. */
function found({ pool, field, sort: order }) {
  const part = field.value.trim().toLowerCase();
  const rows = all(pool).filter((row) => !part || texts(row).includes(part));
  const column = order.replace("-", "");
  if (column) rows.sort((a, b) => by(column, a, b) || compare(a.name, b.name));
  return order.startsWith("-") ? rows.reverse() : rows;
}

function by(column, a, b) {
  if (column === "status") return URGENCY.indexOf(a.status.st) - URGENCY.indexOf(b.status.st);
  return compare(a[column], b[column]);
}

/** Somebody points at the rows or has the focus among them: none of them changes its place. */
const taken = (body) => body.matches(":hover, :focus-within") || body.querySelector(":popover-open") !== null;

/** Puts the asked rows into the page. What is there already stays the same element. */
function draw(asked, demanded) {
  const rows = found(asked);
  const pages = Math.max(1, Math.ceil(rows.length / ROWS));
  asked.skip = Math.min(Math.max(asked.skip, 0), pages - 1);
  const first = asked.skip * ROWS;
  const part = rows.slice(first, first + ROWS);
  place(asked, demanded || !taken(asked.body) ? part : stay(asked.body, part));
  frame(asked, rows.length, pages, part.length === 0 ? 0 : first + 1, first + part.length);
  drawn();
}

/** The rows that stand there, each in its place; what is new comes after them. */
function stay(body, part) {
  const there = [...body.rows].map((element) => known.get(element.dataset.row)).filter(Boolean);
  const names = new Set(there.map((row) => row.name));
  const fresh = part.filter((row) => !names.has(row.name));
  return [...there, ...fresh.slice(0, Math.max(0, ROWS - there.length))];
}

function place({ pool, body }, rows) {
  const there = new Map([...body.rows].map((element) => [element.dataset.row, element]));
  let next = body.rows[0] ?? null;
  for (const row of rows) {
    const here = there.get(row.name);
    const element = here ?? christen(copy(`t-${pool}`), row);
    if (!here) fill(element, row);
    there.delete(row.name);
    if (element === next) next = next.nextElementSibling;
    else body.insertBefore(element, next);
  }
  for (const element of there.values()) element.remove();
}

/** What stands around the rows: numbers, ways to the other parts, the order. */
function frame(asked, many, pages, first, last) {
  const { pool, table, form, field, sort: order, skip } = asked;
  const count = total(pool);
  hide(table, last === 0);
  hide(form, count <= FEW && !field.value && form !== document.activeElement?.closest("form"));
  hide(document.querySelector(`[data-none="${pool}"]`), many > 0 || count === 0);
  const pager = document.querySelector(`[data-pager="${pool}"]`);
  hide(pager, pages === 1);
  setText(pager.querySelector("[data-range]"), `${first}–${last}`);
  setText(pager.querySelector("[data-found]"), String(many));
  for (const way of pager.querySelectorAll("[data-turn]")) {
    const to = skip + Number(way.dataset.turn);
    const closed = to < 0 || to >= pages;
    if ((way.ariaDisabled === "true") !== closed) way.ariaDisabled = closed ? "true" : null;
    lead(way, closed ? null : `${address(asked, { skip: to })}#${pool}`);
  }
  for (const link of table.tHead.querySelectorAll("[data-sort]")) {
    const here = link.dataset.sort === order.replace("-", "");
    const way = here ? (order.startsWith("-") ? "descending" : "ascending") : null;
    if (link.parentElement.ariaSort !== way) link.parentElement.ariaSort = way;
    const next = way === "ascending" ? `-${link.dataset.sort}` : link.dataset.sort;
    lead(link, `${address(asked, { sort: next, skip: 0 })}#${pool}`);
  }
}

function lead(link, to) {
  if (to === null) link.removeAttribute("href");
  else if (link.getAttribute("href") !== to) link.setAttribute("href", to);
}

function hide(element, hidden) {
  if (element && element.hidden !== hidden) element.hidden = hidden;
}
