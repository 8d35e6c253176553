// Calls a running Cordée in every way that its description tells of, and in many that it does not; each answer must be
// one that the description tells of, and none may be a failure of Cordée's own. `node fuzz.mjs URL SEED CALLS`, with
// the token in CORDEE_TOKEN and the name of a token that may be taken back in CORDEE_SPARE. A seed makes the same calls
// again, but for how many servers have been started before one; what is answered depends on what the others did
// meanwhile.
import http from "node:http";
import { operations, resolve, schemas } from "./document.mjs";

const [, , url, seedText, callsText] = process.argv;
const [seed, calls] = [Number(seedText), Number(callsText)];
const token = process.env.CORDEE_TOKEN;
const spare = process.env.CORDEE_SPARE;
const AT_ONCE = 6;
const DEADLINE_MS = 30_000;

/** Numbers that look like chance and are the same each time (mulberry32). */
function chance(number) {
  let state = (seed * 1_000_003 + number * 7_919) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 4; i++) next();
  return { next, odds: (p) => next() < p, of: (all) => all[Math.floor(next() * all.length)] };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });

function call({ method, path, headers, body, stream }) {
  return new Promise((done, fail) => {
    const to = new URL(url);
    const options = { agent, method, host: to.hostname, port: to.port, path, headers };
    const request = http.request(options, (answer) => {
      const pieces = [];
      const kind = (answer.headers["content-type"] ?? "").split(";")[0];
      const end = () => done({ status: answer.statusCode, kind, body: Buffer.concat(pieces).toString("utf8") });
      answer.on("data", (piece) => pieces.push(piece));
      answer.on("end", end);
      answer.on("error", fail);
      if (stream && kind === "text/event-stream") {
        setTimeout(() => {
          end();
          answer.removeAllListeners("error").on("error", () => {});
          request.destroy();
        }, 400);
      }
    });
    request.setTimeout(DEADLINE_MS, () => request.destroy(new Error(`no answer within ${DEADLINE_MS} ms`)));
    request.on("error", (error) => fail(error));
    request.end(body);
  });
}

const document = JSON.parse((await call({ method: "GET", path: "/api/openapi.json" })).body);
const schema = schemas(document, { closed: true });
const all = operations(document);

const NAMES = { web: ["web1", "web2", "web3", "web4", "WEB1"], db: ["db1", "db2", "db3"] };
const NOBODY = ["nobody", "web9", "db9"];
const HOSTILE = [
  "", " ", "a\nb", "a;b", "'", '"', "`id`", "$(id)", "../..", "<script>", "%00", "\u0000", "é", "\u202e",
  "-1", "0", "99999999999",
  "1e3", "NaN", "null", "true", "a".repeat(300), "%s%n", "{{7*7}}", "\ud83d\ude00",
];

/** A value that fits a schema; now and then one that does not. */
function value(c, given, name, wild) {
  const at = resolve(document, given);
  if (c.odds(wild)) {
    return c.of([c.of(HOSTILE), null, -1, 0, 1.5, 1e300, true, [], {}, [[]], "x".repeat(5_000)]);
  }
  if (at.oneOf) return value(c, c.of(at.oneOf.filter((s) => s.type !== "null")), name, wild);
  if (at.enum) return c.of(at.enum);
  const type = Array.isArray(at.type) ? at.type.find((t) => t !== "null") : at.type;
  switch (type) {
    case "boolean":
      return c.odds(0.5);
    case "integer": {
      const [least, most] = [at.minimum ?? 0, at.maximum ?? 1_000];
      return c.odds(0.2) ? c.of([least, most]) : least + Math.floor(c.next() * Math.min(most - least, 500));
    }
    case "array":
      return Array.from({ length: Math.floor(c.next() * 3) }, () => value(c, at.items, name, wild));
    case "object":
      return object(c, at, wild);
    default:
      return word(c, name, at);
  }
}

