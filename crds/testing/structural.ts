import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import type { CustomResourceDefinition, Schema } from "../schema.ts";

const folder = join(import.meta.dirname, "..");

/** The schemas of our resources, by kind. */
export const schemas: ReadonlyMap<string, Schema> = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => load(readFileSync(join(folder, name), "utf8")) as CustomResourceDefinition)
    .map(({ spec }) => [spec.names.kind, spec.versions[0]!.schema.openAPIV3Schema]),
);

/** `value` with the defaults filled in, as the API server does it. */
export function defaulted(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => defaulted(schema.items ?? { type: "object" }, item));
  if (!isObject(value) || schema.properties === undefined) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [name, field] of Object.entries(schema.properties)) {
    const given = filled[name] ?? structuredClone(field.default);
    if (given !== undefined) filled[name] = defaulted(field, given);
  }
  return filled;
}

/** What is wrong with `value`, as far as the structure goes: rules in CEL are the API server's to judge. */
export function faultsOf(schema: Schema, value: unknown, path = ""): readonly string[] {
  const at = path === "" ? "the object" : path;
  switch (schema.type) {
    case "string":
      if (typeof value !== "string") return [`${at} is no string`];
      if (schema.enum?.includes(value) === false) return [`${at} is not one of ${schema.enum.join(", ")}`];
      return bounds(at, "long", value.length, schema.minLength, schema.maxLength);
    case "integer":
      if (!Number.isInteger(value)) return [`${at} is no integer`];
      return bounds(at, "big", value as number, schema.minimum, schema.maximum);
    case "boolean":
      return typeof value === "boolean" ? [] : [`${at} is no boolean`];
    case "array":
      return Array.isArray(value) ? faultsOfList(schema, value, path, at) : [`${at} is no list`];
    case "object":
      return isObject(value) ? faultsOfObject(schema, value, path, at) : [`${at} is no object`];
  }
}

function faultsOfList(schema: Schema, list: readonly unknown[], path: string, at: string): readonly string[] {
  const keys = schema["x-kubernetes-list-map-keys"];
  const identities =
    schema["x-kubernetes-list-type"] === "set"
      ? list
      : keys === undefined
        ? []
        : list.map((item) => JSON.stringify(keys.map((key) => (isObject(item) ? item[key] : undefined))));
  return [
    ...bounds(at, "long", list.length, schema.minItems, schema.maxItems),
    ...(new Set(identities).size === identities.length ? [] : [`${at} holds something twice`]),
    ...list.flatMap((item, index) => faultsOf(schema.items ?? { type: "object" }, item, `${path}[${index}]`)),
  ];
}

function faultsOfObject(
  { properties, required = [], additionalProperties }: Schema,
  object: Readonly<Record<string, unknown>>,
  path: string,
  at: string,
): readonly string[] {
  const missing = required.filter((name) => object[name] === undefined).map((name) => `${at} lacks ${name}`);
  const inside = Object.entries(object).flatMap(([name, value]) => {
    const field = properties?.[name] ?? additionalProperties;
    if (field !== undefined) return faultsOf(field, value, path === "" ? name : `${path}.${name}`);
    // The schema of metadata is the API server's own.
    return properties === undefined ? [] : [`${at} has the unknown field ${name}`];
  });
  return [...missing, ...inside];
}

function bounds(
  at: string,
  word: string,
  size: number,
  least = -Infinity,
  most = Infinity,
): readonly string[] {
  return size < least || size > most ? [`${at} is not ${least} to ${most} ${word}`] : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
