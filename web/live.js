// The live stream. One tab of the browser reads it and passes it on to the others, because browsers open only
// six connections to one host. Data that stops coming is never left standing as if it were current.
import { event, remove, show } from "./rows.js";
import { age, ago, setText, signIn, word } from "./text.js";
import { drilled } from "./drill.js";
import { measured } from "./trial.js";
import { visited } from "./visitors.js";

const SILENCE_MS = 2_800;
/** Older data is not shown as current, also while news comes. */
const OLD_MS = 3_000;
const RETRY_MS = 1_000;
const OVER_MS = 400;
const KEPT_EVENTS = 8;
/** Seconds of news about visitors that a stopped page catches up with. */
const KEPT_NEWS = 300;
const CHANNEL = `cordee-live-${document.documentElement.lang}`;

/** What this tab knows: the newest of everything, whether shown or not. */
const known = {
  verdict: null,
  causes: [],
  rope: null,
  writing: null,
  session: null,
  proxies: new Map(),
  servers: new Map(),
  ages: {},
  events: [],
  news: [],
  agesAt: 0,
};
let heard = performance.now();
let pictureAge = 0;
let lastEvent = 0;
let paused = false;
/** While the page is paused: the ages of what it shows. They go on growing. */
let held = null;
let stale = false;
let channel = null;

/** Follows the cluster for as long as the page is open. */
export function follow() {
  readAges();
  setInterval(tick, 200);
  pauseButton();
  if (navigator.locks && "BroadcastChannel" in window) {
    channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }) => (data.name === "hello" ? welcome() : take(data.name, data.data, false));
    channel.postMessage({ name: "hello" });
    navigator.locks.request(CHANNEL, lead);
  } else {
    alone();
  }
}

let leading = false;

function lead() {
  leading = true;
  return new Promise(() => open());
}

/** Without locks each tab has its own stream, and a hidden tab lets go of it. */
function alone() {
  let source = open();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) source.stop();
    else source = open();
  });
}

/** A tab that comes later gets what the leading one knows. */
function welcome() {
  if (leading && known.verdict) channel.postMessage({ name: "snapshot", data: whole() });
}

function whole() {
  const since = performance.now() - known.agesAt;
  const ages = Object.fromEntries(Object.entries(known.ages).map(([name, ms]) => [name, ms + since]));
  const { verdict, causes, rope, writing, session, events } = known;
  return { verdict, causes, rope, writing, session, events, ages, proxies: [...known.proxies.values()], servers: [...known.servers.values()] };
}

const NAMES = ["snapshot", "delta", "gone", "event", "trial", "drill", "visitors", "beat", "over"];

function open() {
  let stopped = false;
  let source = null;
  const start = () => {
    if (stopped) return;
    source = new EventSource(`/live${lastEvent ? `?after=${lastEvent}` : ""}`);
    for (const name of NAMES) source.addEventListener(name, (e) => take(name, JSON.parse(e.data), true));
    source.onerror = () => {
      source.close();
      setTimeout(() => signedIn().then(start), RETRY_MS);
    };
  };
  start();
  return { stop: () => ((stopped = true), source?.close()) };
}

/** Leads to the sign-in page when the session is over; does nothing when Cordée does not answer. */
async function signedIn() {
  try {
    const answer = await fetch("/live", { method: "HEAD", redirect: "manual" });
    if (answer.type === "opaqueredirect") signIn();
  } catch {
    // Not there yet: the stream tries again.
  }
}

const takes = {
  snapshot(data) {
    const names = new Set(data.servers.map((row) => row.name));
    takes.gone([...known.servers.keys(), ...shownServers()].filter((name) => !names.has(name)));
    takes.delta(data);
    setAges(data.ages);
    pictureAge = 0;
    for (const row of data.events.toReversed()) takes.event(row);
  },
  delta(data) {
    if (data.verdict) known.verdict = data.verdict;
    if (data.causes) known.causes = data.causes;
    if (data.rope) known.rope = data.rope;
    if (data.writing) known.writing = data.writing;
    if (data.session) known.session = data.session;
    for (const row of data.proxies ?? []) known.proxies.set(row.name, row);
    for (const row of data.servers ?? []) known.servers.set(row.name, row);
    if (!paused && !stale) show(data);
  },
  gone(names) {
    for (const name of names) known.servers.delete(name);
    if (!paused) remove(names);
  },
  event(row) {
    lastEvent = Math.max(lastEvent, row.id);
    if (known.events.some((e) => e.id === row.id)) return;
    known.events = [row, ...known.events].sort((a, b) => b.id - a.id).slice(0, KEPT_EVENTS);
    if (!paused) event(row);
  },
  trial(progress) {
    if (!paused) measured(progress);
  },
  drill(progress) {
    if (!paused) drilled(progress);
  },
  visitors(news) {
    if (paused) known.news = [...known.news, news].slice(-KEPT_NEWS);
    else visited(news);
  },
  beat(data) {
    pictureAge = data.age;
    setAges(data.ages);
  },
  over() {
    // A new password ends this session too, and its answer brings another one: it is on its way to this browser.
    setTimeout(signedIn, OVER_MS);
  },
};