function word(c, name, at) {
  if (["name", "target", "server"].includes(name)) return c.odds(0.1) ? c.of(NOBODY) : c.of(c.of(Object.values(NAMES)));
  // An address at which nobody listens, on this machine: a test of it is over at once.
  if (name === "address") return c.of(["127.0.0.9", "127.0.0.10", "localhost", "10.0.0.315"]);
  if (name === "wait") return c.of(["0", "20ms", "200ms", "1"]);
  if (name === "status") return c.of(["404", "5xx", "200"]);
  if (name === "trusted") return c.of(["10.0.0.0/8", "127.0.0.1", "2001:db8::/32"]);
  if (at?.pattern?.includes("[0-9]+")) return String(1 + Math.floor(c.next() * 60_000));
  return c.of(["a", "10.", "/", "x-y"]);
}

function object(c, at, wild) {
  const made = {};
  for (const [name, member] of Object.entries(at.properties ?? {})) {
    const needed = (at.required ?? []).includes(name);
    if (needed ? !c.odds(wild / 2) : c.odds(0.4)) made[name] = value(c, member, name, wild);
  }
  if (c.odds(wild / 2)) made[c.of(["nmae", "__proto__", "x"])] = 1;
  return made;
}

/** What begins much is seldom asked for as it should be, and is called off at once. */
const HEAVY = new Set(["begin_trial", "begin_drill"]);
const CALLED_OFF = { begin_trial: "/api/v1/trials/cancel", begin_drill: "/api/v1/drills/cancel" };

/** What succeeds while the cluster is as it was started, and hardly ever later. */
const FIRST = [
  ["plan_join", "/api/v1/pools/db/join", null],
  ["revoke_token", `/api/v1/tokens/${spare}`, null],
  ["begin_drill", "/api/v1/drills", { target: "web1", how: "drain", confirm: "web", before: 1, held: "1", after: 1 }],
  ["begin_drill", "/api/v1/drills", { target: "web1", how: "drain", confirm: "web", url: "/", status: 200 }],
  ["get_drill", "/api/v1/drills/1", null],
];

/** What cannot succeed here, and why. Of everything else at least one answer that is no refusal has to be seen. */
const NEVER = {
  repair_database: "it is asked for where rows were found to differ; the cases of repair have some",
  plan_existing: "no MariaDB that exists already is beside the cluster; the cases of external have one",
};

