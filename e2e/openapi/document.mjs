// What the programs here share: an OpenAPI 3.1 document's operations, references and schemas.
import { Ajv2020 } from "ajv/dist/2020.js";

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options"];

/** Every operation, in the document's order. */
export function operations(document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    METHODS.filter((m) => methods[m]).map((method) => ({ method, path, said: methods[method] })),
  );
}

/** What a reference leads to. */
export function resolve(document, value) {
  if (!value?.$ref) return value;
  return value.$ref
    .slice(2)
    .split("/")
    .reduce((at, key) => at[key], document);
}

/** Gives a function that compiles the schema at a reference. `closed`: a member that is not described is refused. */
export function schemas(document, { strict = false, closed = false } = {}) {
  // Formats of numbers say how they are kept; their bounds stand beside them.
  const ajv = new Ajv2020(
    { strict, validateFormats: false, allErrors: true, allowUnionTypes: true, strictTypes: false }
  );
  for (const word of ["components", "example", "xml", "discriminator", "externalDocs"]) ajv.addKeyword(word);
  const all = structuredClone(document.components.schemas);
  if (closed) close(all);
  ajv.addSchema({ $id: "document", components: { schemas: all } });
  const made = new Map();
  return (reference) => {
    if (!made.has(reference)) made.set(reference, ajv.compile({ $ref: `document${reference}` }));
    return made.get(reference);
  };
}

function close(all) {
  // A schema that is a part of others cannot be closed by itself.
  const parts = new Set();
  const collect = (value) => {
    if (!value || typeof value !== "object") return;
    for (const part of value.allOf ?? []) if (part.$ref) parts.add(part.$ref.split("/").at(-1));
    Object.values(value).forEach(collect);
  };
  collect(all);
  for (const [name, schema] of Object.entries(all)) {
    if (schema.properties && !schema.allOf && !parts.has(name)) schema.additionalProperties ??= false;
  }
}
