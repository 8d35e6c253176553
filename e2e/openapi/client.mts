// Made for: `openapi-typescript` writes `schema.d.mts` beside this from the description of a running Cordée. What does
// not fit the description does not compile.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.mjs";

type Server = components["schemas"]["ServerJson"];

declare const process: { argv: string[]; env: Record<string, string | undefined>; exit(code: number): never };

const [, , baseUrl] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${process.env.CORDEE_TOKEN}` } });

function assert(holds: unknown, says: string): asserts holds {
  if (!holds) throw new Error(says);
}

const { data: seen } = await client.GET("/api/v1/snapshot");
assert(seen, "a picture");
const web: Server[] = seen.servers.filter((s) => s.pool === "web");
assert(web.length === 2 && seen.verdict.light === "good", `all good: ${JSON.stringify(seen.verdict)}`);

// A change, waited for; then the way back.
const name = web[1]!.name;
for (const action of ["drain", "ready"] as const) {
  const { data, response } = await client.POST("/api/v1/pools/{pool}/servers/{name}/{action}", {
    params: { path: { pool: "web", name, action }, query: { wait: "30s" } },
  });
  assert(response.status === 200 && data?.state === "real", `${action}: ${response.status} ${JSON.stringify(data)}`);
  const { data: wish } = await client.GET("/api/v1/wishes/{id}", { params: { path: { id: data.revision } } });
  assert(wish?.revision === data.revision, "the wish is found again");
}

// A refusal is typed too.
const { error, response } = await client.POST("/api/v1/pools/{pool}/servers", {
  params: { path: { pool: "web" } },
  body: { name: "web9", address: "10.0.0.315" },
});
assert(response.status === 422 && error?.errors[0]?.field === "address", `refused: ${JSON.stringify(error)}`);

const { data: history } = await client.GET("/api/v1/history", { params: { query: { limit: 50 } } });
assert(history?.events.some((e) => e.actor === "token:e2e" && e.subject === name), "the journal");
const { data: tokens } = await client.GET("/api/v1/tokens");
assert(tokens?.tokens.some((t) => t.name === "e2e" && typeof t.used === "number"), "the tokens");

// What is not in the description does not compile.
// @ts-expect-error: there is no such pool
await client.GET("/api/v1/pools/{pool}/servers/{name}/logs", { params: { path: { pool: "mail", name } } });
// @ts-expect-error: there is no such routing
await client.PUT("/api/v1/pools/db/routing", { body: { routing: "no-writer" } });
// @ts-expect-error: there is no such address
await client.GET("/api/v1/nothing");

console.log("the client works");
