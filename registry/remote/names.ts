import { ProtocolError } from "./errors.ts";
import type { ParentClient, ParentRequest } from "./client.ts";
import { readPages } from "./paging.ts";

/** More than any registry has, and few enough to hold: a list must be whole before it can be sorted. */
const maxNames = 200_000;

/**
 * All names in the field `key` of a paged list (`tags`, `repositories`), sorted ASCIIbetically, each once. A name that
 * `parse` refuses cannot be asked for either, and is left out.
 *
 * @throws {ProtocolError} for anything that is not such a list: a short one never looks whole
 */
export async function readNames<T extends string>(
  client: ParentClient,
  request: ParentRequest,
  key: string,
  parse: (text: string) => T | undefined,
): Promise<readonly T[]> {
  const names = new Set<T>();
  for await (const { body } of readPages(client, request)) {
    for (const text of listOf(body, key, client.origin.host)) {
      const name = parse(text);
      if (name !== undefined) names.add(name);
    }
    if (names.size > maxNames)
      throw new ProtocolError(`${client.origin.host} lists more than ${maxNames} names.`);
  }
  return [...names].sort((a, b) => (a < b ? -1 : 1));
}

function listOf(body: Buffer, key: string, host: string): readonly string[] {
  let list: unknown;
  try {
    list = (JSON.parse(body.toString("utf8")) as Readonly<Record<string, unknown>> | null)?.[key];
  } catch {
    // Told below.
  }
  // An empty list is `null` at registries written in Go.
  if (list === null) return [];
  if (Array.isArray(list) && list.every((item): item is string => typeof item === "string")) return list;
  throw new ProtocolError(`${host} answered with something that is not a list of ${key}.`);
}
