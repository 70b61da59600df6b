import { isTooComplex } from "./json-limits.ts";
import { misspeltKey, repeatedKey } from "./unique-keys.ts";

/** Bytes that are not a manifest we understand. Its message says what is wrong. */
export class InvalidManifestError extends Error {
  override readonly name = "InvalidManifestError";
}

/** A JSON object, of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON object in `bytes`. @throws {InvalidManifestError} */
export function parseDocument(bytes: Uint8Array): JsonObject {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (isTooComplex(text))
      throw new InvalidManifestError("the document has too many parts, or too deep ones");
    value = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof InvalidManifestError) throw cause;
    throw new InvalidManifestError("not JSON", { cause });
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw new InvalidManifestError(`the key "${repeated}" is there more than once`);
  return known(object(value, "the document"), documentKeys, "the document");
}

/** The keys that have a meaning, of a manifest or index and of a descriptor (OCI image specification). */
const documentKeys: ReadonlySet<string> = new Set([
  "schemaVersion",
  "mediaType",
  "artifactType",
  "config",
  "layers",
  "manifests",
  "blobs",
  "subject",
  "annotations",
]);
export const descriptorKeys: ReadonlySet<string> = new Set([
  "mediaType",
  "digest",
  "size",
  "urls",
  "annotations",
  "data",
  "artifactType",
  "platform",
]);

/** `value`, unless a program that ignores the case of keys would read another document in it (S10). */
export function known(value: JsonObject, keys: ReadonlySet<string>, where: string): JsonObject {
  const misspelt = misspeltKey(value, keys);
  if (misspelt !== undefined) throw new InvalidManifestError(`${where} has a key "${misspelt}"`);
  return value;
}

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

export function object(value: unknown, where: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidManifestError(`${where} is not an object`);
  }
  return value as JsonObject;
}

/** Programs in Go write `null` for a list without items. */
export function list(value: unknown, where: string): readonly unknown[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) throw new InvalidManifestError(`${where} is not a list`);
  return value as readonly unknown[];
}

export function optionalString(value: unknown, where: string): string | undefined {
  if (isAbsent(value) || value === "") return undefined;
  if (typeof value !== "string") throw new InvalidManifestError(`${where} is not a string`);
  return value;
}

export function stringMap(value: unknown): Readonly<Record<string, string>> {
  if (isAbsent(value)) return {};
  for (const item of Object.values(object(value, "annotations"))) {
    if (typeof item !== "string") throw new InvalidManifestError("an annotation is not a string");
  }
  return value as Readonly<Record<string, string>>;
}
