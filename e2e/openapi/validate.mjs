// Reads an OpenAPI document from standard input and says everything that is wrong with it.
import { Validator } from "@seriousme/openapi-schema-validator";
import { readFileSync } from "node:fs";
import { operations, schemas } from "./document.mjs";

const document = JSON.parse(readFileSync(0, "utf8"));
const wrong = [];

const found = await new Validator().validate(structuredClone(document));
for (const error of found.errors ?? []) wrong.push(`${error.instancePath ?? ""}: ${error.message ?? error}`);
if (!found.valid && wrong.length === 0) wrong.push("it is no OpenAPI document");

// What the specification asks for beyond its JSON schema.
const names = new Set();
for (const { method, path, said } of operations(document)) {
  const where = `${method.toUpperCase()} ${path}`;
  if (!said.operationId || names.has(said.operationId)) wrong.push(`${where}: its operationId is not its own`);
  names.add(said.operationId);
  const inPath = new Set([...path.matchAll(/\{([^}]+)\}/g)].map((m) => m[1]));
  const described = (said.parameters ?? []).filter((p) => p.in === "path").map((p) => p.name);
  for (const name of described) if (!inPath.delete(name)) wrong.push(`${where}: ${name} is not in its path`);
  for (const name of inPath) wrong.push(`${where}: ${name} is not described`);
}
// Each schema compiles, with every reference resolved and nothing in it that means nothing.
const check = schemas(document, { strict: true });
for (const name of Object.keys(document.components.schemas)) {
  try {
    check(`#/components/schemas/${name}`);
  } catch (error) {
    wrong.push(`${name}: ${error.message}`);
  }
}

console.log(`OpenAPI ${document.openapi}: ${names.size} operations, ${wrong.length} faults`);
for (const fault of wrong.slice(0, 40)) console.log(`  ${fault}`);
process.exit(wrong.length === 0 ? 0 : 1);
