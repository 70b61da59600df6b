import type { Secret } from "../api/kubernetes.ts";
import type { KubeObject } from "../runtime/kube.ts";

/** Shorter ones are words that anything may contain. */
const shortest = 6;

/**
 * `text`, about `object`, without the values that `object` holds if it is a Secret: the API server, or a policy that it
 * asks, may quote what it refuses (S43).
 */
export function withoutSecrets(text: string, object: KubeObject): string {
  if (object.kind !== "Secret") return text;
  const values = Object.values((object as Secret).data ?? {}).flatMap((value) => [
    value,
    ...secretsIn(Buffer.from(value, "base64").toString()),
  ]);
  // The longest first: a part of one is not to give the rest away.
  return [...new Set(values)]
    .filter(({ length }) => length >= shortest)
    .sort((a, b) => b.length - a.length)
    .reduce((rest, value) => rest.replaceAll(value, "[secret]"), text);
}

/** A value as a whole, in its lines, and, if it is a document, its texts. */
function secretsIn(value: string): readonly string[] {
  return [value, JSON.stringify(value).slice(1, -1), ...value.split("\n"), ...textsOf(parsed(value))];
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Names of hosts and actions are no secrets, but who would tell them from a password? */
function textsOf(document: unknown): readonly string[] {
  if (typeof document === "string") return [document];
  if (typeof document !== "object" || document === null) return [];
  return Object.values(document).flatMap(textsOf);
}
