// The list of visitors follows the stream: what is new is put in by the page that is open, as it comes.
import { moment, setText, setTime } from "./text.js";

const ROWS = 200;
const CHANGES = 50;
const lang = document.documentElement.lang;
const percent = new Intl.NumberFormat(lang, { style: "percent", maximumFractionDigits: 0 });

/** One second's news of visitors. */
export function visited(news) {
  const place = document.querySelector("[data-visitors]");
  if (!place) return;
  counts(place, news.counts);
  // An older page of the list stays as it is.
  if ("old" in place.dataset) return;
  for (const visitor of news.visitors.toReversed()) visitorRow(place, visitor);
  for (const change of news.changes.toReversed()) changeRow(place, change);
}

function counts(place, { stored, crowd, unreadable, kernel, unsent }) {
  const dropped = crowd + unreadable + kernel + unsent;
  const all = { stored, dropped, sent: stored + dropped };
  for (const cell of place.querySelectorAll("[data-count-of]")) setText(cell, String(all[cell.dataset.countOf]));
}

function visitorRow(place, visitor) {
  const { server, address } = place.dataset;
  const seen = server ? visitor.servers.find((share) => share.server === server) : visitor;
  if (!seen || !visitor.address.includes(address.trim().toLowerCase())) return;
  const list = document.getElementById("visitors");
  const known = list.querySelector(`[data-visitor="${CSS.escape(visitor.address)}"]`);
  const row = known ?? fresh("t-visitor");
  row.dataset.visitor = visitor.address;
  const { first, last, requests, errors } = seen;
  fill(row, { address: visitor.address, requests, errors, shares: shares(visitor) }, { first, last });
  if (!known) put(list, row, ROWS);
}

function shares({ servers }) {
  const whole = servers.reduce((sum, share) => sum + share.requests, 0) || 1;
  const name = (share) => (share.server === "haproxy" ? "HAProxy" : share.server);
  return servers.map((share) => `${name(share)} ${percent.format(share.requests / whole)}`).join(" · ");
}

function changeRow(place, change) {
  const { server, address } = place.dataset;
  if ((server && change.server !== server) || !change.address.includes(address.trim().toLowerCase())) return;
  const list = document.getElementById("colour-changes");
  if (list.querySelector(`[data-change="${Number(change.id)}"]`)) return;
  const row = fresh("t-change");
  row.dataset.change = change.id;
  const named = (word) => place.getAttribute(`data-colour-${word}`) ?? word;
  const from = change.from === null || change.from === undefined ? "–" : named(change.from);
  fill(row, { ...change, from, to: named(change.to) }, { at: change.at });
  put(list, row, CHANGES);
}

const fresh = (template) => document.getElementById(template).content.firstElementChild.cloneNode(true);

/** A new row comes first; the oldest goes when there are many. */
function put(list, row, most) {
  const panel = list.closest(".panel");
  panel.querySelector("[data-visitors-table]").hidden = false;
  panel.querySelector("[data-visitors-none]").hidden = true;
  list.prepend(row);
  while (list.children.length > most) list.lastElementChild.remove();
}

function fill(row, words, times) {
  for (const cell of row.querySelectorAll("[data-v]")) {
    const name = cell.dataset.v;
    if (name in times) setTime(cell, new Date(times[name]).toISOString(), moment(times[name]));
    else setText(cell, String(words[name]));
  }
}
