// The live stream. One tab of the browser reads it and passes it on to the others, because browsers open only
// six connections to one host. Data that stops coming is never left standing as if it were current.
import { event, remove, show } from "./rows.js";
import { steady, watchHands } from "./steady.js";
import { tabulate } from "./table.js";
import { age, ago, setText, signIn, word } from "./text.js";
import { drilled } from "./drill.js";
import { measured } from "./trial.js";
import { visited } from "./visitors.js";

const SILENCE_MS = 2_800;
/** Older data is not shown as current, also while news comes. */
const OLD_MS = 3_000;
/** What is older than this is late, and looks so, before it counts as lost. */
const LATE_MS = 2_000;
/**
 * Ages are written once a second, with the numbers that came meanwhile: each writing makes the browser lay out the
 * page.
 */
const WRITE_MS = 1_050;
const RETRY_MS = 1_000;
const OVER_MS = 400;
/** The page is changed no more often than that: each change makes the browser lay it out. */
const PACE_MS = 100;
const KEPT_EVENTS = 8;
/** Seconds of news about visitors that a stopped page catches up with. */
const KEPT_NEWS = 300;
/**
 * What this script was loaded with: another Cordée may say the same in another way, and so may a tab that it has sent.
 */
const VERSION = new URL(import.meta.url).pathname.split("/").at(-2);
const CHANNEL = `cordee-live-${document.documentElement.lang}-${VERSION}`;
const STREAM = `/live?v=${VERSION}`;

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
  trial: undefined,
  drill: undefined,
  agesAt: 0,
};
let heard = performance.now();
let pictureAge = 0;
let lastEvent = 0;
let paused = false;
/** While the page is paused: the ages of what it shows. They go on growing. */
let held = null;
let stale = false;
let late = false;
let written = 0;
/** Changed numbers that wait for the next beat. */
let waiting = {};
let channel = null;
/** What came and has not been read yet. */
let inbox = [];
const bell = new MessageChannel();
/** What is to be done on the page, and when that was done last. */
let due = nothing();
let settled = 0;
let settling = null;

