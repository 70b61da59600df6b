import * as z from "zod/mini";
import { InvalidConfigError } from "./config.ts";
import { sentenceOf } from "./issues.ts";

const host = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?$/;

/**
 * What the operator tells the node agents: ConfigMaps with one key per registry (`<namespace>.<name>`), each value one
 * entry as JSON. An agent makes its node's container runtime trust exactly what is listed, and undoes what is not.
 */
const trustEntrySchema = z.object({
  /** 2: it is reached in the clear, or by a certificate that every system trusts, and `ca` may be absent. */
  version: z.union([z.literal(1), z.literal(2)]),
  /** Every `host` or `host:port` under which images name the registry. They become names of folders on the nodes. */
  hosts: z.array(z.string().check(z.regex(host))).check(z.maxLength(40)),
  /** Where a node reaches it: nodes do not resolve Service names, so this is an address, or a name that they find. */
  server: z.string().check(z.regex(/^https?:\/\/[A-Za-z0-9.:[\]-]{1,253}$/)),
  /** PEM of the certificate authorities by which it is trusted, beside those that the node knows. */
  ca: z.optional(z.string().check(z.maxLength(64 * 1024))),
});

export type TrustEntry = z.output<typeof trustEntrySchema>;

/** The first list's name, in the operator's namespace. */
export const trustConfigMap = "connected-registry-node-trust";

/** Of more lists than this no agent may read. Each holds several hundred registries. */
export const maxTrustLists = 16;

/** On the first list: how many there are. Absent: one. */
export const trustListsAnnotation = "connectedregistry.io/trust-lists";

/** The name of the list number `at`, counted from 0, when the first is called `first`. */
export function trustListName(first: string, at: number): string {
  return at === 0 ? first : `${first}-${at}`;
}

/** How many lists there are, by the annotations of the first. */
export function trustListCount(annotations: Readonly<Record<string, string>> | undefined): number {
  const count = Number(annotations?.[trustListsAnnotation] ?? "1");
  return Number.isInteger(count) && count >= 1 && count <= maxTrustLists ? count : 1;
}

/** @throws {InvalidConfigError} */
export function parseTrustEntry(value: unknown): TrustEntry {
  const result = trustEntrySchema.safeParse(value, { error: sentenceOf });
  if (result.success) return result.data;
  throw new InvalidConfigError(
    ...result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
  );
}