function shownServers() {
  return [...document.querySelectorAll("tr[data-row]")].map((row) => row.dataset.row);
}

/** One message, from the stream or from the leading tab. */
function take(name, data, pass) {
  heard = performance.now();
  if (pass && channel) channel.postMessage({ name, data });
  takes[name](data);
  if (stale && known.verdict && pictureAge < SILENCE_MS) revive();
}

function setAges(ages) {
  known.ages = ages;
  known.agesAt = performance.now();
}

/** The ages at load time stand in the page's own rows until the first message. */
function readAges() {
  known.agesAt = performance.now();
}

/** Ages grow by themselves; silence turns everything unknown. */
function tick() {
  const silent = performance.now() - heard;
  const old = Math.max(silent, pictureAge + (performance.now() - known.agesAt));
  if (silent > SILENCE_MS || old > OLD_MS) wither(old);
  const live = document.getElementById("live");
  live.dataset.st = stale || held ? "unknown" : "good";
  live.toggleAttribute("data-paused", paused);
  const { ages, at, picture } = held ?? { ages: known.ages, at: known.agesAt, picture: old };
  const since = performance.now() - at;
  for (const row of document.querySelectorAll("tr[data-row]")) {
    const ms = ages[row.dataset.row];
    if (ms === undefined) continue;
    for (const cell of row.querySelectorAll("[data-age]")) setText(cell, ago(ms + since));
  }
  const gap = ages["last gap"];
  if (gap !== undefined) setText(document.querySelector("[data-gap-age]"), ago(gap + since));
  header(held ? picture + since : old, ages, since);
}

function header(old, ages, since) {
  const proxies = Object.entries(ages).filter(([name]) => name.startsWith("proxy "));
  const oldest = Math.max(old, ...proxies.map(([, ms]) => ms + since));
  if (known.verdict) setText(document.querySelector("[data-live-age]"), age(oldest));
  const state = paused ? "paused" : stale ? "wait" : "live";
  if (known.verdict) setText(document.querySelector("[data-live-word]"), word(state));
}

/** Nothing new came for almost three seconds: what is shown is no longer known to be so. `old`: its age. */
function wither(old) {
  const lost = document.getElementById("lost");
  const says = lost.dataset.says.replace("§", age(old));
  lost.hidden = false;
  setText(lost.querySelector("p"), says);
  if (stale) return;
  // Read out once; the age then grows in silence.
  const alarm = document.getElementById("alarm");
  setText(alarm, alarm.dataset.says);
  stale = true;
  document.documentElement.dataset.stale = "";
  const status = { st: "unknown", word: word("unknown"), reason: "" };
  const none = { status, small: status.word, sessions: "–", clients: "–" };
  const lose = (row) => ({ ...row, ...none, links: row.links?.map(unmeasured) });
  const servers = known.servers.size ? [...known.servers.values()].map(lose) : bare(none);
  const rope = known.rope && { ...known.rope, both: known.rope.both.map(unmeasured) };
  const verdict = { ...status, word: word("blind"), reason: alarm.dataset.says };
  const cause = { ...verdict, key: "stale", title: "Cordée", by: "", iso: "", time: "", explains: "", remedies: [] };
  show({ verdict, causes: [cause], rope, servers, proxies: [...known.proxies.values()].map(lose) });
}

const unmeasured = (link) => ({ ...link, st: "unknown", text: "–" });

/** Before the first message only the page itself knows its rows. */
function bare(none) {
  return [...document.querySelectorAll("tr[data-row]")].map((row) => ({
    name: row.dataset.row,
    pool: row.parentElement.id.replace("rows-", ""),
    ...none,
    port: row.querySelector("[data-port]").dataset.port,
  }));
}

function revive() {
  stale = false;
  delete document.documentElement.dataset.stale;
  document.getElementById("lost").hidden = true;
  setText(document.getElementById("alarm"), "");
  if (!paused) show(whole());
}

/** Freezes what is shown; what comes meanwhile is kept and shown afterwards. */
function pauseButton() {
  const button = document.getElementById("pause");
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    held = paused ? { ages: { ...known.ages }, at: known.agesAt, picture: pictureAge } : null;
    button.setAttribute("aria-pressed", String(paused));
    button.title = word(paused ? "resume" : "pause");
    setText(button.querySelector(".vh"), button.title);
    if (!paused && known.verdict) {
      remove(shownServers().filter((name) => !known.servers.has(name)));
      if (!stale) show(whole());
      known.events.toReversed().forEach(event);
      known.news.splice(0).forEach(visited);
    }
  });
}