/** Follows the cluster for as long as the page is open. */
export function follow() {
  known.agesAt = performance.now();
  bell.port1.onmessage = unpack;
  watchHands();
  tabulate(writeRowAges);
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

/**
 * Without locks each tab has its own stream while it is looked at: a hidden one has none, also if it was opened hidden.
 */
function alone() {
  let source = null;
  const turn = () => {
    source?.stop();
    source = document.hidden ? null : open();
  };
  turn();
  document.addEventListener("visibilitychange", turn);
}

/** A tab that comes later gets what the leading one knows; what came to it just before was passed on before. */
function welcome() {
  if (!leading) return;
  unpack();
  // What is old by now would be taken for news.
  if (!known.verdict || pictureOld() > OLD_MS) return;
  channel.postMessage({ name: "snapshot", data: whole() });
  // It ended between that tab's page and now, or goes on.
  for (const name of RUNS) if (known[name] !== undefined) channel.postMessage({ name, data: known[name] });
}

function whole() {
  const since = performance.now() - known.agesAt;
  const ages = Object.fromEntries(Object.entries(known.ages).map(([name, ms]) => [name, ms + since]));
  const { verdict, causes, rope, writing, session, events } = known;
  const [proxies, servers] = [[...known.proxies.values()], [...known.servers.values()]];
  return { verdict, causes, rope, writing, session, events, ages, proxies, servers };
}

/** What a person begins, and how it is shown; `null` once there is none any more. */
const SHOWS = { trial: measured, drill: drilled };
const RUNS = Object.keys(SHOWS);
const NAMES = ["snapshot", "delta", "gone", "event", "trial", "drill", "visitors", "beat", "over"];

function open() {
  let stopped = false;
  let source = null;
  const start = () => {
    if (stopped) return;
    source = new EventSource(lastEvent ? `${STREAM}&after=${lastEvent}` : STREAM);
    for (const name of NAMES) source.addEventListener(name, (e) => take(name, JSON.parse(e.data), true));
    source.onerror = () => {
      source.close();
      setTimeout(() => signedIn().then(start), RETRY_MS);
    };
  };
  start();
  return { stop: () => ((stopped = true), source?.close()) };
}

/**
 * Leads to the sign-in page when the session is over, or this script is not that of the Cordée that answers: whoever is
 * signed in comes from there to a fresh page. Does nothing when Cordée does not answer.
 */
async function signedIn() {
  try {
    const answer = await fetch(STREAM, { method: "HEAD", redirect: "manual" });
    if (answer.type !== "opaqueredirect") return;
    if (leading) channel.postMessage({ name: "over" });
    signIn();
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
    due.write = true;
    for (const row of data.events.toReversed()) takes.event(row);
  },
  delta(data) {
    due.show ||= urgent(data);
    if (data.verdict) known.verdict = data.verdict;
    if (data.causes) known.causes = data.causes;
    if (data.rope) known.rope = data.rope;
    if (data.writing) known.writing = data.writing;
    if (data.session) known.session = data.session;
    for (const row of data.proxies ?? []) known.proxies.set(row.name, row);
    for (const row of data.servers ?? []) known.servers.set(row.name, row);
    gather(data);
  },
  gone(names) {
    for (const name of names) known.servers.delete(name);
    for (const name of names) waiting.servers?.delete(name);
    (paused ? held : due).gone.push(...names);
  },
  event(row) {
    lastEvent = Math.max(lastEvent, row.id);
    if (known.events.some((e) => e.id === row.id)) return;
    known.events = [row, ...known.events].sort((a, b) => b.id - a.id).slice(0, KEPT_EVENTS);
    due.events = true;
  },
  trial(progress) {
    known.trial = progress;
    due.runs = true;
  },
  drill(progress) {
    known.drill = progress;
    due.runs = true;
  },
  visitors(news) {
    known.news = [...known.news, news].slice(-KEPT_NEWS);
  },
  beat(data) {
    pictureAge = data.age;
    setAges(data.ages);
    due.show = due.write = true;
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
  // At once: the clock of a tab that nobody looks at goes slowly.
  if (pass && channel) channel.postMessage({ name, data });
  inbox.push({ name, data });
  if (inbox.length === 1) bell.port2.postMessage(null);
}

/** Reads what came. What came in one go, or soon after, is shown in one go: hundreds of servers may fall at once. */
function unpack() {
  const all = inbox;
  inbox = [];
  for (const { name, data } of all) {
    // What changed is nothing to a page that has not heard yet what is.
    if (name !== "delta" || known.verdict) takes[name](data);
  }
  const wait = PACE_MS - (performance.now() - settled);
  if (wait <= 0 || document.hidden) settle();
  else settling ??= setTimeout(settle, wait);
}

function nothing() {
  return { show: false, write: false, events: false, runs: false, gone: [] };
}

/** Does on the page what is due. */
function settle() {
  clearTimeout(settling);
  settling = null;
  const again = stale && known.verdict !== null && pictureAge < SILENCE_MS;
  const news = paused ? [] : known.news.splice(0);
  const asked = due;
  due = nothing();
  if (!again && news.length === 0 && Object.values(asked).every((one) => one === false || one.length === 0)) return;
  settled = performance.now();
  steady(() => {
    if (asked.gone.length > 0) remove(asked.gone);
    if (asked.show) flush();
    if (asked.events && !paused) known.events.toReversed().forEach(event);
    news.forEach(visited);
    if (asked.runs && !paused) for (const name of RUNS) if (known[name] !== undefined) SHOWS[name](known[name]);
    if (again) revive();
    else if (asked.write) write();
  });
}

/** What somebody has to see at once. Mere numbers wait for the beat. */
function urgent({ verdict, causes, rope, writing, session, proxies = [], servers = [] }) {
  const core = ({ status, show: shown, role, writer }) => [status.st, status.word, shown, role, writer].join("\n");
  const turned = (row, before) => !before || core(row) !== core(before);
  const drawing = (one) => JSON.stringify({ ...one, both: one?.both.map(({ from, st }) => [from, st]) });
  return (
    (verdict && (verdict.st !== known.verdict?.st || verdict.word !== known.verdict?.word)) ||
    causes !== undefined ||
    writing !== undefined ||
    session !== undefined ||
    (rope && drawing(rope) !== drawing(known.rope)) ||
    proxies.some((row) => turned(row, known.proxies.get(row.name))) ||
    servers.some((row) => turned(row, known.servers.get(row.name)))
  );
}

/** The newest of everything that is to be shown. */
function gather({ proxies = [], servers = [], ages, events, ...rest }) {
  const rows = (before, fresh) => fresh.reduce((all, row) => all.set(row.name, row), before ?? new Map());
  waiting = { ...waiting, ...rest, proxies: rows(waiting.proxies, proxies), servers: rows(waiting.servers, servers) };
}

function flush() {
  if (paused || stale || !waiting.servers) return;
  const { proxies, servers, ...rest } = waiting;
  waiting = {};
  show({ ...rest, proxies: [...proxies.values()], servers: [...servers.values()] }, [...known.servers.values()]);
}

function setAges(ages) {
  known.ages = ages;
  known.agesAt = performance.now();
}

/** Looks whether what is shown has become old. Silence turns everything unknown. */
function tick() {
  const silent = performance.now() - heard;
  const old = pictureOld();
  if ((silent > SILENCE_MS || old > OLD_MS) && !stale) steady(wither);
  const before = late;
  late = known.verdict !== null && oldest() > LATE_MS;
  if (late !== before || performance.now() - written > WRITE_MS) write();
}

/** Milliseconds since the newest picture was taken, as far as this page knows. */
function pictureOld() {
  const silent = performance.now() - heard;
  return Math.max(silent, pictureAge + (performance.now() - known.agesAt));
}

/** The ages that are shown: they grow by themselves, also while the page is paused. */
function shownAges() {
  const { ages, at } = held ?? { ages: known.ages, at: known.agesAt };
  return { ages, since: performance.now() - at };
}

/** The page is as old as its oldest part. */
function oldest() {
  const { ages, since } = shownAges();
  const proxies = Object.entries(ages).filter(([name]) => name.startsWith("proxy "));
  return Math.max(held ? held.picture + since : pictureOld(), ...proxies.map(([, ms]) => ms + since));
}

/** Writes all ages, and how fresh the page is. */
function write() {
  written = performance.now();
  const live = document.getElementById("live");
  // Before anything was heard, nothing is known of how it is.
  const st = held || stale || !known.verdict ? "unknown" : late ? "warn" : "good";
  if (live.dataset.st !== st) live.dataset.st = st;
  if (live.hasAttribute("data-paused") !== paused) live.toggleAttribute("data-paused", paused);
  if (known.verdict) {
    setText(document.querySelector("[data-live-age]"), age(oldest()));
    setText(
      document.querySelector("[data-live-word]"), word(paused ? "paused" : stale ? "wait" : late ? "late" : "live")
    );
  }
  if (stale) setText(document.querySelector("#lost p"), lostFor());
  writeRowAges();
}

function writeRowAges() {
  const { ages, since } = shownAges();
  for (const row of document.querySelectorAll("tr[data-row]")) {
    const ms = ages[row.dataset.row];
    if (ms === undefined) continue;
    for (const cell of row.querySelectorAll("[data-age]")) setText(cell, ago(ms + since));
  }
  const gap = ages["last gap"];
  if (gap !== undefined) setText(document.querySelector("[data-gap-age]"), ago(gap + since));
}

const lostFor = () => document.getElementById("lost").dataset.says.replace("§", age(pictureOld()));

/** Nothing new came for almost three seconds: what is shown is no longer known to be so. */
function wither() {
  const lost = document.getElementById("lost");
  lost.hidden = false;
  setText(lost.querySelector("p"), lostFor());
  // Read out once; the age then grows in silence.
  const alarm = document.getElementById("alarm");
  setText(alarm, alarm.dataset.says);
  stale = true;
  document.documentElement.dataset.stale = "";
  const status = { st: "unknown", word: word("unknown"), reason: "" };
  const none = { status, small: status.word, sessions: "–", clients: "–" };
  const lose = (row) => ({ ...row, ...none, links: row.links?.map(unmeasured) });
  const servers = known.servers.size ? [...known.servers.values()].map(lose) : bare(none);
  const one = (crowd) => crowd && { ...crowd, st: "unknown", says: status.word };
  const crowds = { web_crowd: one(known.rope?.web_crowd), db_crowd: one(known.rope?.db_crowd) };
  const rope = known.rope && { ...known.rope, ...crowds, both: known.rope.both.map(unmeasured) };
  const verdict = { ...status, word: word("blind"), reason: alarm.dataset.says };
  const cause = { ...verdict, key: "stale", title: "Cordée", by: "", iso: "", time: "", explains: "", remedies: [] };
  waiting = {};
  show({ verdict, causes: [cause], rope, servers, proxies: [...known.proxies.values()].map(lose) });
  write();
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
  showAll();
  write();
}

/** Everything that is known, whatever is shown. */
function showAll() {
  if (paused || stale) return;
  waiting = {};
  show(whole(), [...known.servers.values()]);
}

/** Freezes what is shown; what comes meanwhile is kept and shown afterwards. */
function pauseButton() {
  const button = document.getElementById("pause");
  button.hidden = false;
  button.addEventListener("click", () => {
    // What was on its way to the page is still shown.
    settle();
    paused = !paused;
    const gone = held?.gone ?? [];
    held = paused ? { ages: { ...known.ages }, at: known.agesAt, picture: pictureAge, gone } : null;
    button.setAttribute("aria-pressed", String(paused));
    button.title = word(paused ? "resume" : "pause");
    setText(button.querySelector(".vh"), button.title);
    if (!paused && known.verdict) {
      steady(() => {
        remove([...gone, ...shownServers()].filter((name) => !known.servers.has(name)));
        showAll();
      });
      due.events = due.runs = true;
    }
    settle();
    write();
  });
}