function make(number) {
  const c = chance(number);
  if (number < FIRST.length) {
    const [id, path, wanted] = FIRST[number];
    const operation = all.find((o) => o.said.operationId === id);
    const body = wanted ? JSON.stringify(wanted) : undefined;
    const headers = { authorization: `Bearer ${token}` };
    if (body) Object.assign(headers, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    return { method: operation.method.toUpperCase(), path, headers, body, operation };
  }
  if (c.odds(0.04)) return outside(c);
  let operation = c.of(all);
  if (HEAVY.has(operation.said.operationId) && c.odds(0.5)) operation = c.of(all);
  const { method, path, said } = operation;
  const wild = c.odds(0.5) ? 0 : 0.15;
  const query = [];
  let to = path;
  for (const given of said.parameters ?? []) {
    const parameter = resolve(document, given);
    const name = parameter.name;
    if (parameter.in === "path") {
      // The token that all this is asked with is needed; the spare one was taken back at first.
      const nobody = said.operationId === "revoke_token";
      let typed = nobody ? c.of(["nobody", ...HOSTILE]) : value(c, parameter.schema, name, wild);
      // A server of the pool that stands before it.
      const pool = NAMES[to.split("/")[4]];
      if (name === "name" && pool && c.odds(0.85)) typed = c.of(pool);
      if (name === "id" && c.odds(0.7)) typed = 1 + Math.floor(c.next() * 6);
      to = to.replace(`{${name}}`, encodeURIComponent(typeof typed === "object" ? "x" : String(typed)) || "%20");
    } else if (parameter.in === "query" && c.odds(0.5)) {
      const typed = value(c, parameter.schema, name, wild);
      query.push(`${name}=${encodeURIComponent(typeof typed === "object" ? JSON.stringify(typed) : String(typed))}`);
    }
  }
  if (c.odds(0.05)) query.push(c.of(["%", "x=%ff", "&&=", "a=1&a=2", "=%00"]));
  const headers = { "accept-language": c.of(["fr", "en", "de;q=0.5", "*", "x".repeat(50)]) };
  if (!c.odds(0.03)) headers.authorization = `Bearer ${token}`;
  else if (c.odds(0.5)) headers.authorization = c.of(["Bearer", "Bearer x", "Basic YTpi"]);
  let body;
  if (said.requestBody) {
    headers["content-type"] = "application/json";
    const wanted = resolve(document, said.requestBody).content["application/json"].schema;
    body = JSON.stringify(c.odds(wild) ? value(c, {}, "", 1) : object(c, resolve(document, wanted), wild));
    if (c.odds(0.7)) body = likely(said.operationId, to, body, c);
    body = tamed(said.operationId, to, body, c);
    if (c.odds(wild / 2)) {
      body = c.of(["", "{", "[]", "null", '{"a":', "\u0000", "{}", `{"name":"${"a".repeat(70_000)}"}`]);
    }
    if (c.odds(wild / 2)) headers["content-type"] = c.of(["text/plain", "application/x-www-form-urlencoded", ""]);
    headers["content-length"] = Buffer.byteLength(body);
  }
  const address = to + (query.length > 0 ? `?${query.join("&")}` : "");
  const stream = said.operationId === "follow";
  return { method: method.toUpperCase(), path: address, headers, body, operation, stream };
}

/** What a person would send, of what chance alone seldom finds. */
function likely(id, to, body, c) {
  const db = to.includes("/pools/db/");
  if (id === "add_server" && !db) {
    const name = c.of(["web3", "web4", "web5"]);
    return JSON.stringify(
      c.odds(0.4) ? { name, start: true } : { name, address: "127.0.0.9", port: 8_000 + Math.floor(c.next() * 90) }
    );
  }
  if (id === "add_server") return JSON.stringify({ name: "db3", start: true });
  if (id === "begin_drill") {
    return JSON.stringify(
      { target: c.of(["web1", "web2"]), how: c.of(["drain", "freeze"]), confirm: "web", before: 1, held: 1, after: "1" }
    );
  }
  return body;
}

/** Servers that are started take the machine's time: some are, not a hundred. */
let started = 0;
function tamed(id, to, body, c) {
  if (id !== "add_server") return body;
  const wanted = JSON.parse(body);
  const db = to.includes("/pools/db/");
  if (wanted && wanted.start === true && (started >= 4 || (db && c.odds(0.5)))) delete wanted.start;
  else if (wanted?.start === true) started += 1;
  return JSON.stringify(wanted);
}

/** Something that stands in no description. */
function outside(c) {
  const path = c.of([
    "/api", "/api/", "/api/v1", "/api/v2/snapshot", "/api/v1/pools", "/api/v1/nothing", "/api/v1/tokens/a/b", "/api/%ff"
  ]);
  const method = c.of(["GET", "POST", "DELETE", "PUT", "PATCH"]);
  const other = c.odds(0.4) ? { method: c.of(["PATCH", "PUT"]), path: "/api/v1/snapshot" } : { method, path };
  return { ...other, headers: { authorization: `Bearer ${token}` }, operation: null };
}

const problem = schema("#/components/schemas/ProblemBody");

/** What is wrong with an answer, if anything. */
function judge(asked, answer) {
  const { operation } = asked;
  if (answer.status >= 500) return "a failure of Cordée's own";
  const refusal = answer.kind === "application/problem+json";
  if (refusal) {
    const said = JSON.parse(answer.body);
    if (!problem(said)) return `no problem as described: ${JSON.stringify(problem.errors)}`;
    if (said.status !== answer.status) return "the problem tells another status";
    if (said.detail === "" || said.errors.length === 0) return "it does not say why";
  }
  if (!operation) return refusal && [404, 405].includes(answer.status) ? null : "outside, and neither 404 nor 405";
  const described = operation.said.responses[String(answer.status)];
  if (!described) return `status ${answer.status} is not described`;
  const content = resolve(document, described).content ?? {};
  const media = content[answer.kind];
  if (!media) return `${answer.kind || "no type"} is not described for ${answer.status}`;
  if (refusal) return null;
  if (answer.kind === "application/json") return fits(media.schema, JSON.parse(answer.body));
  if (answer.kind === "text/event-stream") return streamed(answer.body);
  return null;
}

function fits(wanted, body) {
  if (wanted.$ref) {
    const check = schema(wanted.$ref);
    return check(body) ? null : JSON.stringify(check.errors.slice(0, 3));
  }
  if (wanted.type === "array") {
    return Array.isArray(body) ? (body.map((b) => fits(wanted.items, b)).find(Boolean) ?? null) : "no list";
  }
  return "its schema has no name";
}

/** Whole messages of a stream, each of its kind. */
function streamed(text) {
  const kinds = { snapshot: "SnapshotJson", event: "EventJson" };
  for (const block of text.split("\n\n").slice(0, -1)) {
    if (block.startsWith(":")) continue;
    const lines = block.split("\n");
    const kind = lines.find((l) => l.startsWith("event: "))?.slice(7);
    const data = lines.find((l) => l.startsWith("data: "))?.slice(6);
    if (!kinds[kind]) return `a message of an unknown kind: ${block.slice(0, 80)}`;
    const wrong = fits({ $ref: `#/components/schemas/${kinds[kind]}` }, JSON.parse(data));
    if (wrong) return `${kind}: ${wrong}`;
  }
  return null;
}

const faults = [];
const statuses = {};
const touched = new Set();
const well = new Set();
let slowest = { ms: 0 };
let next = 0;

async function worker() {
  while (next < calls) {
    const number = next++;
    const asked = make(number);
    const begun = performance.now();
    let wrong;
    let answer = { status: 0, kind: "", body: "" };
    try {
      answer = await call(asked);
      wrong = judge(asked, answer);
    } catch (error) {
      wrong = String(error.message ?? error);
    }
    const ms = performance.now() - begun;
    if (ms > slowest.ms) slowest = { ms, what: `${asked.method} ${asked.path.slice(0, 80)}` };
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    const id = asked.operation?.said.operationId;
    if (id) touched.add(id);
    if (id && answer.status < 300) well.add(id);
    if (wrong) {
      const [path, sent] = [asked.path.slice(0, 200), (asked.body ?? "").slice(0, 300)];
      faults.push(
        `call ${number}: ${asked.method} ${path} ${sent}\n` +
          `    ${answer.status} ${answer.kind}: ${wrong}\n    ${answer.body.slice(0, 300)}`,
      );
    }
    if (answer.status === 202 && CALLED_OFF[id]) {
      await call(
        { method: "POST", path: CALLED_OFF[id], headers: { authorization: `Bearer ${token}` } }
      ).catch(() => {});
    }
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, worker));
agent.destroy();
console.log(
  `seed ${seed}: ${calls} calls, ${touched.size} of ${all.length} operations, ${well.size} with success, ` +
    `statuses ${JSON.stringify(statuses)}`,
);
console.log(`the slowest took ${Math.round(slowest.ms)} ms: ${slowest.what}`);
const ids = all.map((o) => o.said.operationId);
const never = ids.filter((id) => !well.has(id));
const unexplained = never.filter((id) => !NEVER[id]);
const unknown = Object.keys(NEVER).filter((id) => !ids.includes(id));
for (const id of never.filter((id) => NEVER[id])) console.log(`never with success: ${id}: ${NEVER[id]}`);
if (unexplained.length > 0) console.log(`never with success, and should be: ${unexplained.join(", ")}`);
if (unknown.length > 0) console.log(`no operation any more: ${unknown.join(", ")}`);
for (const fault of faults.slice(0, 20)) console.log(fault);
if (touched.size < all.length) console.log(`never called: ${ids.filter((id) => !touched.has(id))}`);
const passed = [faults, unexplained, unknown].every((list) => list.length === 0) && touched.size === all.length;
process.exit(passed ? 0 : 1);
